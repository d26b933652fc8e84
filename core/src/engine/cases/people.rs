//! What people say of an open incident, or have done about it.

use std::collections::BTreeMap;

use super::Cases;
use super::corrections::not_open;
use crate::detect::Detector;
use crate::engine::case::{Case, View};
use crate::model::{Action, ActionKind, Incident, IncidentChange, IncidentId, Timestamp};

/// What happens to the incident, and the answer; where nothing happens, only that.
type Asked = Result<(IncidentChange, String), String>;

impl Cases {
    /// Does what somebody asks for, and says what came of it.
    pub(in crate::engine) fn act(&mut self, action: Action, detector: &Detector, now: Timestamp) -> String {
        let (id, short) = (action.incident, action.incident.short());
        let answer = match action.kind {
            ActionKind::Acknowledge => self.say(id, now, |case| acknowledge(&case.incident, action.by)),
            ActionKind::Note => self.say(id, now, |_| {
                Ok((IncidentChange::Noted { by: action.by, text: action.text }, format!("noted on incident {short}")))
            }),
            ActionKind::Identify => self.say(id, now, |_| {
                let answer = format!("incident {short} is identified");
                Ok((IncidentChange::Identified { by: action.by, cause: action.text }, answer))
            }),
            ActionKind::Watch => self.say(id, now, |_| {
                let answer = format!("incident {short} is monitored");
                Ok((IncidentChange::Mended { by: action.by, text: action.text }, answer))
            }),
            ActionKind::Resolve => {
                let view = View { config: &self.config, detector, examples: &self.examples };
                let Some(case) = open(&mut self.all, id) else { return not_open(id) };
                let (change, answer) = resolve(case, action, view);
                self.events.push(case.event(now, change));
                answer
            }
            ActionKind::Merge => self.merge(&action, detector, now),
            ActionKind::Split => self.split(&action, detector, now),
            ActionKind::FalseAlarm => self.false_alarm(&action, detector, now),
        };
        self.recalled.remove(&id);
        answer
    }

    /// Lets somebody say something of an open incident.
    fn say(&mut self, id: IncidentId, now: Timestamp, says: impl FnOnce(&mut Case) -> Asked) -> String {
        let Some(case) = open(&mut self.all, id) else { return not_open(id) };
        match says(case) {
            Ok((change, answer)) => {
                self.events.push(case.event(now, change));
                answer
            }
            Err(answer) => answer,
        }
    }
}

fn open(all: &mut BTreeMap<IncidentId, Case>, id: IncidentId) -> Option<&mut Case> {
    all.get_mut(&id).filter(|case| case.incident.is_open())
}

fn acknowledge(incident: &Incident, by: String) -> Asked {
    let short = incident.id.short();
    match &incident.acknowledged {
        Some((other, at)) if *other == by => {
            Err(format!("incident {short} was acknowledged by {other} at {} already", at.show()))
        }
        _ => {
            let answer = format!("incident {short} is acknowledged by {by}");
            Ok((IncidentChange::Acknowledged { by }, answer))
        }
    }
}

fn resolve(case: &mut Case, action: Action, view: View<'_>) -> (IncidentChange, String) {
    let by = action.by;
    let reason = if action.text.is_empty() { format!("{by} resolved it") } else { action.text };
    let answer = format!("incident {} is resolved by {by}", case.incident.id.short());
    case.watch_due = None;
    (IncidentChange::Resolved { by: Some(by), reason, finding: case.finding(view), unwatched: false }, answer)
}
