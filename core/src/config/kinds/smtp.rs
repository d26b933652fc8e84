//! `smtp`: a mail server is greeted, and asked whether it would take a mail.

use super::mail_host::MailAuth;
use super::mail_host::{self, MailHostShape};
use super::{Around, Kind, Open, Reach, given_or};
use crate::config::raw::keyed::keyed;
use crate::config::raw::word::Word;
use crate::config::reader::{Entry, Reader, Table};
use crate::config::text::{Template, Values, as_it_is};
use crate::config::tls::Tls;
use crate::model::{ProbeKind, SmtpTarget, kind};

keyed! {
    /// A mail server is greeted, and asked whether it would take a mail. `{{label}}` is filled in for each probe.
    pub struct Smtp {
        /// Host and port: `mail.example.com:587`.
        pub to: String,
        /// `starttls`: TLS after STARTTLS, which must be offered; `implicit`: TLS from the first byte; `none`. Default:
        /// implicit on the ports 465 and 993, else starttls.
        pub encryption: Option<String>,
        /// How certificates are judged and shown; see TLS options. Default: the system's roots.
        pub tls: Option<Tls>,
        /// Who logs in, by AUTH PLAIN or LOGIN. Without encryption only on loopback. Default: nobody.
        pub auth: Option<MailAuth>,
        /// What we call ourselves in EHLO. Default: our address in brackets.
        pub helo: Option<Word>,
        /// With recipient: who the mail would be from. Default: the null sender, <>.
        pub sender: Option<String>,
        /// Asks whether a mail to this address would be taken, by MAIL and RCPT; none is sent. Default: not asked.
        pub recipient: Option<String>,
    }
}

pub(super) const KIND: Kind = Kind { variables: |_| kind::smtp::VARIABLES, reach: Reach::Server, read };

/// A greeting whose labels are still open.
struct SmtpShape {
    server: MailHostShape,
    helo: Option<Template>,
    sender: Option<Template>,
    recipient: Option<Template>,
}

fn read(reader: &mut Reader<'_>, entry: Entry<'_>, around: &mut Around<'_>) -> Option<Box<dyn Open>> {
    let table = reader.table(entry, Smtp::KEYS, "write `smtp: {to: \"mail.example.com:587\"}`")?;
    let server = mail_host::read(reader, &table, "mail.example.com:587", around);
    let helo = optional(reader, &table, "helo", around);
    let sender = optional(reader, &table, "sender", around);
    let recipient = optional(reader, &table, "recipient", around);
    if let Some(entry) = table.get("sender").filter(|_| table.get("recipient").is_none()) {
        let remedy = "add `recipient`, or remove it";
        reader.fault(entry.at, "`sender` means nothing without `recipient`", remedy);
        return None;
    }
    Some(Box::new(SmtpShape { server: server?, helo: helo?, sender: sender?, recipient: recipient? }))
}

/// A template that need not be there.
pub(super) fn optional(
    reader: &mut Reader<'_>,
    table: &Table<'_>,
    name: &str,
    around: &Around<'_>,
) -> Option<Option<Template>> {
    let found = table.get(name).map(|entry| reader.template(entry, around.given).map(Some));
    given_or(found, None)
}

/// A name for ourselves: a word, as RFC 5321, section 4.1.2, has it.
pub(super) fn helo(reader: &mut Reader<'_>, helo: &Template, values: &Values<'_>) -> Option<String> {
    let name = helo.fill(values, as_it_is);
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
        reader.fault(helo.place, "`helo` is no host name", "write it like `probe.example.com`");
        return None;
    }
    Some(name)
}

/// A mail address, bare: `user@example.com`.
pub(super) fn address(reader: &mut Reader<'_>, address: &Template, values: &Values<'_>) -> Option<String> {
    let text = address.fill(values, as_it_is);
    // What it must not do is to end the command that carries it.
    let sound = text.parse::<lettre::Address>().is_ok() && text.bytes().all(|byte| byte.is_ascii_graphic());
    if !sound || text.contains(['<', '>']) {
        let shown = if address.secret { crate::model::secret::REDACTED } else { &text };
        let fault = format!("`{shown}` is no mail address");
        reader.fault(address.place, fault, "write it like `user@example.com`, without a name");
        return None;
    }
    Some(text)
}

impl Open for SmtpShape {
    fn skips_verification(&self) -> bool {
        self.server.skips_verification()
    }

    fn fill(&self, reader: &mut Reader<'_>, values: &Values<'_>) -> Option<ProbeKind> {
        let server = self.server.fill(reader, values)?;
        let helo = match &self.helo {
            Some(template) => Some(helo(reader, template, values)?),
            None => None,
        };
        let sender = match &self.sender {
            Some(template) => address(reader, template, values)?,
            None => String::new(),
        };
        let recipient = match &self.recipient {
            Some(template) => Some(address(reader, template, values)?),
            None => None,
        };
        Some(ProbeKind::Smtp(Box::new(SmtpTarget { server, helo, sender, recipient })))
    }
}
