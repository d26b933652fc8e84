//! What counts as bad.

use crate::model::condition::Condition;
use crate::model::outcome::FailureClass;

/// What counts as bad.
#[derive(Clone, Debug)]
pub enum Bad {
    /// Every failed check.
    Failed,
    /// Checks that failed in this way: `failure == "not_found"`.
    Class(FailureClass),
    /// Checks of which this holds.
    When(Condition),
}

impl Bad {
    /// What a condition may name: `failure` (text, empty for a success), `status` (number, 0 when there was none),
    /// `component`, `probe`, `kind` (texts), `labels` (by name) and `timing` (`dns`, `connect`, `tls`, `first_byte`,
    /// `transfer`, `total`).
    pub const VARIABLES: [&str; 7] = ["failure", "status", "component", "probe", "kind", "labels", "timing"];
}
