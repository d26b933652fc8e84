//! Latency: a quantile of how long checks take, in a sliding window, for each slice of a rule.
//!
//! Nothing is sorted while all is well. The q-quantile, by nearest rank, is the value with the number ceil(q * n), so it
//! is more than T exactly when more than (1 - q) * n of the values are: two counts for each slice say it. The quantile
//! itself is worked out only for the words of a breach.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::history::Entry;
use super::onset::Onset;
use super::slices::{SliceIndex, Slices};
use super::thresholds::{Measure, Measured, Thresholds};
use super::watch::{Kind, Watch};
use crate::config::Config;
use crate::model::unit::show_duration;
use crate::model::{
    CheckResult, FailureClass, Latency, Marks, Outcome, Probe, ProbeIndex, Probes, Ratio, Rule, Timestamp,
};

impl Kind for Latency {
    fn watch(&self, rule: &Rule, config: &Arc<Config>) -> Box<dyn Watch> {
        let slices = Slices::new(&rule.over, &self.per, &config.probes);
        let counts = vec![Counts::default(); slices.all().len()];
        let quantile = Quantile { latency: self.clone(), allowed: allowed(self), window: VecDeque::new() };
        Box::new(Thresholds::new(rule, config, slices, counts, quantile))
    }

    fn lookback(&self, _probes: &Probes) -> Duration {
        self.within.saturating_mul(2).saturating_add(self.hold)
    }

    fn history(&self) -> Duration {
        self.within
    }
}

/// A quantile of how long checks take.
struct Quantile {
    latency: Latency,
    /// The share of slow checks that the quantile allows.
    allowed: Ratio,
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

/// The checks in the window.
#[derive(Clone, Copy, Default)]
struct Counts {
    looked: u64,
    /// Those that took longer than the threshold ...
    slow: u64,
    /// ... and those that took at least as long as ends a breach.
    not_quick: u64,
}

/// What a quick check takes away from a stretch of slow ones, at the least: a maximum would never end one.
const LEAST_DECAY: u64 = 10_000_000;

impl Measure for Quantile {
    type Counts = Counts;
    type Check = Timed;

    /// Whether it is slow.
    fn is_bad(&self, _probe: &Probe, result: &CheckResult) -> bool {
        self.took(result).is_some_and(|took| took > self.latency.above)
    }

    /// How long it took is not kept.
    fn counts(&self, _entry: &Entry) -> bool {
        true
    }

    fn hold(&self) -> Duration {
        self.latency.hold
    }

    fn decay(&self) -> u64 {
        (u64::from(self.allowed.ppm()) * 1_000).max(LEAST_DECAY)
    }

    fn enter(&mut self, entry: &Entry, result: &CheckResult) -> Option<Timed> {
        let timed = Timed { at: entry.at, took: self.took(result)?, probe: entry.probe, class: entry.class };
        self.window.push_back(timed);
        Some(timed)
    }

    fn leave(&mut self, now: Timestamp) -> Option<(ProbeIndex, Timed)> {
        let oldest = self.window.pop_front_if(|oldest| oldest.at + self.latency.within < now)?;
        Some((oldest.probe, oldest))
    }

    fn add(&self, counts: &mut Counts, check: Timed, _at: Timestamp) -> bool {
        let slow = check.took > self.latency.above;
        counts.looked += 1;
        counts.slow += u64::from(slow);
        counts.not_quick += u64::from(check.took >= self.latency.below);
        slow
    }

    fn remove(&self, counts: &mut Counts, check: Timed) -> bool {
        counts.looked -= 1;
        counts.slow -= u64::from(check.took > self.latency.above);
        counts.not_quick -= u64::from(check.took >= self.latency.below);
        counts.slow > 0
    }

    fn is_high(&self, counts: &Counts) -> bool {
        counts.looked >= u64::from(self.latency.at_least) && self.allowed.is_exceeded_by(counts.slow, counts.looked)
    }

    fn is_low(&self, counts: &Counts) -> Option<bool> {
        (counts.looked > 0).then(|| !self.allowed.is_exceeded_by(counts.not_quick, counts.looked))
    }

    fn why_high(&self, of: &Measured<'_, Counts>, _onset: &Onset, _now: Timestamp) -> String {
        format!(
            "{}; the rule: above {} in at least {}",
            self.measured(of.slice, of.slices),
            show_duration(self.latency.above),
            counted(self.latency.at_least),
        )
    }

    fn why_over(&self, of: &Measured<'_, Counts>) -> String {
        format!(
            "{}, below {} for {}",
            self.measured(of.slice, of.slices),
            show_duration(self.latency.below),
            show_duration(self.latency.hold),
        )
    }

    fn marks(&self, of: &Measured<'_, Counts>, onset: Timestamp, _now: Timestamp, config: &Config) -> Marks {
        let mut marks = Marks::default();
        for timed in self.window.iter().rev().take_while(|timed| timed.at >= onset) {
            if timed.took > self.latency.above && of.slices.of(timed.probe).contains(&of.slice) {
                marks.add(&config.probes[timed.probe], timed.class, &config.cohorts);
            }
        }
        marks
    }
}

impl Quantile {
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

    /// The quantile as it is, in words.
    fn measured(&self, slice: SliceIndex, slices: &Slices) -> String {
        let ours = self.window.iter().filter(|timed| slices.of(timed.probe).contains(&slice));
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
}

/// The share of checks that may be slow.
pub(super) fn allowed(latency: &Latency) -> Ratio {
    Ratio::from_ppm(Ratio::ONE.ppm() - latency.quantile.ppm())
}

fn counted(checks: impl Into<u64>) -> String {
    let checks = checks.into();
    format!("{checks} check{}", if checks == 1 { "" } else { "s" })
}
