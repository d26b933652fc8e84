//! What a person's correction makes of an incident: it is merged, split, or a false alarm.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::incident::{Told, Unheard};
use crate::model::{FalseAlarm, Incident, IncidentChange, IncidentState, Merged, Named, Timestamp};

/// Lets a correction happen to an incident; nothing else.
pub(super) fn apply(incident: &mut Incident, at: Timestamp, change: &IncidentChange) {
    match change {
        IncidentChange::Merged { other, what, severity, breaches, stretch, finding, by, why, .. } => {
            let (earlier, last) = breaches.split_at((*stretch).min(breaches.len()));
            incident.severity = incident.severity.max(*severity);
            incident.since = breaches
                .iter()
                .map(|breach| breach.since)
                .min()
                .map_or(incident.since, |since| since.min(incident.since));
            if incident.watched_until.is_some() && last.iter().any(|breach| breach.cleared.is_none()) {
                // It had been well; what is part of it from now on is not.
                incident.watched_until = None;
                incident.state = IncidentState::Investigating;
                incident.stretch = incident.breaches.len();
            }
            let place = incident.stretch;
            incident.breaches.splice(place..place, earlier.iter().cloned());
            incident.stretch = place + earlier.len();
            incident.breaches.extend(last.iter().cloned());
            incident.finding = finding.clone();
            incident.see_also.remove(other);
            incident.corrected.apart.remove(other);
            let merged = Merged { what: what.clone(), by: by.clone(), why: why.clone() };
            incident.corrected.merged.insert(*other, merged);
            note_heard(incident, at, change);
        }
        IncidentChange::MergedInto { into, .. } => {
            incident.state = IncidentState::Resolved;
            incident.watched_until = None;
            incident.resolved = incident.resolved.or(Some(at));
            incident.corrected.merged_into = Some(*into);
            for breach in incident.breaches.iter_mut().map(Arc::make_mut) {
                breach.cleared = breach.cleared.or(Some(at));
            }
        }
        IncidentChange::Split { other, breaches, theirs, finding, .. } => {
            let (stretch, mut last) = (incident.stretch, incident.breaches.split_off(incident.stretch));
            last.retain(|breach| !breaches.contains(&breach.id));
            for breach in last.iter_mut().map(Arc::make_mut) {
                let own = &breach.marks.components - &theirs.components;
                // One that is of nothing else is of a rule that stays.
                if !own.is_empty() {
                    breach.marks.components = own;
                }
            }
            incident.breaches.extend(last);
            incident.stretch = stretch;
            incident.since = incident.breaches.iter().map(|breach| breach.since).min().unwrap_or(incident.since);
            incident.finding = finding.clone();
            incident.corrected.apart.insert(*other, theirs.clone());
        }
        IncidentChange::SplitFrom { other, theirs, by, .. } => {
            incident.corrected.split_from = Some((*other, by.clone()));
            incident.corrected.apart.insert(*other, theirs.clone());
        }
        IncidentChange::FalseAlarm { by, why } => {
            let untold = incident.told.keys().cloned().collect();
            incident.corrected.false_alarm = Some(FalseAlarm { by: by.clone(), why: why.clone(), untold });
        }
        _ => {}
    }
}

/// Notes who was told of an incident that was merged into this one, and who was not.
fn note_heard(incident: &mut Incident, at: Timestamp, change: &IncidentChange) {
    let IncidentChange::Merged { other, finding, told, know, .. } = change else { return };
    for (receiver, known) in &mut incident.told {
        if let Some(heard) = told.get(receiver) {
            known.severity = known.severity.max(heard.severity);
            known.heard.extend(heard.named.iter().cloned());
        }
        if know.contains(receiver) {
            (known.unheard, known.merged) = (None, None);
            known.heard.push(Named::of(finding));
        } else {
            known.unheard.get_or_insert(Unheard { since: at, worse: false });
        }
    }
    for (receiver, heard) in told {
        let new = || Told {
            at: heard.at,
            kind: heard.kind,
            severity: heard.severity,
            heard: heard.named.clone(),
            unheard: None,
            messages: 0,
            undelivered: BTreeMap::new(),
            spread: None,
            merged: Some(*other),
            first_as: None,
        };
        incident.told.entry(receiver.clone()).or_insert_with(new);
    }
}
