//! Notifications: messages owed to receivers. Each is a row before it is sent.

use super::destination::Destination;
use super::id::{IncidentId, NotificationId, ReceiverId};
use super::receiver::email::MailMessage;
use super::unit::Timestamp;

/// One message owed to one receiver.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Notification {
    /// Derived from the incident, the event that caused it and the receiver.
    pub id: NotificationId,
    /// The incident that it tells of.
    pub incident: IncidentId,
    /// Who is notified.
    pub receiver: ReceiverId,
    /// What kind of news it is.
    pub kind: NotificationKind,
    /// Why this receiver is told this, now, in one sentence.
    pub reason: String,
    /// Since when it is owed.
    pub owed: Timestamp,
    /// What is said.
    pub message: Message,
    /// Where it goes: to each by a delivery of its own.
    pub destinations: Vec<Destination>,
}

/// A message that did not reach one of its destinations, and never will.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Undelivered {
    /// The incident that it told of.
    pub incident: IncidentId,
    /// Which message.
    pub notification: NotificationId,
    /// Who was to be notified.
    pub receiver: ReceiverId,
    /// Where it went.
    pub address: String,
    /// What the other side said.
    pub why: String,
}

/// What kind of news a notification brings.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum NotificationKind {
    /// An incident was opened.
    Opened,
    /// It has become worse: graver, or it has spread.
    Worsened,
    /// It is still open and nobody acknowledged it.
    Reminder,
    /// It is over.
    Resolved,
    /// It was over, and has come back.
    Reopened,
    /// It is known better how far it reached from its start.
    Updated,
}

impl NotificationKind {
    /// All kinds, in the order of their codes.
    pub const ALL: [Self; 6] =
        [Self::Opened, Self::Worsened, Self::Reminder, Self::Resolved, Self::Reopened, Self::Updated];

    /// The name in APIs and listings.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Worsened => "worsened",
            Self::Reminder => "reminder",
            Self::Resolved => "resolved",
            Self::Reopened => "reopened",
            Self::Updated => "updated",
        }
    }
}

/// What is said, worded once when it becomes owed, so that a retry says the same. Each kind of receiver has words of its
/// own: by what they are worded for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Message {
    /// For receivers of mail.
    Mail(MailMessage),
}

impl Message {
    /// What it is, for people: a mail.
    #[must_use]
    pub fn form(&self) -> &'static str {
        match self {
            Self::Mail(_) => "mail",
        }
    }

    /// What it says, in one line: for lists.
    #[must_use]
    pub fn title(&self) -> &str {
        match self {
            Self::Mail(mail) => &mail.subject,
        }
    }

    /// What it says, as plain text.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Mail(mail) => &mail.text,
        }
    }
}
