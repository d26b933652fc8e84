//! What came out of the engine of a drill, and when.

use crate::model::{Named, Notification, Timestamp};

/// Something that came out, and when by true time: what the clock would show had it never been set.
#[derive(Clone, PartialEq, Debug)]
pub struct Seen<T> {
    /// By true time. What came out itself bears the wall clock's.
    pub at: Timestamp,
    /// What came out.
    pub what: T,
}

/// A message that became owed.
#[derive(Clone, PartialEq, Debug)]
pub struct Owed {
    /// When, by true time.
    pub at: Timestamp,
    /// The message.
    pub what: Notification,
    /// What it named, as it was sent; nothing where that was not recorded.
    pub named: Option<Named>,
    /// Whether it was refused for good.
    pub refused: bool,
}
