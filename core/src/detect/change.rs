//! Change: more checks of a slice fail than usually do.
//!
//! Every slice has its own learned baseline (`baseline`) and sums up the evidence against it (`evidence`). While there
//! is any, the baseline stands still: the checks of a stretch that came to nothing are learned when it has ended. Those
//! of an outage are learned with caution: they count less, and for no more than the most that can be usual.

pub(super) mod baseline;
pub(super) mod evidence;
mod state;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::bad;
use super::history::Entry;
use super::onset::breach_id;
use super::open_breaches::OpenBreaches;
use super::slices::{PerSlice, SliceIndex, Slices};
use super::watch::{Kind, Signal, Watch};
use crate::config::Config;
use crate::model::unit::{show_about, show_share};
use crate::model::{
    Bad, Breach, Cadence, Change, CheckResult, LabelName, Marks, Probe, ProbeIndex, Probes, Ratio, Rule, Timestamp,
};
use state::{Ongoing, Onset, State};

/// How far back a baseline is learned again after a restart.
const BASELINE: Duration = Duration::from_secs(86_400);
/// How far back the checks of a breach are shown: most are found sooner.
const SLOWEST: Duration = Duration::from_secs(3_600);

impl Kind for Change {
    fn watch(&self, rule: &Rule, config: &Arc<Config>) -> Box<dyn Watch> {
        let slices = slices(rule, &config.probes, &config.cohorts);
        let states = thresholds(self, &slices, &config.probes).values().copied().map(State::new).collect();
        let (rule, change) = (rule.clone(), self.clone());
        Box::new(ChangeWatch { rule, change, slices, states, lasting: OpenBreaches::default() })
    }

    fn lookback(&self, _probes: &Probes) -> Duration {
        BASELINE
    }

    fn history(&self) -> Duration {
        SLOWEST
    }

    fn is_prompt(&self) -> bool {
        true
    }
}

/// One change rule at work.
struct ChangeWatch {
    rule: Rule,
    change: Change,
    slices: Slices,
    states: PerSlice<State>,
    lasting: OpenBreaches<SliceIndex>,
}

impl Watch for ChangeWatch {
    fn rule(&self) -> &Rule {
        &self.rule
    }

    fn covers(&self, probe: ProbeIndex) -> bool {
        !self.slices.of(probe).is_empty()
    }

    fn is_bad(&self, _index: ProbeIndex, probe: &Probe, result: &CheckResult) -> bool {
        bad::is_bad(&self.change.bad, probe, result)
    }

    fn counts(&self, entry: &Entry) -> bool {
        bad::counts(&self.change.bad, entry)
    }

    fn is_alert(&self, probe: ProbeIndex) -> bool {
        self.slices.of(probe).iter().any(|&slice| self.states[slice].breach.is_none())
    }

    fn observe(&mut self, entry: Entry, result: &CheckResult, signals: &mut Vec<Signal>) {
        let overall = self.states[SliceIndex::WHOLE].usual;
        for nth in 0..self.slices.of(entry.probe).len() {
            let slice = self.slices.of(entry.probe)[nth];
            let state = &mut self.states[slice];
            let overall = if slice == SliceIndex::WHOLE { baseline::FLOOR } else { overall };
            state.count(entry);
            if let Some(mut ongoing) = state.breach.take() {
                state.follow(&mut ongoing, entry, overall);
                self.lasting.note(slice, ongoing.well_since);
                self.judge_clear(slice, ongoing, entry.at, signals);
            } else if let Some(onset) = state.weigh(entry, result, overall) {
                self.breach(slice, &onset, entry.at, signals);
            }
        }
    }

    /// Only what is due is looked at.
    fn pass(&mut self, at: Timestamp, signals: &mut Vec<Signal>) {
        for slice in self.lasting.due(self.change.clear_hold, at) {
            // What is due has a breach: both end together.
            if let Some(ongoing) = self.states[slice].breach.take() {
                self.judge_clear(slice, ongoing, at, signals);
            }
        }
    }

    fn next_timeout(&self) -> Option<Timestamp> {
        self.lasting.next_due(self.change.clear_hold)
    }

    fn adopt(&mut self, breach: &Breach) -> bool {
        let Some(slice) = self.slices.index_of(breach, &self.rule.id) else { return false };
        let well_since = self.states[slice].adopt(breach.id, breach.found);
        self.lasting.begin(slice, well_since);
        true
    }

    fn forget(&mut self, breach: &Breach) {
        if let Some(slice) = self.slices.index_of(breach, &self.rule.id) {
            self.states[slice].drop_all();
            self.lasting.end(slice);
        }
    }
}

impl ChangeWatch {
    fn breach(&mut self, slice: SliceIndex, onset: &Onset, now: Timestamp, signals: &mut Vec<Signal>) {
        let (state, named) = (&mut self.states[slice], &self.slices[slice]);
        let id = breach_id(&self.rule, named, &onset.probe, onset.started);
        let counts = state.seen.since(onset.before);
        let reason = format!(
            "{} of {} checks {} in {}; usually {} do",
            counts.bad,
            counts.looked,
            if matches!(self.change.bad, Bad::Failed) { "failed" } else { "were bad" },
            show_about(now.since(onset.at)),
            show_share(state.usual),
        );
        state.begin(id, onset, now);
        self.lasting.begin(slice, None);
        signals.push(Signal::Breached(Breach {
            id,
            rule: self.rule.id.clone(),
            slice: named.clone(),
            severity: self.rule.severity,
            since: onset.at,
            found: now,
            reason,
            marks: Marks::default(),
            usual: Some(Ratio::from_share(state.usual)),
            meaning: Some(self.rule.meaning()),
            cleared: None,
        }));
    }

    /// Ends the breach, which was taken out of its slice's state, or puts it back.
    fn judge_clear(&mut self, slice: SliceIndex, ongoing: Box<Ongoing>, now: Timestamp, signals: &mut Vec<Signal>) {
        let state = &mut self.states[slice];
        let Some(why) = state.why_over(&ongoing, self.change.clear_hold, now) else {
            state.breach = Some(ongoing);
            return;
        };
        let reason = format!("rule {} for {}: {why}", self.rule.id, self.slices[slice]);
        signals.push(Signal::Cleared { breach: ongoing.id, reason });
        state.end(&ongoing);
        self.lasting.end(slice);
    }
}

/// The slices of a change rule: everything, each component, each cohort value, and each component with each of these.
pub(super) fn slices<V>(rule: &Rule, probes: &Probes, cohorts: &BTreeMap<LabelName, V>) -> Slices {
    Slices::families(&rule.over, probes, cohorts)
}

/// The threshold of each slice: the budget is shared out equally over the slices.
pub(super) fn thresholds(change: &Change, slices: &Slices, probes: &Probes) -> PerSlice<f64> {
    let per = change.false_alarms.per.as_secs_f64();
    let mut checks: PerSlice<f64> = slices.all().iter().map(|_| 0.0).collect();
    for (index, probe) in probes.indexed() {
        let interval = match &probe.cadence {
            Cadence::Every(interval) => interval.as_secs_f64(),
            Cadence::At(_) => AT_MOST_EVERY,
        };
        for &slice in slices.of(index) {
            checks[slice] += per / interval.max(0.001);
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let alarms = f64::from(change.false_alarms.count) / slices.all().len().max(1) as f64;
    checks.values().map(|checks| evidence::threshold(*checks, alarms)).collect()
}

/// A probe on a calendar counts as if it ran each minute, in seconds: more often is rare.
const AT_MOST_EVERY: f64 = 60.0;
