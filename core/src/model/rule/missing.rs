//! A probe of which nothing was seen for too long.

use std::time::Duration;

use super::Judgement;
use crate::model::unit::show_duration;

/// A probe of which nothing was seen for too long.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Missing {
    /// Breached when no check of it has looked for so long.
    pub after: Duration,
}

impl Judgement for Missing {
    fn describe(&self) -> String {
        format!("no check for {}", show_duration(self.after))
    }

    fn patience(&self) -> &'static str {
        "a longer `missing`"
    }

    fn judges_results(&self) -> bool {
        false
    }

    fn spans(&mut self) -> Vec<&mut Duration> {
        vec![&mut self.after]
    }
}
