//! Burn rate: how fast an error budget is used up, over a long and a short window, for each slice of a rule.
//!
//! The long window says that it matters, the short one that it goes on ("The Site Reliability Workbook", chapter 5,
//! "Multiwindow, Multi-Burn-Rate Alerts"). Windows last for days, so checks are counted in buckets, not kept.

use std::sync::Arc;
use std::time::Duration;

use super::bad;
use super::buckets::Buckets;
use super::history::Entry;
use super::onset::Onset;
use super::slices::{PerSlice, Slices};
use super::thresholds::{Measure, Measured, Thresholds};
use super::watch::{Kind, Watch};
use crate::config::Config;
use crate::model::unit::show_duration;
use crate::model::{BurnRate, CheckResult, FailureClass, Marks, PerProbe, Probe, Probes, Ratio, Rule, Timestamp};

/// The long window is counted to one part in so many, the short one likewise.
pub(super) const LONG_PARTS: usize = 60;
pub(super) const SHORT_PARTS: usize = 12;

/// How far back the windows are filled again after a restart, at the most: the longest of the usual ones, and the end of
/// a breach of it.
const LONGEST_LOOKBACK: Duration = Duration::from_secs(3 * 86_400 + 6 * 3_600);

/// How much of the past the first finding of a breach looks at, at the most: every check of it is kept.
const LONGEST_HISTORY: Duration = Duration::from_secs(1_800);

impl Kind for BurnRate {
    fn watch(&self, rule: &Rule, config: &Arc<Config>) -> Box<dyn Watch> {
        let slices = Slices::new(&rule.over, &self.per, &config.probes);
        let counts: Vec<Counts> = full(self, &slices, &config.probes)
            .values()
            .map(|&(long, short)| Counts {
                long: Buckets::new(self.long, LONG_PARTS, long),
                short: Buckets::new(self.short, SHORT_PARTS, short),
            })
            .collect();
        let last_bad = config.probes.iter().map(|_| None).collect();
        Box::new(Thresholds::new(rule, config, slices, counts, Burn { rate: self.clone(), last_bad }))
    }

    fn lookback(&self, _probes: &Probes) -> Duration {
        self.long.saturating_add(self.hold).min(LONGEST_LOOKBACK)
    }

    fn history(&self) -> Duration {
        self.short.min(LONGEST_HISTORY)
    }
}

/// How many checks of each slice the full windows hold at the least. A budget is that of the whole window: a daemon that
/// has just begun must not take its first minutes for days. How many checks a calendar makes is not worked out.
fn full(burn: &BurnRate, slices: &Slices, probes: &Probes) -> PerSlice<(u64, u64)> {
    let mut full: PerSlice<(u64, u64)> = slices.all().iter().map(|_| (0, 0)).collect();
    for (index, probe) in probes.indexed() {
        let Some(interval) = probe.interval() else { continue };
        let checks =
            |window: Duration| u64::try_from(window.as_millis() / interval.as_millis().max(1)).unwrap_or(u64::MAX);
        for &slice in slices.of(index) {
            let (long, short) = &mut full[slice];
            *long = long.saturating_add(checks(burn.long - burn.long / 60));
            *short = short.saturating_add(checks(burn.short - burn.short / 12));
        }
    }
    full
}

/// The burn rate over one pair of windows.
struct Burn {
    rate: BurnRate,
    /// For each probe, when a check of it was last bad, and how.
    last_bad: PerProbe<Option<(Timestamp, Option<FailureClass>)>>,
}

struct Counts {
    long: Buckets,
    short: Buckets,
}

impl Measure for Burn {
    type Counts = Counts;
    /// Whether it is bad.
    type Check = bool;

    fn is_bad(&self, probe: &Probe, result: &CheckResult) -> bool {
        bad::is_bad(&self.rate.bad, probe, result)
    }

    fn counts(&self, entry: &Entry) -> bool {
        bad::counts(&self.rate.bad, entry)
    }

    fn hold(&self) -> Duration {
        self.rate.hold
    }

    fn decay(&self) -> u64 {
        self.rate.threshold().max(1)
    }

    fn enter(&mut self, entry: &Entry, _result: &CheckResult) -> Option<bool> {
        if entry.bad {
            self.last_bad[entry.probe] = Some((entry.at, entry.class));
        }
        Some(entry.bad)
    }

    fn add(&self, counts: &mut Counts, bad: bool, at: Timestamp) -> bool {
        counts.long.add(at, bad);
        counts.short.add(at, bad);
        bad
    }

    fn slide(&self, counts: &mut Counts, now: Timestamp) {
        counts.long.slide(now);
        counts.short.slide(now);
    }

    fn is_high(&self, Counts { long, short }: &Counts) -> bool {
        long.bad >= u64::from(self.rate.at_least) && self.exceeds(long) && self.exceeds(short)
    }

    fn is_low(&self, counts: &Counts) -> Option<bool> {
        (counts.short.looked > 0).then(|| !self.exceeds(&counts.short))
    }

    fn why_high(&self, of: &Measured<'_, Counts>, _onset: &Onset, _now: Timestamp) -> String {
        let Counts { long, short } = of.counts;
        format!(
            "burns its error budget {} times too fast in {} and {} times in {}: {} of {} and {} of {} checks bad, \
             of which {} may be; the rule: above {}",
            self.show(long),
            show_duration(self.rate.long),
            self.show(short),
            show_duration(self.rate.short),
            long.bad,
            long.checks(),
            short.bad,
            short.checks(),
            budget(&self.rate),
            show_factor(self.rate.factor),
        )
    }

    fn why_over(&self, of: &Measured<'_, Counts>) -> String {
        let short = &of.counts.short;
        format!(
            "burns its error budget at {} in the last {} ({} of {} checks bad), not above {} for {}",
            self.show(short),
            show_duration(self.rate.short),
            short.bad,
            short.checks(),
            show_factor(self.rate.factor),
            show_duration(self.rate.hold),
        )
    }

    /// Of the short window, each probe by its last bad check.
    fn marks(&self, of: &Measured<'_, Counts>, _onset: Timestamp, now: Timestamp, config: &Config) -> Marks {
        let mut marks = Marks::default();
        for ((index, last), probe) in self.last_bad.indexed().zip(&config.probes) {
            if let Some((at, class)) = last
                && *at + self.rate.short >= now
                && of.slices.of(index).contains(&of.slice)
            {
                marks.add(probe, *class, &config.cohorts);
            }
        }
        marks
    }
}

impl Burn {
    fn exceeds(&self, window: &Buckets) -> bool {
        self.rate.is_exceeded_by(window.bad, window.checks())
    }

    /// The burn rate of a window, to a tenth: `14.4`.
    fn show(&self, window: &Buckets) -> String {
        let allowed = u128::from(budget(&self.rate).ppm()) * u128::from(window.checks());
        let tenths = (u128::from(window.bad) * 10_000_000).checked_div(allowed).unwrap_or_default();
        format!("{}.{}", tenths / 10, tenths % 10)
    }
}

/// The share of checks that the objective allows to be bad.
fn budget(burn: &BurnRate) -> Ratio {
    Ratio::from_ppm(Ratio::ONE.ppm() - burn.objective.ppm())
}

/// A factor as it is written: `14.4`.
fn show_factor(thousandths: u32) -> String {
    (f64::from(thousandths) / 1_000.0).to_string()
}
