//! What can be asked of the writer.

use super::action::ActionDone;
use crate::model::{CheckResult, Incident, IncidentEvent, MailAddress, Notification, Timestamp};

/// What belongs together: all of it is stored, or nothing.
///
/// Events and notifications have ids that are derived from what they are, so storing one again changes nothing.
#[derive(Clone, Debug, Default)]
pub struct Commit {
    /// Results, in the order in which the engine took them.
    pub results: Vec<CheckResult>,
    /// What the events make of each incident that they touch: at least these.
    pub incidents: Vec<Incident>,
    /// What happened to incidents.
    pub events: Vec<IncidentEvent>,
    /// Messages that are owed from now on.
    pub notifications: Vec<Owed>,
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

/// A notification and the addresses that it goes to, each with a delivery of its own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Owed {
    /// The notification.
    pub notification: Notification,
    /// Where it goes.
    pub to: Vec<MailAddress>,
}

/// One delivery: a notification on its way to one address.
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

/// What became of an attempt to deliver, with the server's words or ours.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AttemptOutcome {
    /// The mail server has taken it over.
    Accepted(String),
    /// It failed; it is tried again at that time.
    Retry(String, Timestamp),
    /// It was refused for good.
    Refused(String),
    /// It failed, and the time for trying is over.
    GivenUp(String),
}
