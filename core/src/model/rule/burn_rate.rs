//! How fast the error budget of an objective is used up.

use std::time::Duration;

use super::Judgement;
use super::bad::Bad;
use crate::model::id::LabelName;
use crate::model::unit::{Ratio, show_duration};

/// How fast the error budget of an objective is used up, judged over one pair of windows.
///
/// The burn rate is the share of bad checks, divided by the share that the objective allows: at 1 the budget lasts
/// exactly as long as the objective's period. From B. Beyer et al., "The Site Reliability Workbook", chapter 5,
/// "Alerting on SLOs". A rule of the config becomes one of these for each of its pairs.
#[derive(Clone, Debug)]
pub struct BurnRate {
    /// What counts as bad.
    pub bad: Bad,
    /// The share of checks that shall be good; less than 100%.
    pub objective: Ratio,
    /// Breached when the burn rate of both windows is more than this, in thousandths.
    pub factor: u32,
    /// The window that tells that it matters.
    pub long: Duration,
    /// The window that tells that it goes on.
    pub short: Duration,
    /// ... and at least so many checks were bad in the long window.
    pub at_least: u32,
    /// Judged for the whole, and for each value and each combination of values of these labels.
    pub per: Vec<LabelName>,
    /// A breach is over when the short window does not exceed the factor for so long.
    pub hold: Duration,
}

impl BurnRate {
    /// The share of bad checks at which the burn rate is the factor, in parts per thousand million; more than that
    /// many when no share reaches it.
    #[must_use]
    pub fn threshold(&self) -> u64 {
        u64::from(Ratio::ONE.ppm() - self.objective.ppm()) * u64::from(self.factor)
    }

    /// Whether so many bad checks of so many burn the budget faster than the factor.
    #[must_use]
    pub fn is_exceeded_by(&self, bad: u64, looked: u64) -> bool {
        u128::from(bad) * 1_000_000_000 > u128::from(self.threshold()) * u128::from(looked)
    }
}

impl Judgement for BurnRate {
    fn describe(&self) -> String {
        format!(
            "burns the budget of {} more than {} times too fast in {} and {}, at least {} bad",
            self.objective,
            f64::from(self.factor) / 1_000.0,
            show_duration(self.long),
            show_duration(self.short),
            self.at_least,
        )
    }

    fn patience(&self) -> &'static str {
        "a higher `at_least`, or longer windows"
    }

    fn bad(&self) -> Option<&Bad> {
        Some(&self.bad)
    }

    fn lingers(&self) -> bool {
        true
    }

    fn spans(&mut self) -> Vec<&mut Duration> {
        vec![&mut self.long, &mut self.short, &mut self.hold]
    }
}
