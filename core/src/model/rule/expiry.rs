//! A certificate that expires soon.

use std::time::Duration;

use super::Judgement;
use crate::model::unit::show_duration;

/// A certificate that expires soon.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Expiry {
    /// Breached when a shown certificate lasts no longer than this.
    pub within: Duration,
}

/// A certificate's days stay days, however often it is looked at: it has no spans.
impl Judgement for Expiry {
    fn describe(&self) -> String {
        format!("certificate expires within {}", show_duration(self.within))
    }

    fn patience(&self) -> &'static str {
        "a shorter `expires_within`"
    }
}
