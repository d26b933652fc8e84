//! Telling: what becomes owed because of what happened to an incident.

use std::time::Duration;

use super::case::View;
use super::{Engine, Output};
use crate::model::{IncidentChange, IncidentId, Notification, NotificationId, Timestamp};
use crate::notify::mute::{self, Mute};
use crate::notify::plan::{self, Decision};
use crate::notify::word;

/// How often it is looked whether an incident still hits nothing but what is under maintenance. It may come to hit more
/// without an event that says so.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

impl Engine {
    /// Decides for every incident that may have news who is told.
    pub(super) fn tell(&mut self, now: Timestamp) {
        let news: Vec<IncidentId> = self
            .outputs
            .iter()
            .filter_map(|output| match output {
                Output::Event(event) => Some(event.incident),
                Output::Result(_) | Output::Owed(_) | Output::Answer(..) => None,
            })
            .collect();
        for (id, case) in &mut self.cases {
            if !news.contains(id) && case.decide_at.is_none_or(|at| at > now) {
                continue;
            }
            case.decide_at = None;
            let view = View { config: &self.config, detector: &self.detector, examples: &self.examples };
            // An outage of thousands of slices has as many events: what nobody asks for is not worked out for each.
            let mute = if self.config.maintenance.is_empty() {
                Mute::default()
            } else {
                mute::mute(&case.incident, &case.hit(&case.finding(view), &self.config), &self.config, now)
            };
            if mute.hold.is_some() {
                case.decide_at = Some(now + LOOK_AGAIN);
            }
            for receiver in plan::receivers(&case.incident, &self.config) {
                let Some(receiver) = self.config.receivers.get(&receiver) else { continue };
                match mute::decide(&case.incident, receiver, &mute, now) {
                    Decision::Silent { .. } => {}
                    Decision::Wait { until, .. } => {
                        case.decide_at = Some(case.decide_at.map_or(until, |other| other.min(until)));
                    }
                    Decision::Tell { kind, reason } => {
                        // What is told has today's counts; the record has those of its events.
                        let mut seen = case.incident.clone();
                        if seen.is_open() {
                            seen.finding = case.finding(view);
                        }
                        let seq = case.incident.next_event.to_string();
                        let notification = NotificationId::derived(&[&id.to_string(), &seq, receiver.id.as_str()]);
                        let message = word::message(&seen, kind, &reason, receiver, notification, now, &self.config);
                        let change = IncidentChange::Told {
                            notification,
                            receiver: receiver.id.clone(),
                            kind,
                            reason: reason.clone(),
                        };
                        let event = case.event(now, change);
                        self.outputs.push_back(Output::Event(event));
                        self.outputs.push_back(Output::Owed(Notification {
                            id: notification,
                            incident: *id,
                            receiver: receiver.id.clone(),
                            kind,
                            reason,
                            owed: now,
                            message,
                            destinations: receiver.kind.destinations(),
                        }));
                        // The next decision, a reminder say, is worked out from what was just told.
                        if let Decision::Wait { until, .. } = mute::decide(&case.incident, receiver, &mute, now) {
                            case.decide_at = Some(case.decide_at.map_or(until, |other| other.min(until)));
                        }
                    }
                }
            }
        }
    }
}
