//! Receivers: who is notified, and by what way. Each way is a kind with a file of its own; what all kinds must say of
//! themselves stands here, one arm for each.

pub mod email;

use std::time::Duration;

use super::destination::Destination;
use super::id::ReceiverId;
use email::EmailReceiver;

/// Who is notified.
#[derive(Clone, Debug)]
pub struct Receiver {
    /// Its id in the config.
    pub id: ReceiverId,
    /// The way that messages take.
    pub kind: ReceiverKind,
    /// How often an incident that nobody acknowledged is told again; never unless given.
    pub remind: Option<Duration>,
}

/// The ways that messages take.
#[derive(Clone, Debug)]
pub enum ReceiverKind {
    /// Mail by SMTP.
    Email(EmailReceiver),
}

/// How the pauses between attempts to deliver grow: doubled each time up to a longest one, for a time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Backoff {
    /// The pause after the first attempt.
    pub first: Duration,
    /// The longest pause.
    pub longest: Duration,
    /// How long after it became owed a delivery is tried for the last time.
    pub give_up_after: Duration,
}

impl ReceiverKind {
    /// The kind's name, as the config has it.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Email(_) => "email",
        }
    }

    /// Where a message to this receiver goes. Each destination has a delivery of its own, so that one that fails does
    /// not hold up the others.
    #[must_use]
    pub fn destinations(&self) -> Vec<Destination> {
        match self {
            Self::Email(email) => email.destinations(),
        }
    }

    /// When a delivery to this receiver that failed is retried.
    #[must_use]
    pub fn backoff(&self) -> Backoff {
        match self {
            Self::Email(_) => EmailReceiver::BACKOFF,
        }
    }
}
