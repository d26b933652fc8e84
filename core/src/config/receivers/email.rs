//! `email`: by mail, through a mail server that takes ours.

use lettre::message::Mailbox;

use super::{Kind, Way};
use crate::config::raw::keyed::keyed;
use crate::config::reader::{Entry, Reader};
use crate::config::{smtp, tls};
use crate::model::{EmailReceiver, MailAddress, ReceiverKind, SmtpSecurity};

keyed! {
    /// By mail.
    pub struct Email {
        /// `Name <user@example.com>` or `user@example.com`.
        pub from: String,
        /// Addresses, each of which gets its own delivery.
        #[schemars(length(min = 1))]
        pub to: Vec<String>,
        /// `smtps://user:password@host:465` (TLS), `smtp://host:587` (STARTTLS) or `smtp://host:25?tls=none`.
        pub smtp: String,
        /// How the mail server's certificate is judged.
        pub tls: Option<EmailTls>,
    }
}

keyed! {
    /// How the mail server's certificate is judged.
    pub struct EmailTls {
        /// A PEM file of certificates to trust instead of the system's.
        pub ca_file: Option<String>,
    }
}

pub(super) const KIND: Kind = Kind { read };

fn read(reader: &mut Reader<'_>, entry: Entry<'_>) -> Option<Way> {
    let table = reader.table(entry, Email::KEYS, "write `email: {from: …, to: […], smtp: …}`")?;
    let from = reader
        .need(&table, "from", "say who it is from: `from: \"Tripline <tripline@example.com>\"`")
        .and_then(|entry| address(reader, entry));
    let to =
        reader.need(&table, "to", "say whom to tell: `to: [oncall@example.com]`").and_then(|entry| to(reader, entry));
    let server = reader
        .need(&table, "smtp", "say which server takes it: `smtp: \"smtps://user:password@mail.example.com\"`")
        .and_then(|entry| smtp::server(reader, entry));
    let ca = table.get("tls").map(|entry| {
        let table = reader.table(entry, EmailTls::KEYS, "write `tls: {ca_file: ca.pem}`")?;
        table.get("ca_file").map(|entry| tls::certificates(reader, entry))
    });
    let mut smtp = server?;
    if let Some(Some(ca)) = ca {
        smtp.ca = Some(ca?);
    }
    let unprotected = smtp.security == SmtpSecurity::Plain && !smtp::is_loopback(&smtp.host);
    let warning = unprotected.then_some("sends mail unprotected: `tls=none` is set");
    Some(Way { kind: ReceiverKind::Email(EmailReceiver { from: from?, to: to?, smtp }), warning })
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
