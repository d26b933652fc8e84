//! `imap`: a mail server is greeted, and a mailbox is looked into.

use super::Around;
use super::mail_host::{self, MailHostShape};
use super::smtp::optional;
use crate::config::reader::{Entry, Reader};
use crate::config::text::{Template, Values, as_it_is};
use crate::model::ImapTarget;

pub(in crate::config) const KEYS: &[&str] = &["to", "encryption", "tls", "auth", "mailbox"];

/// The mailbox that every user has (RFC 9051, section 5.1).
pub(super) const INBOX: &str = "INBOX";

/// A look whose labels are still open.
pub(in crate::config) struct ImapShape {
    server: MailHostShape,
    mailbox: Option<Template>,
}

pub(super) fn read(reader: &mut Reader<'_>, entry: Entry<'_>, around: &mut Around<'_>) -> Option<ImapShape> {
    let table = reader.table(entry, KEYS, "write `imap: {to: \"imap.example.com:993\"}`")?;
    let server = mail_host::read(reader, &table, "imap.example.com:993", around);
    let mailbox = optional(reader, &table, "mailbox", around);
    let server = server?;
    if let Some(entry) = table.get("mailbox").filter(|_| !server.logs_in()) {
        reader.fault(entry.at, "`mailbox` means nothing without `auth`", "add `auth`, or remove it");
        return None;
    }
    Some(ImapShape { server, mailbox: mailbox? })
}

/// A text that stands in quotes in a command: printable ASCII.
pub(super) fn quotable(reader: &mut Reader<'_>, text: &Template, what: &str, values: &Values<'_>) -> Option<String> {
    let filled = text.fill(values, as_it_is);
    if filled.is_empty() || !filled.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
        let fault = format!("`{what}` is empty or has letters beyond ASCII");
        reader.fault(text.place, fault, "use letters, digits and signs of ASCII");
        return None;
    }
    Some(filled)
}

impl ImapShape {
    pub(super) fn skips_verification(&self) -> bool {
        self.server.skips_verification()
    }

    /// The look for these labels.
    pub(super) fn fill(&self, reader: &mut Reader<'_>, values: &Values<'_>) -> Option<ImapTarget> {
        let server = self.server.fill(reader, values)?;
        let mailbox = match &self.mailbox {
            Some(template) => Some(quotable(reader, template, "mailbox", values)?),
            None => server.login.as_ref().map(|_| INBOX.to_owned()),
        };
        Some(ImapTarget { server, mailbox })
    }
}
