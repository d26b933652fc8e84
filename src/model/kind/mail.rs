//! The mail kind.

use std::time::Duration;

use super::MailHost;

/// What its expectations can look at.
pub const VARIABLES: &[&str] = &["subject", "body", "headers", "auth", "size", "delay", "timing", "address"];

/// A mail that is sent, here or elsewhere, and must arrive.
#[derive(Clone, Debug)]
pub struct MailTarget {
    /// How it is sent; nothing where another system sends it.
    pub send: Option<MailSend>,
    /// The IMAP server where it arrives.
    pub inbox: MailHost,
    /// The mailbox there.
    pub mailbox: String,
    /// What must be in the subject of a mail that another system sends.
    pub subject: Option<String>,
    /// What must be in its From.
    pub from: Option<String>,
    /// How long it may take after it was accepted; nine tenths of the probe's timeout unless given.
    pub within: Option<Duration>,
}

impl MailTarget {
    /// `smtp://mail.example.com:25 to imaps://imap.example.com:993`.
    pub(super) fn show(&self) -> String {
        let inbox = self.inbox.show("imap");
        match &self.send {
            Some(send) => format!("{} to {inbox}", send.server.show("smtp")),
            None => inbox,
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
