//! Maintenance: messages about what is being worked on wait. The record, and the end of what was told, do not.

use crate::config::Config;
use crate::model::{Incident, Maintenance, NotificationKind, Probe, Receiver, Timestamp, WithheldFor};

use super::plan::{self, Decision};

/// What maintenance means for an incident at one moment.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Mute {
    /// While everything that the incident hits is under maintenance: until when at least, and by which.
    pub hold: Option<(Timestamp, String)>,
    /// The maintenance during which it was opened, if its window is over by now.
    pub began_during: Option<String>,
}

/// The probes that an incident hits.
#[derive(Clone, Debug, Default)]
pub struct Hit<'c> {
    /// Surely: they fail more than once in a while.
    pub surely: Vec<&'c Probe>,
    /// Their last two checks failed: one such probe may be an accident, two are none.
    pub perhaps: Vec<&'c Probe>,
}

/// Looks at the windows of the config for an incident that hits these probes.
///
/// It waits only while each of the probes is covered by an open window: what hits more than the planned work is told at
/// once. Of an incident that hits no probe that is known, nothing can be said, and it does not wait.
#[must_use]
pub fn mute(incident: &Incident, hit: &Hit<'_>, config: &Config, now: Timestamp) -> Mute {
    if config.maintenance.is_empty() || !incident.is_open() {
        return Mute::default();
    }
    if let Some((until, named)) = covered(hit, config, now) {
        let why = format!("all that it hits is under {named} until {}", until.show());
        return Mute { hold: Some((until, why)), began_during: None };
    }
    Mute { hold: None, began_during: covered(hit, config, incident.opened).map(|(_, named)| named) }
}

/// The first end among the windows that together cover what is hit at this moment, and their names.
fn covered(hit: &Hit<'_>, config: &Config, at: Timestamp) -> Option<(Timestamp, String)> {
    let open: Vec<(&Maintenance, Timestamp)> = config
        .maintenance
        .iter()
        .filter_map(|maintenance| Some((maintenance, maintenance.when.open_at(at)?.until)))
        .filter(|(maintenance, _)| hit.surely.iter().any(|probe| maintenance.over.covers(probe)))
        .collect();
    let outside = |probe: &&&Probe| open.iter().all(|(maintenance, _)| !maintenance.over.covers(probe));
    if hit.surely.iter().any(|probe| outside(&probe)) || hit.perhaps.iter().filter(outside).count() > 1 {
        return None;
    }
    // Without any probe there is no window here either.
    let until = open.iter().map(|(_, until)| *until).min()?;
    let names: Vec<String> = open.iter().map(|(maintenance, _)| format!("`{}`", maintenance.id)).collect();
    Some((until, format!("maintenance {}", names.join(" and "))))
}

/// What the receiver is told of the incident now, with regard to maintenance: [`plan::decide`], whose news of anything
/// but the end waits while [`Mute::hold`] says so.
#[must_use]
pub fn decide(incident: &Incident, receiver: &Receiver, mute: &Mute, config: &Config, now: Timestamp) -> Decision {
    match (plan::decide(incident, receiver, config, now), &mute.hold, &mute.began_during) {
        (Decision::Tell { kind: NotificationKind::Resolved, reason }, ..) => {
            Decision::Tell { kind: NotificationKind::Resolved, reason }
        }
        (Decision::Tell { .. }, Some((until, why)), _) => {
            Decision::Withhold { until: Some(*until), cause: WithheldFor::Maintenance, reason: why.clone() }
        }
        (Decision::Tell { kind, reason }, None, Some(named)) if !incident.told.contains_key(&receiver.id) => {
            Decision::Tell { kind, reason: format!("it began during {named}, which is over, and goes on: {reason}") }
        }
        (decision, ..) => decision,
    }
}
