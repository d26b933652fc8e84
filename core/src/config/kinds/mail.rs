//! `mail`: a mail is sent, here or elsewhere, and must arrive.

use std::time::Duration;

use super::imap::{INBOX, quotable};
use super::mail_host::MailAuth;
use super::mail_host::{self, MailHostShape};
use super::smtp::{address, helo, optional};
use super::{Around, Kind, Open, Reach, given_or};
use crate::config::raw::keyed::keyed;
use crate::config::raw::word::Word;
use crate::config::reader::{Entry, Reader, Table};
use crate::config::text::{Template, Values};
use crate::config::tls::Tls;
use crate::config::words::seconds;
use crate::model::unit::show_duration;
use crate::model::{self, MailDelivery, MailTarget, ProbeKind, kind};

keyed! {
    /// A mail is sent, here or elsewhere, and must arrive. `{{label}}` is filled in for each probe.
    pub struct Mail {
        /// How we send the mail. Default: another system sends it.
        pub send: Option<MailSend>,
        /// Where it arrives. The mailbox should be the probe's own: what matches is deleted. Default: `mailbox` says it.
        pub receive: Option<MailReceive>,
        /// Instead of receive, with send: it comes to Tripline itself, at an address made of this one. Default: none.
        pub mailbox: Option<String>,
        /// Without send: what must be in the subject, in any case of letters. Default: any.
        pub subject: Option<Word>,
        /// Without send: what must be in From, in any case of letters. Default: any.
        pub from: Option<Word>,
        /// How long it may take from when it was accepted, or from the start of the check; shorter than the probe's timeout.
        /// Default: nine tenths of the timeout.
        pub within: Option<Word>,
    }
}

keyed! {
    /// How a mail is sent.
    pub struct MailSend {
        /// Host and port: `mail.example.com:587`.
        pub to: String,
        /// As in `smtp`. Default: implicit on the ports 465 and 993, else starttls.
        pub encryption: Option<String>,
        /// As in `smtp`. Default: the system's roots.
        pub tls: Option<Tls>,
        /// As in `smtp`. Default: nobody.
        pub auth: Option<MailAuth>,
        /// As in `smtp`. Default: our address in brackets.
        pub helo: Option<Word>,
        /// Who it is from.
        pub sender: String,
        /// Who it is for. Default: with `mailbox`, an address of the check's own.
        pub recipient: Option<String>,
    }
}

keyed! {
    /// Where a mail arrives.
    pub struct MailReceive {
        /// Host and port of an IMAP server: `imap.example.com:993`.
        pub to: String,
        /// As in `imap`. Default: implicit on the ports 465 and 993, else starttls.
        pub encryption: Option<String>,
        /// As in `imap`. Default: the system's roots.
        pub tls: Option<Tls>,
        /// Whose mailbox it is.
        pub auth: MailAuth,
        /// The mailbox. Default: INBOX.
        pub mailbox: Option<Word>,
    }
}

pub(super) const KIND: Kind = Kind { variables: |_| kind::mail::VARIABLES, reach: Reach::TwoServers, read };

/// A round trip whose labels are still open.
struct MailShape {
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

fn read(reader: &mut Reader<'_>, entry: Entry<'_>, around: &mut Around<'_>) -> Option<Box<dyn Open>> {
    let table = reader.table(entry, Mail::KEYS, "write `mail: {send: {to: …}, receive: {to: …}}`")?;
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
    Some(Box::new(MailShape { delivery, within: given_or(within, None)? }))
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
    let table = reader.table(entry, MailSend::KEYS, "write `send: {to: \"mail.example.com:587\", sender: …}`")?;
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
    let table = reader.table(entry, MailReceive::KEYS, "write `receive: {to: \"imap.example.com:993\", auth: …}`")?;
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

impl Open for MailShape {
    fn skips_verification(&self) -> bool {
        match &self.delivery {
            DeliveryShape::ToUs(send) => send.server.skips_verification(),
            DeliveryShape::ToMailbox(to) => {
                let sending = to.send.as_ref().is_some_and(|send| send.server.skips_verification());
                sending || to.inbox.skips_verification()
            }
        }
    }

    fn fill(&self, reader: &mut Reader<'_>, values: &Values<'_>) -> Option<ProbeKind> {
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
        Some(ProbeKind::Mail(Box::new(MailTarget { delivery, within: self.within })))
    }
}

impl SendShape {
    fn fill(&self, reader: &mut Reader<'_>, values: &Values<'_>) -> Option<model::MailSend> {
        let server = self.server.fill(reader, values)?;
        let helo = match &self.helo {
            Some(template) => Some(helo(reader, template, values)?),
            None => None,
        };
        let sender = address(reader, &self.sender, values)?;
        let recipient = address(reader, &self.recipient, values)?;
        Some(model::MailSend { server, helo, sender, recipient })
    }
}
