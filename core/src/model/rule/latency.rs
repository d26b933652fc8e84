//! A quantile of how long checks take, in a sliding window.

use std::time::Duration;

use super::Judgement;
use crate::model::id::LabelName;
use crate::model::result::Phase;
use crate::model::unit::{Ratio, show_duration};

/// A quantile of how long checks take, in a sliding window.
///
/// The quantile is that of the nearest rank: of n values in ascending order, the one with the number ceil(q * n)
/// (R. J. Hyndman, Y. Fan, "Sample quantiles in statistical packages", The American Statistician 50, 1996, type 1).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Latency {
    /// Which quantile; more than 0%.
    pub quantile: Ratio,
    /// Of what.
    pub of: Phase,
    /// Breached when the quantile is more than this.
    pub above: Duration,
    /// The length of the window.
    pub within: Duration,
    /// ... and at least so many checks had the phase.
    pub at_least: u32,
    /// Judged for the whole, and for each value and each combination of values of these labels.
    pub per: Vec<LabelName>,
    /// A breach is over when the quantile is less than this ...
    pub below: Duration,
    /// ... for so long.
    pub hold: Duration,
}

impl Judgement for Latency {
    fn describe(&self) -> String {
        format!(
            "{} quantile of {} above {} within {}, at least {} checks",
            self.quantile,
            self.of.as_str(),
            show_duration(self.above),
            show_duration(self.within),
            self.at_least,
        )
    }

    fn patience(&self) -> &'static str {
        "a longer `within`, or a higher `above` or `at_least`"
    }

    fn spans(&mut self) -> Vec<&mut Duration> {
        vec![&mut self.within, &mut self.hold]
    }
}
