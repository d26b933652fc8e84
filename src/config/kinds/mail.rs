//! `mail`: a mail is sent, here or elsewhere, and must arrive.

use std::time::Duration;

use super::imap::{INBOX, quotable};
use super::mail_host::{self, MailHostShape};
use super::smtp::{address, helo, optional};
use super::{Around, given_or};
use crate::config::reader::{Entry, Reader, Table};
use crate::config::text::{Template, Values};
use crate::config::words::seconds;
use crate::model::unit::show_duration;
use crate::model::{MailSend, MailTarget};

pub(in crate::config) const KEYS: &[&str] = &["send", "receive", "subject", "from", "within"];
pub(in crate::config) const SEND_KEYS: &[&str] = &["to", "encryption", "tls", "auth", "helo", "sender", "recipient"];
pub(in crate::config) const RECEIVE_KEYS: &[&str] = &["to", "encryption", "tls", "auth", "mailbox"];

/// A round trip whose labels are still open.
pub(in crate::config) struct MailShape {
    send: Option<SendShape>,
    inbox: MailHostShape,
    mailbox: Option<Template>,
    subject: Option<Template>,
    from: Option<Template>,
    within: Option<Duration>,
}

struct SendShape {
    server: MailHostShape,
    helo: Option<Template>,
    sender: Template,
    recipient: Template,
}

pub(super) fn read(reader: &mut Reader<'_>, entry: Entry<'_>, around: &mut Around<'_>) -> Option<MailShape> {
    let table = reader.table(entry, KEYS, "write `mail: {send: {to: …}, receive: {to: …}}`")?;
    let send = table.get("send").map(|entry| send(reader, entry, around).map(Some));
    let receive = reader
        .need(&table, "receive", "say where it arrives: `receive: {to: \"imap.example.com:993\", auth: …}`")
        .and_then(|entry| receive(reader, entry, around));
    let subject = optional(reader, &table, "subject", around);
    let from = optional(reader, &table, "from", around);
    let within = table.get("within").map(|entry| within(reader, entry, around).map(Some));
    let sound = which(reader, &table);
    let (inbox, mailbox) = receive?;
    sound?;
    Some(MailShape {
        send: given_or(send, None)?,
        inbox,
        mailbox,
        subject: subject?,
        from: from?,
        within: given_or(within, None)?,
    })
}

/// Which mail is waited for is said by what sends it: here it is ours, and elsewhere `subject` or `from` tell it.
fn which(reader: &mut Reader<'_>, table: &Table<'_>) -> Option<()> {
    let said = table.get("subject").or_else(|| table.get("from"));
    match (table.get("send"), said) {
        (Some(_), Some(entry)) => {
            let fault = format!("`{}` means nothing with `send`: the mail that was sent is waited for", entry.name);
            reader.fault(entry.at, fault, "remove one of the two");
            None
        }
        (None, None) => {
            let remedy = "add `subject` or `from`, or `send` for a mail of our own";
            reader.fault(table.at, "nothing says which mail is waited for", remedy);
            None
        }
        _ => Some(()),
    }
}

fn send(reader: &mut Reader<'_>, entry: Entry<'_>, around: &mut Around<'_>) -> Option<SendShape> {
    let table = reader.table(entry, SEND_KEYS, "write `send: {to: \"mail.example.com:587\", sender: …}`")?;
    let server = mail_host::read(reader, &table, "mail.example.com:587", around);
    let helo = optional(reader, &table, "helo", around);
    let mut part = |name, remedy| {
        let entry = reader.need(&table, name, remedy)?;
        reader.template(entry, around.given)
    };
    let sender = part("sender", "say who it is from: `sender: probe@example.com`");
    let recipient = part("recipient", "say who it is for: `recipient: inbox@example.com`");
    Some(SendShape { server: server?, helo: helo?, sender: sender?, recipient: recipient? })
}

fn receive(
    reader: &mut Reader<'_>,
    entry: Entry<'_>,
    around: &mut Around<'_>,
) -> Option<(MailHostShape, Option<Template>)> {
    let table = reader.table(entry, RECEIVE_KEYS, "write `receive: {to: \"imap.example.com:993\", auth: …}`")?;
    let server = mail_host::read(reader, &table, "imap.example.com:993", around);
    let mailbox = optional(reader, &table, "mailbox", around);
    let auth = reader.need(&table, "auth", "say whose mailbox it is: `auth: {user: …, password: …}`");
    Some((server.filter(|_| auth.is_some())?, mailbox?))
}

/// Shorter than the probe's timeout, else it could not be told from one.
fn within(reader: &mut Reader<'_>, entry: Entry<'_>, around: &Around<'_>) -> Option<Duration> {
    let within = reader.duration(entry, Duration::from_millis(100), seconds(86_400))?;
    let Some(timeout) = around.timeout.filter(|timeout| within >= *timeout) else { return Some(within) };
    let (within, timeout) = (show_duration(within), show_duration(timeout));
    let fault = format!("`within` is {within}, and the check may take {timeout} in all");
    reader.fault(entry.node.place, fault, "give the probe a longer `timeout`, or make this shorter");
    None
}

impl MailShape {
    pub(super) fn skips_verification(&self) -> bool {
        self.inbox.skips_verification() || self.send.as_ref().is_some_and(|send| send.server.skips_verification())
    }

    /// The round trip for these labels.
    pub(super) fn fill(&self, reader: &mut Reader<'_>, values: &Values<'_>) -> Option<MailTarget> {
        let send = match &self.send {
            Some(send) => Some(send.fill(reader, values)?),
            None => None,
        };
        let mut part = |template: &Option<Template>, what| match template {
            Some(template) => quotable(reader, template, what, values).map(Some),
            None => Some(None),
        };
        let (mailbox, subject, from) =
            (part(&self.mailbox, "mailbox"), part(&self.subject, "subject"), part(&self.from, "from"));
        Some(MailTarget {
            send,
            inbox: self.inbox.fill(reader, values)?,
            mailbox: mailbox?.unwrap_or_else(|| INBOX.into()),
            subject: subject?,
            from: from?,
            within: self.within,
        })
    }
}

impl SendShape {
    fn fill(&self, reader: &mut Reader<'_>, values: &Values<'_>) -> Option<MailSend> {
        let server = self.server.fill(reader, values)?;
        let helo = match &self.helo {
            Some(template) => Some(helo(reader, template, values)?),
            None => None,
        };
        let sender = address(reader, &self.sender, values)?;
        let recipient = address(reader, &self.recipient, values)?;
        Some(MailSend { server, helo, sender, recipient })
    }
}
