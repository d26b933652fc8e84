//! An incident is what its events make of it: the one place where an incident changes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::{corrections, rename};
use crate::model::incident::{Told, Unheard};
use crate::model::{
    Breach, Corrected, Finding, Incident, IncidentChange, IncidentEvent, IncidentId, IncidentState, Named,
    NotificationKind, Timestamp,
};

/// Why stored events do not make an incident.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HistoryFault {
    /// There are none.
    #[error("the incident has no events")]
    Empty,
    /// The first does not open it.
    #[error("the first event does not open the incident")]
    NotOpened,
    /// One does not belong where it stands.
    #[error("event {seq} does not belong where it stands")]
    Misplaced {
        /// Its number.
        seq: u32,
    },
}

/// Makes an incident of its events, given in their order.
///
/// # Errors
/// When the events are not the whole history of one incident.
pub fn fold(events: &[IncidentEvent]) -> Result<Incident, HistoryFault> {
    let (first, rest) = events.split_first().ok_or(HistoryFault::Empty)?;
    let IncidentChange::Opened { breach, finding } = &first.change else { return Err(HistoryFault::NotOpened) };
    let mut incident = opened(first, breach, finding);
    for event in rest {
        if event.incident != incident.id || event.seq != incident.next_event {
            return Err(HistoryFault::Misplaced { seq: event.seq });
        }
        apply(&mut incident, event);
    }
    Ok(incident)
}

/// Opens an incident for a breach, whose checks show this: the incident, and the event that opens it.
#[must_use]
pub fn begin(breach: Breach, finding: Finding, at: Timestamp) -> (Incident, IncidentEvent) {
    begin_as(IncidentId::derived(&[&breach.id.to_string()]), breach, finding, at)
}

/// The same, for an incident with this id.
#[must_use]
pub fn begin_as(id: IncidentId, breach: Breach, finding: Finding, at: Timestamp) -> (Incident, IncidentEvent) {
    let change = IncidentChange::Opened { breach: breach.clone(), finding: finding.clone() };
    let event = IncidentEvent { incident: id, seq: 0, at, change };
    (opened(&event, &breach, &finding), event)
}

fn opened(event: &IncidentEvent, breach: &Breach, finding: &Finding) -> Incident {
    Incident {
        id: event.incident,
        state: IncidentState::Investigating,
        severity: breach.severity,
        since: breach.since,
        opened: event.at,
        resolved: None,
        breaches: vec![Arc::new(breach.clone())],
        finding: finding.clone(),
        acknowledged: None,
        stretch: 0,
        flaps: 0,
        watched_until: None,
        unwatched: None,
        told: BTreeMap::new(),
        withheld: BTreeMap::new(),
        see_also: BTreeMap::new(),
        corrected: Corrected::default(),
        next_event: event.seq.saturating_add(1),
    }
}

/// Lets an event happen to an incident.
pub fn apply(incident: &mut Incident, event: &IncidentEvent) {
    incident.next_event = event.seq.saturating_add(1);
    match &event.change {
        // An incident is opened once; what else would open it again says nothing new.
        IncidentChange::Opened { .. } | IncidentChange::Noted { .. } => {}
        IncidentChange::Joined { breach, .. } => {
            incident.severity = incident.severity.max(breach.severity);
            incident.since = incident.since.min(breach.since);
            if incident.watched_until.is_some() {
                come_back(incident);
            }
            incident.breaches.push(Arc::new(breach.clone()));
        }
        IncidentChange::Raised { severity, .. } => incident.severity = incident.severity.max(*severity),
        IncidentChange::Watched { until, .. } => {
            incident.state = IncidentState::Monitoring;
            incident.watched_until = Some(*until);
        }
        IncidentChange::Reopened { breach, .. } => {
            incident.severity = incident.severity.max(breach.severity);
            incident.resolved = None;
            incident.unwatched = None;
            // Whoever took it on was told that it is over.
            incident.acknowledged = None;
            // What kept the news of its end back says nothing of what is new.
            incident.withheld.clear();
            come_back(incident);
            incident.breaches.push(Arc::new(breach.clone()));
        }
        IncidentChange::Cleared { breach: id, .. } => {
            for breach in incident.breaches.iter_mut().filter(|breach| breach.id == *id) {
                Arc::make_mut(breach).cleared = Some(event.at);
            }
        }
        IncidentChange::Assessed { finding, worse, .. } => {
            incident.finding = finding.clone();
            for told in incident.told.values_mut() {
                let unheard = told.unheard.get_or_insert(Unheard { since: event.at, worse: false });
                unheard.worse |= *worse;
            }
        }
        IncidentChange::SeeAlso { other, what } => {
            incident.see_also.insert(*other, what.clone());
        }
        IncidentChange::ClockSetBack { by } => set_back(incident, *by),
        IncidentChange::Renamed { what, from, to } => rename::apply(incident, *what, from, to),
        IncidentChange::Acknowledged { by } => incident.acknowledged = Some((by.clone(), event.at)),
        IncidentChange::Identified { .. } => incident.state = IncidentState::Identified,
        IncidentChange::Mended { .. } => incident.state = IncidentState::Monitoring,
        IncidentChange::Resolved { finding, reason, unwatched, .. } => {
            incident.unwatched = unwatched.then(|| reason.clone());
            incident.state = IncidentState::Resolved;
            incident.watched_until = None;
            incident.resolved = Some(event.at);
            incident.finding = finding.clone();
        }
        IncidentChange::Told { receiver, kind, named, .. } => {
            let new = || Told {
                at: event.at,
                kind: *kind,
                severity: incident.severity,
                heard: Vec::new(),
                unheard: None,
                messages: 0,
                undelivered: BTreeMap::new(),
                spread: None,
                merged: None,
                first_as: None,
            };
            let mut told = incident.told.remove(receiver).unwrap_or_else(new);
            let named = named.clone().unwrap_or_else(|| Named::of(&incident.finding));
            if !told.heard.contains(&named) {
                told.heard.push(named);
            }
            (told.at, told.kind, told.severity) = (event.at, *kind, incident.severity);
            (told.unheard, told.merged) = (None, None);
            told.messages = told.messages.saturating_add(1);
            if matches!(kind, NotificationKind::Worsened | NotificationKind::Updated) {
                told.spread = Some(event.at);
            }
            if let Some(alarm) =
                incident.corrected.false_alarm.as_mut().filter(|_| *kind == NotificationKind::Resolved)
            {
                alarm.untold.remove(receiver);
            }
            incident.told.insert(receiver.clone(), told);
            incident.withheld.remove(&Some(receiver.clone()));
        }
        IncidentChange::Undelivered { notification, receiver, address, why } => {
            if let Some(told) = incident.told.get_mut(receiver) {
                let (messages, last) = told.undelivered.entry(address.clone()).or_default();
                messages.insert(*notification);
                last.clone_from(why);
            }
        }
        IncidentChange::Withheld { receiver, cause, .. } => {
            incident.withheld.entry(receiver.clone()).or_default().insert(*cause);
        }
        correction @ (IncidentChange::Merged { .. }
        | IncidentChange::MergedInto { .. }
        | IncidentChange::Split { .. }
        | IncidentChange::SplitFrom { .. }
        | IncidentChange::FalseAlarm { .. }) => corrections::apply(incident, event.at, correction),
    }
}

/// Puts the incident's times to where the clock, as it goes now, has them: what is told from now on, how long it lasts
/// and when a reminder is due, is reckoned by one clock.
fn set_back(incident: &mut Incident, by: Duration) {
    let back = |at: &mut Timestamp| *at = *at - by;
    back(&mut incident.since);
    back(&mut incident.opened);
    for breach in incident.breaches.iter_mut().map(Arc::make_mut) {
        back(&mut breach.since);
        back(&mut breach.found);
        breach.cleared.iter_mut().for_each(back);
    }
    incident.acknowledged.iter_mut().for_each(|(_, at)| back(at));
    incident.watched_until.iter_mut().for_each(back);
    for told in incident.told.values_mut() {
        back(&mut told.at);
        told.unheard.iter_mut().for_each(|unheard| back(&mut unheard.since));
        told.spread.iter_mut().for_each(back);
    }
    let finding = &mut incident.finding;
    finding.parts.iter_mut().chain(&mut finding.earlier).for_each(|part| part.set_back(by));
    if let Some(unseen) = &mut finding.unseen {
        back(&mut unseen.since);
        unseen.until.iter_mut().for_each(back);
    }
}

/// The times of an incident's events by the clock as it went at the last of them.
#[must_use]
pub fn times(events: &[IncidentEvent]) -> Vec<Timestamp> {
    let mut back = Duration::ZERO;
    let mut times: Vec<Timestamp> = events
        .iter()
        .rev()
        .map(|event| {
            let at = event.at - back;
            if let IncidentChange::ClockSetBack { by } = event.change {
                back += by;
            }
            at
        })
        .collect();
    times.reverse();
    times
}

/// Back from watching, or from the end, to looking for the cause. The breach that says so comes next.
fn come_back(incident: &mut Incident) {
    incident.flaps = incident.flaps.saturating_add(1);
    incident.state = IncidentState::Investigating;
    incident.watched_until = None;
    incident.stretch = incident.breaches.len();
}
