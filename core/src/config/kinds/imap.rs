//! `imap`: a mail server is greeted, and a mailbox is looked into.

use super::mail_host::MailAuth;
use super::mail_host::{self, MailHostShape};
use super::smtp::optional;
use super::{Around, Kind, Open, Reach};
use crate::config::raw::keyed::keyed;
use crate::config::raw::word::Word;
use crate::config::reader::{Entry, Reader};
use crate::config::text::{Template, Values, as_it_is};
use crate::config::tls::Tls;
use crate::model::{ImapTarget, ProbeKind, kind};

keyed! {
    /// A mail server is greeted, and a mailbox is looked into. `{{label}}` is filled in for each probe.
    pub struct Imap {
        /// Host and port: `imap.example.com:993`.
        pub to: String,
        /// `starttls`: TLS after STARTTLS, which must be offered; `implicit`: TLS from the first byte; `none`. Default:
        /// implicit on the ports 465 and 993, else starttls.
        pub encryption: Option<String>,
        /// How certificates are judged and shown; see TLS options. Default: the system's roots.
        pub tls: Option<Tls>,
        /// Who logs in. Without encryption only on loopback. Default: nobody.
        pub auth: Option<MailAuth>,
        /// With auth: the mailbox that is opened, to read only. Default: INBOX.
        pub mailbox: Option<Word>,
    }
}

/// The mailbox that every user has (RFC 9051, section 5.1).
pub(super) const INBOX: &str = "INBOX";

pub(super) const KIND: Kind = Kind { variables: |_| kind::imap::VARIABLES, reach: Reach::Server, read };

/// A look whose labels are still open.
struct ImapShape {
    server: MailHostShape,
    mailbox: Option<Template>,
}

fn read(reader: &mut Reader<'_>, entry: Entry<'_>, around: &mut Around<'_>) -> Option<Box<dyn Open>> {
    let table = reader.table(entry, Imap::KEYS, "write `imap: {to: \"imap.example.com:993\"}`")?;
    let server = mail_host::read(reader, &table, "imap.example.com:993", around);
    let mailbox = optional(reader, &table, "mailbox", around);
    let server = server?;
    if let Some(entry) = table.get("mailbox").filter(|_| !server.logs_in()) {
        reader.fault(entry.at, "`mailbox` means nothing without `auth`", "add `auth`, or remove it");
        return None;
    }
    Some(Box::new(ImapShape { server, mailbox: mailbox? }))
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

impl Open for ImapShape {
    fn skips_verification(&self) -> bool {
        self.server.skips_verification()
    }

    fn fill(&self, reader: &mut Reader<'_>, values: &Values<'_>) -> Option<ProbeKind> {
        let server = self.server.fill(reader, values)?;
        let mailbox = match &self.mailbox {
            Some(template) => Some(quotable(reader, template, "mailbox", values)?),
            None => server.login.as_ref().map(|_| INBOX.to_owned()),
        };
        Some(ProbeKind::Imap(Box::new(ImapTarget { server, mailbox })))
    }
}
