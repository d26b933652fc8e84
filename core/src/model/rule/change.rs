//! More checks fail than usually do.

use std::time::Duration;

use super::Judgement;
use super::bad::Bad;
use crate::model::unit::show_duration;

/// More checks of a slice fail than usually do, by so much that it is no accident.
#[derive(Clone, Debug)]
pub struct Change {
    /// What counts as bad.
    pub bad: Bad,
    /// How often it may be wrong, over all its slices together.
    pub false_alarms: FalseAlarms,
    /// A breach is over when no more than usual has failed for so long.
    pub clear_hold: Duration,
}

/// How often a rule may be wrong: `1 per 90d`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FalseAlarms {
    /// So many times ...
    pub count: u32,
    /// ... in so long, on average.
    pub per: Duration,
}

impl Judgement for Change {
    fn describe(&self) -> String {
        let FalseAlarms { count, per } = self.false_alarms;
        let plural = if count == 1 { "" } else { "s" };
        format!("more than usual, with at most {count} false alarm{plural} in {}", show_duration(per))
    }

    fn patience(&self) -> &'static str {
        "fewer `false_alarms`: a longer time after `per`"
    }

    fn bad(&self) -> Option<&Bad> {
        Some(&self.bad)
    }

    fn spans(&mut self) -> Vec<&mut Duration> {
        vec![&mut self.false_alarms.per, &mut self.clear_hold]
    }
}
