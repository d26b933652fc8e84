//! Tripline itself cannot see.

use std::time::Duration;

use super::Judgement;
use crate::model::unit::show_duration;

/// The id of the built-in rule that says that Tripline itself cannot see.
pub const OFFLINE: &str = "offline";

/// After so long without sight, people are told.
pub const TELL_AFTER: Duration = Duration::from_secs(60);

/// What there is to say of the rule that judges no probe.
pub(super) struct Offline;

impl Judgement for Offline {
    fn describe(&self) -> String {
        format!("nothing can be reached for {}", show_duration(TELL_AFTER))
    }

    fn patience(&self) -> &'static str {
        "more `canaries`, at hosts of others"
    }
}
