//! What can be asked of the writer.

use super::action::ActionDone;
use crate::model::{Incident, IncidentEvent, Judged, Notification, Timestamp};

/// What belongs together: all of it is stored, or nothing.
///
/// Events and notifications have ids that are derived from what they are, so storing one again changes nothing.
#[derive(Clone, Debug, Default)]
pub struct Commit {
    /// Results, in the order in which the engine judged them.
    pub results: Vec<Judged>,
    /// What the events make of each incident that they touch: at least these.
    pub incidents: Vec<Incident>,
    /// What happened to incidents.
    pub events: Vec<IncidentEvent>,
    /// Messages that are owed from now on, each to all of its destinations.
    pub notifications: Vec<Notification>,
    /// Actions of operators that were done.
    pub actions_done: Vec<ActionDone>,
}

impl Commit {
    /// Whether there is nothing to store.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.results.is_empty()
            && self.incidents.is_empty()
            && self.events.is_empty()
            && self.notifications.is_empty()
            && self.actions_done.is_empty()
    }
}

/// One delivery: a notification on its way to one destination.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct DeliveryId(pub(super) i64);

impl std::fmt::Display for DeliveryId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// One attempt to deliver.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attempt {
    /// When its outcome was known.
    pub at: Timestamp,
    /// What became of it.
    pub outcome: AttemptOutcome,
}

/// What became of an attempt to deliver, with the receiver's words or ours.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AttemptOutcome {
    /// It was taken.
    Delivered(String),
    /// It failed; it is retried at that time.
    Retry(String, Timestamp),
    /// It failed, and so has the delivery.
    Failed(FailedBecause, String),
}

/// Why a delivery has failed: no other attempt is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FailedBecause {
    /// It was refused for good, or there is no way to deliver it any more.
    Refused,
    /// The time for trying is over.
    GivenUp,
}

impl AttemptOutcome {
    /// What was said: the answer, or what went wrong.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Delivered(text) | Self::Retry(text, _) | Self::Failed(_, text) => text,
        }
    }
}
