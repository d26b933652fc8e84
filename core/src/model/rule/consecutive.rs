//! So many failures of one probe in a row.

use std::time::Duration;

use super::Judgement;
use super::bad::Bad;

/// So many failures of one probe in a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Consecutive {
    /// How many.
    pub count: u32,
    /// A breach is over when the probe has not failed for so long, and succeeded at least once.
    pub clear_after: Duration,
}

impl Judgement for Consecutive {
    fn describe(&self) -> String {
        format!("{} in a row", self.count)
    }

    fn patience(&self) -> &'static str {
        "a higher `consecutive`"
    }

    fn bad(&self) -> Option<&Bad> {
        Some(&Bad::Failed)
    }

    fn spans(&mut self) -> Vec<&mut Duration> {
        vec![&mut self.clear_after]
    }
}
