//! `smtp`: a mail server is greeted, and asked whether it would take a mail.

use super::mail_host::{self, MailHostShape};
use super::{Around, given_or};
use crate::config::reader::{Entry, Reader, Table};
use crate::config::text::{Template, Values, as_it_is};
use crate::model::SmtpTarget;

pub(in crate::config) const KEYS: &[&str] = &["to", "encryption", "tls", "auth", "helo", "sender", "recipient"];

/// A greeting whose labels are still open.
pub(in crate::config) struct SmtpShape {
    server: MailHostShape,
    helo: Option<Template>,
    sender: Option<Template>,
    recipient: Option<Template>,
}

pub(super) fn read(reader: &mut Reader<'_>, entry: Entry<'_>, around: &mut Around<'_>) -> Option<SmtpShape> {
    let table = reader.table(entry, KEYS, "write `smtp: {to: \"mail.example.com:587\"}`")?;
    let server = mail_host::read(reader, &table, "mail.example.com:587", around);
    let helo = optional(reader, &table, "helo", around);
    let sender = optional(reader, &table, "sender", around);
    let recipient = optional(reader, &table, "recipient", around);
    if let Some(entry) = table.get("sender").filter(|_| table.get("recipient").is_none()) {
        let remedy = "add `recipient`, or remove it";
        reader.fault(entry.at, "`sender` means nothing without `recipient`", remedy);
        return None;
    }
    Some(SmtpShape { server: server?, helo: helo?, sender: sender?, recipient: recipient? })
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

impl SmtpShape {
    pub(super) fn skips_verification(&self) -> bool {
        self.server.skips_verification()
    }

    /// The greeting for these labels.
    pub(super) fn fill(&self, reader: &mut Reader<'_>, values: &Values<'_>) -> Option<SmtpTarget> {
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
        Some(SmtpTarget { server, helo, sender, recipient })
    }
}
