//! Acting: what people do to an open incident.

use super::case::{Case, View};
use super::{Engine, Output};
use crate::model::{Action, ActionKind, IncidentChange, Timestamp};

impl Engine {
    /// Does what somebody asks for, and says what came of it.
    pub(super) fn act(&mut self, action: Action, now: Timestamp) -> String {
        let short = action.incident.short();
        let open = |case: &&mut Case| case.incident.is_open();
        let Some(case) = self.cases.get_mut(&action.incident).filter(open) else {
            return format!("incident {short} is not open");
        };
        let by = action.by;
        let (change, answer) = match action.kind {
            ActionKind::Acknowledge => match &case.incident.acknowledged {
                Some((other, at)) if *other == by => {
                    return format!("incident {short} was taken on by {other} at {} already", at.show());
                }
                _ => {
                    let answer = format!("incident {short} is taken on by {by}");
                    (IncidentChange::Acknowledged { by }, answer)
                }
            },
            ActionKind::Note => {
                (IncidentChange::Noted { by, text: action.text }, format!("noted on incident {short}"))
            }
            ActionKind::Identify => {
                (IncidentChange::Identified { by, cause: action.text }, format!("incident {short} is identified"))
            }
            ActionKind::Watch => {
                (IncidentChange::Mended { by, text: action.text }, format!("incident {short} is watched"))
            }
            ActionKind::Resolve => {
                let finding =
                    case.finding(View { config: &self.config, detector: &self.detector, examples: &self.examples });
                case.watch_due = None;
                let reason = if action.text.is_empty() { format!("{by} resolved it") } else { action.text };
                let answer = format!("incident {short} is resolved by {by}");
                (IncidentChange::Resolved { by: Some(by), reason, finding }, answer)
            }
        };
        let event = case.event(now, change);
        case.decide_at = Some(now);
        self.outputs.push_back(Output::Event(event));
        answer
    }
}
