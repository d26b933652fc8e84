//! Acting: what people do to an open incident.

use crate::model::{Action, ActionKind, Finding, Incident, IncidentChange};

/// What somebody's action makes happen to an open incident, and the answer to it; where nothing happens, only that.
pub(super) fn change(
    incident: &Incident,
    action: Action,
    finding: impl FnOnce() -> Finding,
) -> Result<(IncidentChange, String), String> {
    let (short, by) = (incident.id.short(), action.by);
    Ok(match action.kind {
        ActionKind::Acknowledge => match &incident.acknowledged {
            Some((other, at)) if *other == by => {
                return Err(format!("incident {short} was taken on by {other} at {} already", at.show()));
            }
            _ => {
                let answer = format!("incident {short} is taken on by {by}");
                (IncidentChange::Acknowledged { by }, answer)
            }
        },
        ActionKind::Note => (IncidentChange::Noted { by, text: action.text }, format!("noted on incident {short}")),
        ActionKind::Identify => {
            (IncidentChange::Identified { by, cause: action.text }, format!("incident {short} is identified"))
        }
        ActionKind::Watch => {
            (IncidentChange::Mended { by, text: action.text }, format!("incident {short} is watched"))
        }
        ActionKind::Resolve => {
            let reason = if action.text.is_empty() { format!("{by} resolved it") } else { action.text };
            let answer = format!("incident {short} is resolved by {by}");
            (IncidentChange::Resolved { by: Some(by), reason, finding: finding() }, answer)
        }
    })
}
