//! The baseline: which share of a slice's checks usually fails.

use std::time::Duration;

use crate::model::Timestamp;

/// What is taken for usual at the least; also what a slice without history begins with, unless more is usual overall.
pub(in crate::detect) const FLOOR: f64 = 0.001;
/// What is taken for usual at the most: what fails more than this is broken, and stays so however long it lasts.
pub(in crate::detect) const CAP: f64 = 0.05;

/// What is taken for usual where so much fails by accident.
pub(in crate::detect) fn usual(noise: f64) -> f64 {
    noise.clamp(FLOOR, CAP)
}

/// The prior counts like so many checks. Until as many were seen the baseline is young: what it takes for usual is not
/// known well enough to tell the smallest outages from it.
const PRIOR: f64 = 1_000.0;
/// What was seen so long ago counts for 1/e of what is seen now.
const MEMORY: Duration = Duration::from_secs(86_400);
/// The checks of an outage count for so much of others.
const CAUTION: f64 = 0.1;
/// Counts are folded in so far apart: a hundredth of the memory.
const FOLD_EVERY: Duration = Duration::from_secs(864);

/// The learned share of bad checks of one slice.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Baseline {
    /// Checks and bad checks so far, the older ones counting less.
    looked: f64,
    bad: f64,
    /// Those since they were last folded in.
    new_looked: f64,
    new_bad: f64,
    folded: Timestamp,
}

#[expect(clippy::cast_precision_loss, reason = "counts of checks are far below 2^52")]
impl Baseline {
    /// Learns from checks.
    pub(super) fn learn(&mut self, looked: u64, bad: u64) {
        self.new_looked += looked as f64;
        self.new_bad += bad as f64;
    }

    /// Learns from the checks of an outage, unless little else is known.
    pub(super) fn learn_with_caution(&mut self, looked: u64, bad: u64) {
        if self.is_young() {
            return;
        }
        self.new_looked += CAUTION * looked as f64;
        self.new_bad += CAUTION * (bad as f64).min(CAP * looked as f64);
    }

    /// Whether it is time to fold.
    pub(super) fn is_due(&self, at: Timestamp) -> bool {
        at >= self.folded + FOLD_EVERY
    }

    /// Whether it has seen too little to be relied upon for small outages.
    pub(super) fn is_young(&self) -> bool {
        self.looked < PRIOR
    }

    /// Takes in what was learned since the last time and gives the usual share; `overall` is that of all slices, with
    /// which a slice begins that has seen little.
    pub(super) fn fold(&mut self, at: Timestamp, overall: f64) -> f64 {
        let kept = (-at.since(self.folded).as_secs_f64() / MEMORY.as_secs_f64()).exp();
        self.folded = self.folded.max(at);
        self.looked = self.looked * kept + std::mem::take(&mut self.new_looked);
        self.bad = self.bad * kept + std::mem::take(&mut self.new_bad);
        ((PRIOR * overall + self.bad) / (PRIOR + self.looked)).clamp(FLOOR, CAP)
    }
}
