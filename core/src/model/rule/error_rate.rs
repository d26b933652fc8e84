//! The share of bad checks in a sliding window.

use std::time::Duration;

use super::Judgement;
use super::bad::Bad;
use crate::model::id::LabelName;
use crate::model::unit::{Ratio, show_duration};

/// The share of bad checks in a sliding window.
#[derive(Clone, Debug)]
pub struct ErrorRate {
    /// What counts as bad.
    pub bad: Bad,
    /// Breached when the share of bad checks is more than this.
    pub above: Ratio,
    /// The length of the window.
    pub within: Duration,
    /// ... and at least so many checks were bad.
    pub at_least: u32,
    /// Judged for the whole, and for each value and each combination of values of these labels.
    pub per: Vec<LabelName>,
    /// When a breach is over.
    pub clear: Clear,
}

/// When a breach of an error-rate rule is over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Clear {
    /// The share of bad checks is less than this ...
    pub below: Ratio,
    /// ... for so long.
    pub hold: Duration,
}

impl Judgement for ErrorRate {
    fn describe(&self) -> String {
        format!("above {} within {}, at least {}", self.above, show_duration(self.within), self.at_least)
    }

    fn patience(&self) -> &'static str {
        "a longer `within`, or a higher `above` or `at_least`"
    }

    fn bad(&self) -> Option<&Bad> {
        Some(&self.bad)
    }

    fn least_bad(&self) -> Option<(u32, Duration)> {
        Some((self.at_least, self.within))
    }

    fn spans(&mut self) -> Vec<&mut Duration> {
        vec![&mut self.within, &mut self.clear.hold]
    }
}
