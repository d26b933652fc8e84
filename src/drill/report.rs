//! What came of one run.

use std::sync::Arc;
use std::time::Duration;

use super::drive::{Counts, Drive, Seen};
use super::scenario::{Fault, Scenario};
use super::take::Take;
use super::verdict::Verdict;
use crate::config::Config;
use crate::model::{Incident, IncidentChange, IncidentEvent, Notification, NotificationKind, Timestamp};

/// What came of one run of a scenario. Times are durations from the drill's start, by true time: what the clock would
/// show had nobody set it.
#[derive(Clone, PartialEq, Debug)]
pub struct Report {
    /// The seed and the shift.
    pub take: Take,
    /// The moment of the drill's start.
    pub start: Timestamp,
    /// How many checks were made, and what they came to.
    pub counts: Counts,
    /// How many checks did not come.
    pub missing: u64,
    /// The incidents, in the order in which they were opened.
    pub incidents: Vec<Played>,
    /// What happened to them, in its order; `at` is a moment of true time.
    pub events: Vec<Seen<IncidentEvent>>,
    /// The messages that became owed, in their order; `at` is a moment of true time.
    pub notifications: Vec<Seen<Notification>>,
    /// From the first fault's beginning to the first message that one is open, worse or back; without receivers, to
    /// the incident.
    pub detected: Option<Duration>,
    /// From the last fault's end until no incident was open; nothing when the last one was over before that.
    pub resolved: Option<Duration>,
    /// How many incidents were false alarms: opened while no fault was on, and naming none that had been.
    pub false_alarms: u64,
    /// The places of the faults, in the scenario, for which no incident was open.
    pub missed: Vec<usize>,
    /// The expectations, with what was found.
    pub verdicts: Vec<Verdict>,
}

/// An incident of a drill.
#[derive(Clone, PartialEq, Debug)]
pub struct Played {
    /// As it stood in the end.
    pub incident: Incident,
    /// When its first bad check ended.
    pub since: Duration,
    /// When it was opened.
    pub opened: Duration,
    /// When it was over.
    pub resolved: Option<Duration>,
    /// Whether it was a false alarm.
    pub false_alarm: bool,
    /// The places of the faults, in the scenario, that it was open for.
    pub faults: Vec<usize>,
}

impl Report {
    pub(super) fn new(config: &Arc<Config>, scenario: &Scenario, take: Take, drive: Drive, missing: u64) -> Self {
        let incidents = drive.incidents();
        let (counts, events, notifications) = drive.finish();
        let into = |at: Timestamp| at.since(scenario.start);
        let faults: Vec<Fault> = scenario.faults.iter().map(|fault| shifted(fault, take.shift)).collect();
        let played = incidents.into_iter().filter_map(|incident| {
            let mut own = events.iter().filter(|event| event.what.incident == incident.id);
            let opening = own.next()?;
            let resolved = own.rfind(|event| matches!(event.what.change, IncidentChange::Resolved { .. }));
            let resolved = resolved.filter(|_| !incident.is_open());
            // Wall time and true time part where the clock was set, not between a breach and its opening.
            let opened = into(opening.at);
            let since = opened.saturating_sub(incident.opened.since(incident.since));
            let mut played = Played {
                since,
                opened,
                resolved: resolved.map(|event| into(event.at)),
                false_alarm: false,
                faults: Vec::new(),
                incident,
            };
            let own = faults.iter().enumerate().filter(|(_, fault)| played.is_of(fault, config));
            played.faults = own.map(|(place, _)| place).collect();
            let ours = played.incident.is_our_own();
            let on = faults.iter().any(|fault| fault.is_on(opened));
            played.false_alarm = played.faults.is_empty() && !on && !ours;
            Some(played)
        });
        let incidents: Vec<Played> = played.collect();
        let mut report = Self {
            take,
            start: scenario.start,
            counts,
            missing,
            false_alarms: count(incidents.iter().filter(|played| played.false_alarm)),
            missed: (0..faults.len())
                .filter(|fault| incidents.iter().all(|played| !played.faults.contains(fault)))
                .collect(),
            detected: None,
            resolved: None,
            incidents,
            events,
            notifications,
            verdicts: Vec::new(),
        };
        report.detected = report.detected(&faults, config, into);
        report.resolved = report.resolved(&faults);
        report
    }

    /// Whether every expectation was met.
    #[must_use]
    pub fn is_met(&self) -> bool {
        self.verdicts.iter().all(|verdict| verdict.met)
    }

    fn detected(&self, faults: &[Fault], config: &Config, into: impl Fn(Timestamp) -> Duration) -> Option<Duration> {
        let began = faults.iter().map(|fault| fault.from).min()?;
        let first = if config.receivers.is_empty() {
            let real = self.incidents.iter().filter(|played| !played.faults.is_empty());
            real.map(|played| played.opened).find(|opened| *opened >= began)
        } else {
            let about = |owed: &&Seen<Notification>| {
                let mut real = self.incidents.iter().filter(|played| !played.faults.is_empty());
                // That something is over, or still open, tells nobody of a fault that has just begun.
                let tells = !matches!(owed.what.kind, NotificationKind::Resolved | NotificationKind::Reminder);
                tells && into(owed.at) >= began && real.any(|played| played.incident.id == owed.what.incident)
            };
            self.notifications.iter().find(about).map(|owed| into(owed.at))
        };
        first.map(|first| first.saturating_sub(began))
    }

    fn resolved(&self, faults: &[Fault]) -> Option<Duration> {
        let ended = faults.iter().map(|fault| fault.until).max()?;
        let mut last = None;
        for played in self.incidents.iter().filter(|played| !played.faults.is_empty()) {
            last = last.max(Some(played.resolved?));
        }
        // What was over while a fault was still on did not wait for its end.
        last?.checked_sub(ended)
    }
}

impl Played {
    /// Whether it is of this fault: it names probes that the fault can hit, and its failing began while that was on, or
    /// it was open then. One that says that Tripline cannot see is of no fault: it tells nothing of the service.
    fn is_of(&self, fault: &Fault, config: &Config) -> bool {
        if self.incident.is_our_own() {
            return false;
        }
        let finding = &self.incident.finding;
        let named = config.probes.iter().filter(|probe| {
            if finding.components.is_empty() {
                // What it says is no share of checks: then its breaches say whom it is about.
                return self.incident.breaches.iter().any(|breach| breach.slice.covers(probe));
            }
            finding.components.contains(&probe.component)
                && finding.factor.as_ref().is_none_or(|factor| factor.bears(probe))
        });
        let open = self.opened < fault.until && self.resolved.is_none_or(|resolved| resolved > fault.from);
        // A check that began in it may end after it.
        let longest = config.probes.iter().map(|probe| probe.longest_check()).max().unwrap_or_default();
        let began = fault.from <= self.since && self.since <= fault.until.saturating_add(longest);
        (open || began) && named.into_iter().any(|probe| fault.over.covers(probe))
    }
}

fn shifted(fault: &Fault, by: Duration) -> Fault {
    Fault { from: fault.from.saturating_add(by), until: fault.until.saturating_add(by), ..fault.clone() }
}

pub(super) fn count<T>(items: impl Iterator<Item = T>) -> u64 {
    items.fold(0, |count, _| count + 1)
}
