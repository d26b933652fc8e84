//! Mail by SMTP: from whom, to whom, by which server, and what is said.

use std::time::Duration;

use bytes::Bytes;
use secrecy::SecretString;

use super::Backoff;
use crate::model::destination::Destination;

/// Mail by SMTP.
#[derive(Clone, Debug)]
pub struct EmailReceiver {
    /// Who it is from.
    pub from: MailAddress,
    /// Whom it is to. Each address has its own delivery: one that bounces does not hold up the others.
    pub to: Vec<MailAddress>,
    /// The server that takes it.
    pub smtp: SmtpServer,
}

impl EmailReceiver {
    /// After 5 seconds, then doubled up to a quarter of an hour, for one day. RFC 5321, section 4.5.4.1, wants longer
    /// pauses and 4 to 5 days of a relay; an alert is of no use to anybody so late.
    pub const BACKOFF: Backoff = Backoff {
        first: Duration::from_secs(5),
        longest: Duration::from_secs(15 * 60),
        give_up_after: Duration::from_secs(24 * 60 * 60),
    };

    /// Every address that it is to.
    pub(super) fn destinations(&self) -> Vec<Destination> {
        let destination = |to: &MailAddress| Destination { name: to.name.clone(), address: to.address.clone() };
        self.to.iter().map(destination).collect()
    }
}

/// What is said by mail.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MailMessage {
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

/// `Name <user@host>`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct MailAddress {
    /// The name for people, if one was given.
    pub name: Option<String>,
    /// `user@host`.
    pub address: String,
}

impl std::fmt::Display for MailAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name} <{}>", self.address),
            None => f.write_str(&self.address),
        }
    }
}

/// A mail server that takes our mail.
#[derive(Clone, Debug)]
pub struct SmtpServer {
    /// Its host name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub security: SmtpSecurity,
    /// User and password, if it wants them.
    pub login: Option<(String, SecretString)>,
    /// PEM certificates to trust instead of the system's.
    pub ca: Option<Bytes>,
}

/// How the connection to a mail server is protected.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum SmtpSecurity {
    /// `smtps://`: TLS from the first byte (RFC 8314).
    Implicit,
    /// `smtp://`: TLS after STARTTLS (RFC 3207), refused without.
    StartTls,
    /// `smtp://…?tls=none`: nothing is protected.
    Plain,
}
