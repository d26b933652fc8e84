//! `receivers`: who is told, and by what way.

use std::collections::BTreeMap;
use std::time::Duration;

use lettre::message::Mailbox;

use super::reader::{Entry, Reader, Table};
use super::words::seconds;
use super::{smtp, tls};
use crate::model::{EmailReceiver, MailAddress, Receiver, ReceiverId, ReceiverKind, SmtpSecurity};

pub(super) const KEYS: &[&str] = &["email", "remind"];
pub(super) const EMAIL_KEYS: &[&str] = &["from", "to", "smtp", "tls"];
pub(super) const EMAIL_TLS_KEYS: &[&str] = &["ca_file"];

const EXAMPLE: &str = "write `oncall: {email: {from: …, to: […], smtp: …}}`";

/// What was found under `receivers`.
#[derive(Default)]
pub(super) struct Found {
    pub(super) receivers: BTreeMap<ReceiverId, Receiver>,
    /// The names of all of them, also of those that have problems.
    pub(super) names: Vec<String>,
}

pub(super) fn read(reader: &mut Reader<'_>, table: &Table<'_>, warnings: &mut Vec<String>) -> Found {
    let mut found = Found::default();
    let entries = table.get("receivers").and_then(|entry| reader.ids(entry, EXAMPLE)).unwrap_or_default();
    if entries.is_empty() {
        warnings.push("there are no receivers: incidents are recorded, and nobody is told".into());
    }
    for entry in entries {
        found.names.push(entry.name.into());
        if let Some(receiver) = receiver(reader, entry) {
            let ReceiverKind::Email(email) = &receiver.kind;
            if email.smtp.security == SmtpSecurity::Plain && !smtp::is_loopback(&email.smtp.host) {
                warnings.push(format!("the receiver {} sends mail unprotected: `tls=none` is set", entry.name));
            }
            found.receivers.insert(receiver.id.clone(), receiver);
        }
    }
    found
}

fn receiver(reader: &mut Reader<'_>, entry: Entry<'_>) -> Option<Receiver> {
    let table = reader.table(entry, KEYS, EXAMPLE)?;
    let remind = table.get("remind").map(|entry| reader.duration(entry, seconds(60), seconds(30 * 86_400)));
    let Some(email) = table.get("email") else {
        let fault = format!("the receiver `{}` has no kind: nothing says how to tell it", entry.name);
        reader.fault(entry.at, fault, "give it `email: {from: …, to: […], smtp: …}`");
        return None;
    };
    let email = self::email(reader, email)?;
    let remind: Option<Duration> = match remind {
        Some(remind) => Some(remind?),
        None => None,
    };
    Some(Receiver { id: entry.name.into(), kind: ReceiverKind::Email(email), remind })
}

fn email(reader: &mut Reader<'_>, entry: Entry<'_>) -> Option<EmailReceiver> {
    let table = reader.table(entry, EMAIL_KEYS, "write `email: {from: …, to: […], smtp: …}`")?;
    let from = reader
        .need(&table, "from", "say who it is from: `from: \"Tripline <tripline@example.com>\"`")
        .and_then(|entry| address(reader, entry));
    let to =
        reader.need(&table, "to", "say whom to tell: `to: [oncall@example.com]`").and_then(|entry| to(reader, entry));
    let server = reader
        .need(&table, "smtp", "say which server takes it: `smtp: \"smtps://user:password@mail.example.com\"`")
        .and_then(|entry| smtp::server(reader, entry));
    let ca = table.get("tls").map(|entry| {
        let table = reader.table(entry, EMAIL_TLS_KEYS, "write `tls: {ca_file: ca.pem}`")?;
        table.get("ca_file").map(|entry| tls::certificates(reader, entry))
    });
    let mut smtp = server?;
    if let Some(Some(ca)) = ca {
        smtp.ca = Some(ca?);
    }
    Some(EmailReceiver { from: from?, to: to?, smtp })
}

fn to(reader: &mut Reader<'_>, entry: Entry<'_>) -> Option<Vec<MailAddress>> {
    let items = reader.list(entry, "name at least one address: `to: [oncall@example.com]`")?;
    let count = items.len();
    let mut addresses: Vec<MailAddress> = Vec::new();
    for item in items {
        let Some(address) = address(reader, item) else { continue };
        if addresses.iter().any(|other| other.address == address.address) {
            reader.fault(item.at, "this address is listed twice", "list it once");
        }
        addresses.push(address);
    }
    (addresses.len() == count).then_some(addresses)
}

/// `Name <user@host>` or `user@host` (RFC 5322, section 3.4); the name may have any letters.
fn address(reader: &mut Reader<'_>, entry: Entry<'_>) -> Option<MailAddress> {
    let text = reader.text(entry)?;
    match text.value.parse::<Mailbox>() {
        Ok(mailbox) if !text.value.contains(char::is_control) => {
            Some(MailAddress { name: mailbox.name, address: mailbox.email.to_string() })
        }
        _ => {
            let fault = format!("`{}` is no mail address", text.show());
            reader.fault(text.place, fault, "write `user@example.com` or `Name <user@example.com>`");
            None
        }
    }
}
