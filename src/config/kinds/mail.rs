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
use crate::model::{MailDelivery, MailSend, MailTarget};

pub(in crate::config) const KEYS: &[&str] = &["send", "receive", "mailbox", "subject", "from", "within"];
pub(in crate::config) const SEND_KEYS: &[&str] = &["to", "encryption", "tls", "auth", "helo", "sender", "recipient"];
pub(in crate::config) const RECEIVE_KEYS: &[&str] = &["to", "encryption", "tls", "auth", "mailbox"];

/// A round trip whose labels are still open.
pub(in crate::config) struct MailShape {
    delivery: DeliveryShape,
    within: Option<Duration>,
}

enum DeliveryShape {
    ToUs(Box<SendShape>),
    ToMailbox(Box<ToMailboxShape>),
}

struct ToMailboxShape {
    send: Option<SendShape>,
    inbox: MailHostShape,
    mailbox: Option<Template>,
    subject: Option<Template>,
    from: Option<Template>,
}

struct SendShape {
    server: MailHostShape,
    helo: Option<Template>,
    sender: Template,
    recipient: Template,
}

pub(super) fn read(reader: &mut Reader<'_>, entry: Entry<'_>, around: &mut Around<'_>) -> Option<MailShape> {
    let table = reader.table(entry, KEYS, "write `mail: {send: {to: …}, receive: {to: …}}`")?;
    let own = table.get("mailbox").map(|entry| own_address(reader, entry, around));
    let comes_here = own.is_some();
    let send = table.get("send").map(|entry| send(reader, entry, own, around));
    let subject = optional(reader, &table, "subject", around);
    let from = optional(reader, &table, "from", around);
    let within = table.get("within").map(|entry| within(reader, entry, around).map(Some));
    let sound = which(reader, &table);
    let receive = match table.get("receive") {
        Some(entry) => receive(reader, entry, around).map(Some),
        None if comes_here => Some(None),
        None => {
            let remedy = "say where it arrives: `receive: {to: \"imap.example.com:993\", auth: …}`, or `mailbox: …`";
            reader.need(&table, "receive", remedy).and(None)
        }
    };
    sound?;
    let delivery = match (send, receive?) {
        (Some(send), None) => DeliveryShape::ToUs(Box::new(send?)),
        (send, Some((inbox, mailbox))) => {
            let send = given_or(send.map(|send| send.map(Some)), None)?;
            let (subject, from) = (subject?, from?);
            DeliveryShape::ToMailbox(Box::new(ToMailboxShape { send, inbox, mailbox, subject, from }))
        }
        (None, None) => return None,
    };
    Some(MailShape { delivery, within: given_or(within, None)? })
}

/// The address that those of the checks are made of, for the labels that are known now.
pub(super) fn own_address(reader: &mut Reader<'_>, entry: Entry<'_>, around: &Around<'_>) -> Option<Template> {
    let base = reader.template(entry, around.given)?;
    if around.given.all {
        address(reader, &base, &around.given.labels)?;
    }
    Some(base)
}

/// Which mail is waited for is said by what sends it: here it is ours, and elsewhere `subject` or `from` tell it. It arrives
/// by `receive`, or by `mailbox` where it is ours.
fn which(reader: &mut Reader<'_>, table: &Table<'_>) -> Option<()> {
    let said = table.get("subject").or_else(|| table.get("from"));
    let (at, fault, remedy) = match (table.get("send"), table.get("mailbox"), said) {
        (_, Some(entry), _) if table.get("receive").is_some() => {
            (entry.at, "`receive` and `mailbox` both say where the mail arrives".to_owned(), "remove one of the two")
        }
        (None, Some(entry), _) => {
            let fault = "`mailbox` is where a mail of our own comes, and there is no `send`";
            (entry.at, fault.into(), "add `send`; a mail that the service sends is for a flow with a mail step")
        }
        (Some(_), _, Some(entry)) => {
            let fault = format!("`{}` means nothing with `send`: the mail that was sent is waited for", entry.name);
            (entry.at, fault, "remove one of the two")
        }
        (None, None, None) => {
            let fault = "nothing says which mail is waited for";
            (table.at, fault.into(), "add `subject` or `from`, or `send` for a mail of our own")
        }
        _ => return Some(()),
    };
    reader.fault(at, fault, remedy);
    None
}

/// `own` is what the addresses of the checks are made of, where the mail comes to us.
fn send(
    reader: &mut Reader<'_>,
    entry: Entry<'_>,
    own: Option<Option<Template>>,
    around: &mut Around<'_>,
) -> Option<SendShape> {
    let table = reader.table(entry, SEND_KEYS, "write `send: {to: \"mail.example.com:587\", sender: …}`")?;
    let server = mail_host::read(reader, &table, "mail.example.com:587", around);
    let helo = optional(reader, &table, "helo", around);
    let sender = reader
        .need(&table, "sender", "say who it is from: `sender: probe@example.com`")
        .and_then(|entry| reader.template(entry, around.given));
    let recipient = match (own, table.get("recipient")) {
        (None, _) => reader
            .need(&table, "recipient", "say who it is for: `recipient: inbox@example.com`")
            .and_then(|entry| reader.template(entry, around.given)),
        (Some(own), None) => own,
        (Some(_), Some(entry)) => {
            let fault = "`recipient` means nothing with `mailbox`: each check sends to an address of its own";
            reader.fault(entry.at, fault, "remove one of the two");
            None
        }
    };
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
        match &self.delivery {
            DeliveryShape::ToUs(send) => send.server.skips_verification(),
            DeliveryShape::ToMailbox(to) => {
                let sending = to.send.as_ref().is_some_and(|send| send.server.skips_verification());
                sending || to.inbox.skips_verification()
            }
        }
    }

    /// The round trip for these labels.
    pub(super) fn fill(&self, reader: &mut Reader<'_>, values: &Values<'_>) -> Option<MailTarget> {
        let delivery = match &self.delivery {
            DeliveryShape::ToUs(send) => MailDelivery::ToUs(send.fill(reader, values)?),
            DeliveryShape::ToMailbox(to) => {
                let send = match &to.send {
                    Some(send) => Some(send.fill(reader, values)?),
                    None => None,
                };
                let mut part = |template: &Option<Template>, what| match template {
                    Some(template) => quotable(reader, template, what, values).map(Some),
                    None => Some(None),
                };
                let (mailbox, subject, from) =
                    (part(&to.mailbox, "mailbox"), part(&to.subject, "subject"), part(&to.from, "from"));
                MailDelivery::ToMailbox {
                    send,
                    inbox: to.inbox.fill(reader, values)?,
                    mailbox: mailbox?.unwrap_or_else(|| INBOX.into()),
                    subject: subject?,
                    from: from?,
                }
            }
        };
        Some(MailTarget { delivery, within: self.within })
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
