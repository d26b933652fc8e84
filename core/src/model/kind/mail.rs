//! The mail kind.

use std::time::Duration;

use super::{MailHost, Target, TlsOptions};

/// What its expectations can look at.
pub const VARIABLES: &[&str] = &["subject", "body", "headers", "auth", "size", "delay", "timing", "address"];

/// A mail that is sent, here or elsewhere, and must arrive.
#[derive(Clone, Debug)]
pub struct MailTarget {
    /// Which mail, and where it arrives.
    pub delivery: MailDelivery,
    /// How long it may take after it was accepted; nine tenths of the probe's timeout unless given.
    pub within: Option<Duration>,
}

impl Target for MailTarget {
    fn name(&self) -> &'static str {
        "mail"
    }

    fn host(&self) -> &str {
        &self.server().host
    }

    /// `smtp://mail.example.com:25 to imaps://imap.example.com:993`.
    fn request(&self) -> String {
        match &self.delivery {
            MailDelivery::ToUs(send) => format!("{} to {}", send.server.show("smtp"), send.recipient),
            MailDelivery::ToMailbox { send: Some(send), inbox, .. } => {
                format!("{} to {}", send.server.show("smtp"), inbox.show("imap"))
            }
            MailDelivery::ToMailbox { send: None, inbox, .. } => inbox.show("imap"),
        }
    }

    fn tls(&self) -> Option<&TlsOptions> {
        self.server().tls()
    }
}

/// Which mail is waited for, and where.
#[derive(Clone, Debug)]
pub enum MailDelivery {
    /// One that we send, and that comes to where Tripline takes mail itself: at an address of each check's own, made of the
    /// recipient's.
    ToUs(MailSend),
    /// One that arrives in a mailbox.
    ToMailbox {
        /// How it is sent; nothing where another system sends it.
        send: Option<MailSend>,
        /// The IMAP server where it arrives.
        inbox: MailHost,
        /// The mailbox there.
        mailbox: String,
        /// What must be in the subject of a mail that another system sends.
        subject: Option<String>,
        /// What must be in its From.
        from: Option<String>,
    },
}

impl MailTarget {
    /// The server that is asked first of what is said of it: the one that takes the mail, or that of the mailbox.
    fn server(&self) -> &MailHost {
        match &self.delivery {
            MailDelivery::ToUs(send) | MailDelivery::ToMailbox { send: Some(send), .. } => &send.server,
            MailDelivery::ToMailbox { send: None, inbox, .. } => inbox,
        }
    }
}

/// How a mail is sent.
#[derive(Clone, Debug)]
pub struct MailSend {
    /// The SMTP server.
    pub server: MailHost,
    /// What we call ourselves; our address in brackets unless given.
    pub helo: Option<String>,
    /// Who it is from.
    pub sender: String,
    /// Who it is for.
    pub recipient: String,
}
