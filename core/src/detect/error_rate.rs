//! Error rate: the share of bad checks in a sliding window, for each slice of a rule.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::bad;
use super::history::Entry;
use super::onset::Onset;
use super::slices::Slices;
use super::thresholds::{Measure, Measured, Thresholds};
use super::watch::{Kind, Watch};
use crate::config::Config;
use crate::model::unit::{show_about, show_duration};
use crate::model::{CheckResult, ErrorRate, Probe, ProbeIndex, Probes, Ratio, Rule, Timestamp};

impl Kind for ErrorRate {
    fn watch(&self, rule: &Rule, config: &Arc<Config>) -> Box<dyn Watch> {
        let slices = Slices::new(&rule.over, &self.per, &config.probes);
        let counts = vec![Counts::default(); slices.all().len()];
        Box::new(Thresholds::new(rule, config, slices, counts, Share { rate: self.clone(), window: VecDeque::new() }))
    }

    fn lookback(&self, _probes: &Probes) -> Duration {
        self.within.saturating_mul(2).saturating_add(self.clear.hold)
    }

    fn history(&self) -> Duration {
        self.within
    }

    fn is_prompt(&self) -> bool {
        true
    }
}

/// The share of bad checks.
struct Share {
    rate: ErrorRate,
    /// The checks in the window, oldest first.
    window: VecDeque<Entry>,
}

/// The checks in the window.
#[derive(Clone, Copy, Default)]
struct Counts {
    bad: u64,
    looked: u64,
}

/// What a good check takes away, at the least: with a threshold of 0% no stretch would ever end.
const LEAST_DECAY: u64 = 10_000_000;

impl Share {
    fn exceeds(&self, bad: u64, looked: u64) -> bool {
        bad >= u64::from(self.rate.at_least) && self.rate.above.is_exceeded_by(bad, looked)
    }
}

impl Measure for Share {
    type Counts = Counts;
    type Check = Entry;

    fn is_bad(&self, probe: &Probe, result: &CheckResult) -> bool {
        bad::is_bad(&self.rate.bad, probe, result)
    }

    fn counts(&self, entry: &Entry) -> bool {
        bad::counts(&self.rate.bad, entry)
    }

    fn usual(&self) -> Option<Ratio> {
        Some(self.rate.clear.below)
    }

    fn hold(&self) -> Duration {
        self.rate.clear.hold
    }

    fn decay(&self) -> u64 {
        (1_000 * u64::from(self.rate.above.ppm())).max(LEAST_DECAY)
    }

    fn enter(&mut self, entry: &Entry, _result: &CheckResult) -> Option<Entry> {
        self.window.push_back(*entry);
        Some(*entry)
    }

    fn leave(&mut self, now: Timestamp) -> Option<(ProbeIndex, Entry)> {
        let oldest = self.window.pop_front_if(|oldest| oldest.at + self.rate.within < now)?;
        Some((oldest.probe, oldest))
    }

    fn add(&self, counts: &mut Counts, check: Entry, _at: Timestamp) -> bool {
        counts.looked += 1;
        counts.bad += u64::from(check.bad);
        check.bad
    }

    fn remove(&self, counts: &mut Counts, check: Entry) -> bool {
        counts.looked -= 1;
        counts.bad -= u64::from(check.bad);
        counts.bad > 0
    }

    fn is_high(&self, counts: &Counts) -> bool {
        self.exceeds(counts.bad, counts.looked)
    }

    fn is_low(&self, counts: &Counts) -> Option<bool> {
        (counts.looked > 0).then(|| self.rate.clear.below.is_above(counts.bad, counts.looked))
    }

    fn why_high(&self, of: &Measured<'_, Counts>, onset: &Onset, now: Timestamp) -> String {
        // Of a stretch whose beginning was dropped when rules or a start were taken up, the window knows more.
        let seen = if self.exceeds(onset.bad, onset.looked) {
            format!("{} of {} checks bad in {}", onset.bad, onset.looked, show_about(now.since(onset.at)))
        } else {
            let Counts { bad, looked } = of.counts;
            format!("{bad} of {looked} checks bad in the last {}", show_duration(self.rate.within))
        };
        format!(
            "{seen}; the rule: above {} and at least {} within {}",
            self.rate.above,
            self.rate.at_least,
            show_duration(self.rate.within),
        )
    }

    fn why_over(&self, of: &Measured<'_, Counts>) -> String {
        let Counts { bad, looked } = of.counts;
        format!(
            "{bad} of {looked} checks bad in the last {}, below {} for {}",
            show_duration(self.rate.within),
            self.rate.clear.below,
            show_duration(self.rate.clear.hold),
        )
    }
}
