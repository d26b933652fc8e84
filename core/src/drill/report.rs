//! What came of one run.

use std::sync::Arc;
use std::time::Duration;

use super::drive::{Counts, Drive};
use super::owed::{Owed, Seen};
use super::played::{Played, Script, tells};
use super::scenario::{Fault, Scenario};
use super::take::Take;
use super::verdict::Verdict;
use crate::config::Config;
use crate::model::{IncidentEvent, Timestamp};

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
    pub notifications: Vec<Owed>,
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

impl Report {
    pub(super) fn new(config: &Arc<Config>, scenario: &Scenario, take: Take, drive: Drive, missing: u64) -> Self {
        let incidents = drive.incidents();
        let (counts, events, notifications) = drive.finish();
        let script = Script::new(config, scenario, take);
        let played = incidents.into_iter();
        let played = played.filter_map(|incident| Played::new(incident, &events, &notifications, &script));
        let incidents: Vec<Played> = played.collect();
        let mut report = Self {
            take,
            start: scenario.start,
            counts,
            missing,
            false_alarms: count(incidents.iter().filter(|played| played.false_alarm)),
            missed: (0..script.faults.len())
                .filter(|fault| incidents.iter().all(|played| !played.faults.contains(fault)))
                .collect(),
            detected: None,
            resolved: None,
            incidents,
            events,
            notifications,
            verdicts: Vec::new(),
        };
        report.detected = report.detected(&script);
        report.resolved = report.resolved(&script.faults);
        report
    }

    /// Whether every expectation was met.
    #[must_use]
    pub fn is_met(&self) -> bool {
        self.verdicts.iter().all(|verdict| verdict.met)
    }

    fn detected(&self, script: &Script<'_>) -> Option<Duration> {
        let began = script.faults.iter().map(|fault| fault.from).min()?;
        let real = || self.incidents.iter().filter(|played| !played.faults.is_empty());
        let first = if script.tells_nobody() {
            real().map(|played| played.opened).find(|opened| *opened >= began)
        } else {
            let about = |owed: &&Owed| {
                tells(owed)
                    && script.since_start(owed.at) >= began
                    && real().any(|played| played.incident.id == owed.what.incident)
            };
            self.notifications.iter().find(about).map(|owed| script.since_start(owed.at))
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

pub(super) fn count<T>(items: impl Iterator<Item = T>) -> u64 {
    items.fold(0, |count, _| count + 1)
}
