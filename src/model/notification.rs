//! Notifications: messages owed to receivers. Each is a row before it is sent.

use super::id::{IncidentId, NotificationId, ReceiverId};
use super::unit::Timestamp;

/// One message owed to one receiver.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Notification {
    /// Derived from the incident, the event that caused it and the receiver.
    pub id: NotificationId,
    /// The incident that it tells of.
    pub incident: IncidentId,
    /// Who is told.
    pub receiver: ReceiverId,
    /// What kind of news it is.
    pub kind: NotificationKind,
    /// Why this receiver is told this, now, in one sentence.
    pub reason: String,
    /// Since when it is owed.
    pub owed: Timestamp,
    /// What is said.
    pub message: Message,
}

/// What kind of news a notification brings.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum NotificationKind {
    /// An incident was opened.
    Opened,
    /// It has become worse.
    Worsened,
    /// It is still open and nobody acknowledged it.
    Reminder,
    /// It is over.
    Resolved,
    /// It was over, and has come back.
    Reopened,
}

impl NotificationKind {
    /// All kinds, in the order of their codes.
    pub const ALL: [Self; 5] = [Self::Opened, Self::Worsened, Self::Reminder, Self::Resolved, Self::Reopened];

    /// The name in APIs and listings.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Worsened => "worsened",
            Self::Reminder => "reminder",
            Self::Resolved => "resolved",
            Self::Reopened => "reopened",
        }
    }
}

/// What is said, worded once when it becomes owed, so that a retry says the same.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// The subject line.
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// The same as HTML.
    pub html: String,
    /// Left side of its Message-ID, the same at every attempt.
    pub id: String,
    /// Left side of the Message-ID of the thread's first message, if this is not the first.
    pub thread: Option<String>,
}
