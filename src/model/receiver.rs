//! Receivers: who is told, and by what way.

use std::time::Duration;

use bytes::Bytes;
use secrecy::SecretString;

use super::id::ReceiverId;

/// Who is told.
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
