//! Telling: who is notified of what happened to an incident, and why somebody is not.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::cases::Cases;
use crate::config::Config;
use crate::detect::Detector;
use crate::model::{
    Incident, IncidentChange, IncidentEvent, IncidentId, Named, Notification, NotificationId, NotificationKind,
    Receiver, ReceiverId, Timestamp, WithheldFor,
};
use crate::notify::mute::{self, Mute};
use crate::notify::plan::{self, Decision};
use crate::notify::word;

/// How often it is looked whether an incident still hits nothing but what is under maintenance. It may come to hit more
/// without an event that says so.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

/// When to decide again about which incident without anything happening to it.
pub(super) struct Tell {
    due: BTreeMap<IncidentId, Timestamp>,
}

impl Tell {
    /// Decides about stored incidents at once, whatever the clock was when they were opened.
    pub(super) fn resume(incidents: &[Incident]) -> Self {
        Self { due: incidents.iter().map(|incident| (incident.id, Timestamp::default())).collect() }
    }

    /// When the next decision is due; wall-clock time.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.due.values().copied().min()
    }

    /// Decides for every incident that may have news who is notified.
    pub(super) fn decide(&mut self, cases: &mut Cases, detector: &Detector, now: Timestamp) -> Decided {
        let (touched, news) = (cases.touched(), cases.with_news());
        let due = self.due.iter().filter(|(_, at)| **at <= now).map(|(id, _)| *id);
        let asked: BTreeSet<IncidentId> = touched.iter().copied().chain(due).collect();
        let mut owed = Vec::new();
        for id in asked {
            // One that ended so long ago that it was forgotten has no news.
            let Some(incident) = cases.incident(id) else {
                self.due.remove(&id);
                continue;
            };
            let has_news = incident.is_open() || news.contains(&id);
            let config = Arc::clone(cases.config());
            let mut about = About { id, has_news, detector, now, config, cases, again: None };
            owed.extend(about.decide());
            match about.again {
                Some(again) => self.due.insert(id, again),
                None => self.due.remove(&id),
            };
        }
        Decided { owed, ..Decided::nothing(cases) }
    }
}

/// What came of deciding.
pub(super) struct Decided {
    /// What happened to incidents, what was decided included.
    pub(super) events: Vec<IncidentEvent>,
    /// The incidents to which it happened, as they stand after.
    pub(super) incidents: Vec<Incident>,
    /// What is owed.
    pub(super) owed: Vec<Notification>,
}

impl Decided {
    /// Nothing: only what happened is given out.
    pub(super) fn nothing(cases: &mut Cases) -> Self {
        let incidents = cases.touched().into_iter().filter_map(|id| cases.incident(id)).cloned().collect();
        Self { events: cases.take_events(), incidents, owed: Vec::new() }
    }
}

/// The decision about one incident, which is there as long as it is decided about. What is decided happens to it.
struct About<'a> {
    id: IncidentId,
    /// Whether there may be something that somebody is not told of: it is open, or something has just happened to it.
    has_news: bool,
    cases: &'a mut Cases,
    detector: &'a Detector,
    config: Arc<Config>,
    now: Timestamp,
    /// When to decide again.
    again: Option<Timestamp>,
}

impl About<'_> {
    /// What is owed now.
    fn decide(&mut self) -> Vec<Notification> {
        let config = Arc::clone(&self.config);
        let Some(incident) = self.cases.incident(self.id) else { return Vec::new() };
        let receivers = plan::receivers(incident, &config);
        // An outage of thousands of slices has as many events: what nobody asks for is not worked out for each.
        let mute = if config.maintenance.is_empty() {
            Mute::default()
        } else {
            mute::mute(incident, &self.cases.hit(self.id, self.detector), &config, self.now)
        };
        if mute.hold.is_some() {
            self.wait(self.now + LOOK_AGAIN);
        }
        if receivers.is_empty() {
            self.withhold(None, WithheldFor::Configuration, plan::nobody(&config));
        }
        let mut owed = Vec::new();
        for name in receivers {
            match config.receivers.get(&name) {
                Some(receiver) => owed.extend(self.receiver(receiver, &mute)),
                None => {
                    let incident = self.cases.incident(self.id);
                    if incident.is_some_and(|incident| plan::has_news_for(incident, &name, &config, self.now)) {
                        let reason = "it is not in the configuration any more".to_owned();
                        self.withhold(Some(name), WithheldFor::Configuration, reason);
                    }
                }
            }
        }
        owed
    }

    /// What is owed to this receiver now.
    fn receiver(&mut self, receiver: &Receiver, mute: &Mute) -> Option<Notification> {
        let decision = mute::decide(self.cases.incident(self.id)?, receiver, mute, &self.config, self.now);
        match decision {
            Decision::Nothing { again } => {
                again.into_iter().for_each(|again| self.wait(again));
                None
            }
            Decision::Withhold { until, cause, reason } => {
                until.into_iter().for_each(|until| self.wait(until));
                self.withhold(Some(receiver.id.clone()), cause, reason);
                None
            }
            Decision::Tell { kind, reason } => {
                let owed = self.tell(receiver, kind, reason);
                // The next decision, a reminder say, is worked out from what was just told.
                let after = self.cases.incident(self.id);
                let after = after.map(|told| mute::decide(told, receiver, mute, &self.config, self.now));
                after.and_then(|after| after.again()).into_iter().for_each(|again| self.wait(again));
                owed
            }
        }
    }

    /// Words the message, and notes that it is owed.
    fn tell(&mut self, receiver: &Receiver, kind: NotificationKind, reason: String) -> Option<Notification> {
        let seen = self.cases.today(self.id, self.detector)?;
        let id = NotificationId::derived(&[&self.id.to_string(), &seen.next_event.to_string(), receiver.id.as_str()]);
        let message = word::message(&seen, kind, &reason, receiver, id, self.now, &self.config);
        let change = IncidentChange::Told {
            notification: id,
            receiver: receiver.id.clone(),
            kind,
            reason: reason.clone(),
            named: Some(Named::of(&seen.finding)),
        };
        self.cases.note(self.id, change, self.now);
        let (incident, owed) = (self.id, self.now);
        Some(Notification {
            id,
            incident,
            receiver: receiver.id.clone(),
            kind,
            reason,
            owed,
            message,
            destinations: receiver.kind.destinations(),
        })
    }

    /// Notes why somebody, or nobody at all, is not notified: each cause once from one message to the next, and the end
    /// only where nothing else kept the news back.
    fn withhold(&mut self, receiver: Option<ReceiverId>, cause: WithheldFor, reason: String) {
        let known = self.cases.incident(self.id).and_then(|incident| incident.withheld.get(&receiver));
        let is_known = known.is_some_and(|known| cause == WithheldFor::End || known.contains(&cause));
        if self.has_news && !is_known {
            self.cases.note(self.id, IncidentChange::Withheld { receiver, cause, reason }, self.now);
        }
    }

    fn wait(&mut self, until: Timestamp) {
        self.again = Some(self.again.map_or(until, |again| again.min(until)));
    }
}
