//! Latency: a quantile of how long checks take, in a sliding window, for each slice of a rule.
//!
//! Nothing is sorted while all is well. The q-quantile, by nearest rank, is the value with the number ceil(q * n), so it
//! is more than T exactly when more than (1 - q) * n of the values are: two counts for each slice say it. The quantile
//! itself is worked out only for the words of a breach.

use std::collections::VecDeque;
use std::time::Duration;

use crate::config::Config;
use crate::model::Marks;
use crate::model::unit::show_duration;
use crate::model::{
    Breach, BreachId, CheckResult, FailureClass, Latency, Outcome, ProbeIndex, Probes, Ratio, Rule, Timestamp,
};

use super::Signal;
use super::history::Entry;
use super::onset::Onset;
use super::open_breaches::OpenBreaches;
use super::slices::Slices;

/// One latency rule at work.
pub(super) struct LatencyWatch {
    rule: Rule,
    latency: Latency,
    /// The share of slow checks that the quantile allows.
    allowed: Ratio,
    slices: Slices,
    /// One for each of the slices.
    states: Vec<State>,
    /// The slices that have a breach.
    lasting: OpenBreaches<usize>,
    /// The checks in the window that had the phase, oldest first.
    window: VecDeque<Timed>,
}

#[derive(Clone, Copy)]
struct Timed {
    at: Timestamp,
    took: Duration,
    probe: ProbeIndex,
    class: Option<FailureClass>,
}

#[derive(Default)]
struct State {
    looked: u64,
    /// Those that took longer than the threshold ...
    slow: u64,
    /// ... and those that took at least as long as ends a breach.
    not_quick: u64,
    onset: Option<Onset>,
    /// Since when the quantile has been low enough to end a breach, if it is.
    low_since: Option<Timestamp>,
    breach: Option<BreachId>,
}

impl LatencyWatch {
    pub(super) fn new(rule: &Rule, latency: &Latency, probes: &Probes) -> Self {
        let slices = Slices::new(&rule.over, &latency.per, probes);
        let states = slices.all().iter().map(|_| State::default()).collect();
        Self {
            rule: rule.clone(),
            latency: latency.clone(),
            allowed: allowed(latency),
            slices,
            states,
            lasting: OpenBreaches::default(),
            window: VecDeque::new(),
        }
    }

    pub(super) fn covers(&self, probe: ProbeIndex) -> bool {
        !self.slices.of(probe).is_empty()
    }

    /// Whether the check is slow.
    pub(super) fn is_bad(&self, result: &CheckResult) -> bool {
        self.took(result).is_some_and(|took| took > self.latency.above)
    }

    pub(super) fn observe(&mut self, entry: Entry, result: &CheckResult, config: &Config, signals: &mut Vec<Signal>) {
        self.slide(entry.at);
        if let Some(took) = self.took(result) {
            self.window.push_back(Timed { at: entry.at, took, probe: entry.probe, class: entry.class });
            let decay = u64::from(self.allowed.ppm()) * 1_000;
            let (slow, not_quick) = (took > self.latency.above, took >= self.latency.below);
            for &slice in self.slices.of(entry.probe) {
                let state = &mut self.states[slice];
                state.looked += 1;
                state.slow += u64::from(slow);
                state.not_quick += u64::from(not_quick);
                Onset::follow(&mut state.onset, entry.at, slow, result, decay.max(LEAST_DECAY));
            }
        }
        for index in 0..self.slices.of(entry.probe).len() {
            let slice = self.slices.of(entry.probe)[index];
            self.judge_clear(slice, entry.at, signals);
            self.judge(slice, entry.at, config, signals);
        }
    }

    /// Ends what has been low for long enough. Only what is due is looked at: how often time passes is of no account.
    pub(super) fn pass(&mut self, at: Timestamp, signals: &mut Vec<Signal>) {
        let due = self.lasting.due(self.latency.hold, at);
        if due.is_empty() {
            return;
        }
        self.slide(at);
        for slice in due {
            self.judge_clear(slice, at, signals);
        }
    }

    pub(super) fn next_timeout(&self) -> Option<Timestamp> {
        self.lasting.next_due(self.latency.hold)
    }

    pub(super) fn adopt(&mut self, breach: &Breach) -> bool {
        let Some(slice) = self.slices.place_of(breach, &self.rule.id) else { return false };
        let state = &mut self.states[slice];
        state.breach = Some(breach.id);
        self.lasting.begin(slice, state.low_since);
        true
    }

    pub(super) fn forget(&mut self, breach: &Breach) {
        if let Some(slice) = self.slices.place_of(breach, &self.rule.id) {
            self.states[slice].breach = None;
            self.states[slice].onset = None;
            self.lasting.end(slice);
        }
    }

    /// What the check says about the phase. How quickly a connection was refused says nothing about how quickly the
    /// service answers; a check that ran into its timeout took at least that long.
    fn took(&self, result: &CheckResult) -> Option<Duration> {
        let says = match result.outcome {
            Outcome::Success | Outcome::Failure(FailureClass::Timeout) => true,
            Outcome::Failure(_) => result.status.is_some(),
            Outcome::Void(_) => false,
        };
        result.phases.of(self.latency.of).filter(|_| says)
    }

    /// Forgets what is older than the window.
    fn slide(&mut self, now: Timestamp) {
        while let Some(oldest) = self.window.front().copied().filter(|old| old.at + self.latency.within < now) {
            self.window.pop_front();
            for &slice in self.slices.of(oldest.probe) {
                let state = &mut self.states[slice];
                state.looked -= 1;
                state.slow -= u64::from(oldest.took > self.latency.above);
                state.not_quick -= u64::from(oldest.took >= self.latency.below);
                if state.slow == 0 {
                    // The last slow check was that long ago: whatever is slow next is another stretch.
                    state.onset = None;
                }
            }
        }
    }

    fn judge(&mut self, slice: usize, now: Timestamp, config: &Config, signals: &mut Vec<Signal>) {
        let state = &self.states[slice];
        if state.breach.is_some()
            || state.looked < u64::from(self.latency.at_least)
            || !self.allowed.is_exceeded_by(state.slow, state.looked)
        {
            return;
        }
        let Some(onset) = &state.onset else { return };
        let named = &self.slices.all()[slice];
        let breach = Breach {
            id: onset.breach_id(&self.rule, named),
            rule: self.rule.id.clone(),
            slice: named.clone(),
            severity: self.rule.severity,
            since: onset.at,
            found: now,
            reason: format!(
                "{}; the rule: above {} in at least {}",
                self.measured(slice),
                show_duration(self.latency.above),
                counted(self.latency.at_least),
            ),
            marks: self.marks(slice, onset.at, config),
            cleared: None,
        };
        self.states[slice].breach = Some(breach.id);
        self.states[slice].low_since = None;
        self.lasting.begin(slice, None);
        signals.push(Signal::Breached(breach));
    }

    fn judge_clear(&mut self, slice: usize, now: Timestamp, signals: &mut Vec<Signal>) {
        let state = &mut self.states[slice];
        // With no checks in the window nobody knows: the next check says whether it is still low.
        if state.looked == 0 {
            self.lasting.note(slice, None);
            return;
        }
        if self.allowed.is_exceeded_by(state.not_quick, state.looked) {
            state.low_since = None;
            self.lasting.note(slice, None);
            return;
        }
        let low_since = *state.low_since.get_or_insert(now);
        self.lasting.note(slice, Some(low_since));
        let Some(id) = state.breach.filter(|_| now.since(low_since) >= self.latency.hold) else { return };
        // What is slow next is another outage, with a beginning of its own.
        (state.breach, state.onset) = (None, None);
        self.lasting.end(slice);
        let reason = format!(
            "rule {} for {}: {}, below {} for {}",
            self.rule.id,
            self.slices.all()[slice],
            self.measured(slice),
            show_duration(self.latency.below),
            show_duration(self.latency.hold),
        );
        signals.push(Signal::Cleared { breach: id, reason });
    }

    /// The quantile as it is, in words.
    fn measured(&self, slice: usize) -> String {
        let ours = self.window.iter().filter(|timed| self.slices.of(timed.probe).contains(&slice));
        let mut all: Vec<Duration> = ours.map(|timed| timed.took).collect();
        let count = u64::try_from(all.len()).unwrap_or(u64::MAX);
        // As many of the greatest values as the quantile allows stand above it.
        let above = u128::from(count) * u128::from(self.allowed.ppm()) / 1_000_000;
        let place = all.len().saturating_sub(1).saturating_sub(usize::try_from(above).unwrap_or(usize::MAX));
        let value = if all.is_empty() { Duration::ZERO } else { *all.select_nth_unstable(place).1 };
        format!(
            "the {} quantile of {} is {} over {} in the last {}",
            self.latency.quantile,
            self.latency.of.as_str(),
            show_duration(value),
            counted(count),
            show_duration(self.latency.within),
        )
    }

    /// What the slow checks of a slice bear, since its onset.
    fn marks(&self, slice: usize, since: Timestamp, config: &Config) -> Marks {
        let mut marks = Marks::default();
        for timed in self.window.iter().rev().take_while(|timed| timed.at >= since) {
            let probe = timed.probe;
            if timed.took > self.latency.above
                && self.slices.of(probe).contains(&slice)
                && let Some(asked) = config.probes.get(probe)
            {
                marks.add(asked, timed.class, &config.cohorts);
            }
        }
        marks
    }
}

/// What a quick check takes away from a stretch of slow ones, at the least: a maximum would never end one.
const LEAST_DECAY: u64 = 10_000_000;

/// The share of checks that may be slow.
pub(super) fn allowed(latency: &Latency) -> Ratio {
    Ratio::from_ppm(Ratio::ONE.ppm() - latency.quantile.ppm())
}

fn counted(checks: impl Into<u64>) -> String {
    let checks = checks.into();
    format!("{checks} check{}", if checks == 1 { "" } else { "s" })
}
