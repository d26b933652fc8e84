//! The keys that say where a mail server is, how the connection is protected and who logs in; for `smtp`, `imap` and
//! `mail`.

use std::sync::Arc;

use data_encoding::BASE64;
use secrecy::SecretString;

use super::tcp::host_and_port;
use super::{Around, given_or};
use crate::config::problem::Place;
use crate::config::raw::keyed::keyed;
use crate::config::raw::word::Word;
use crate::config::reader::{Entry, Reader, Table};
use crate::config::smtp::is_loopback;
use crate::config::text::{Template, Values, as_it_is};
use crate::model::{Encryption, Login, MailHost, TlsOptions};

keyed! {
    /// Who logs in to a mail server.
    pub struct MailAuth {
        /// The user.
        pub user: Word,
        /// Their password; it is secret.
        pub password: Word,
    }
}

/// Ports on which TLS begins with the first byte (RFC 8314).
const IMPLICIT: [u16; 2] = [465, 993];

/// A mail server whose labels are still open.
pub(in crate::config) struct MailHostShape {
    to: Template,
    encryption: Option<Encryption>,
    tls: Arc<TlsOptions>,
    auth: Option<AuthShape>,
}

struct AuthShape {
    user: Template,
    password: Template,
    at: Place,
}

/// Reads `to`, `encryption`, `tls` and `auth`, which the table must know.
pub(super) fn read(
    reader: &mut Reader<'_>,
    table: &Table<'_>,
    example: &str,
    around: &mut Around<'_>,
) -> Option<MailHostShape> {
    let remedy = format!("say where to: `to: {example}`");
    let to = reader.need(table, "to", &remedy).and_then(|entry| reader.template(entry, around.given));
    if let Some(to) = to.as_ref().filter(|_| around.given.all) {
        host_and_port(reader, to, &around.given.labels);
    }
    let choices =
        [("starttls", Encryption::StartTls), ("implicit", Encryption::Implicit), ("none", Encryption::None)];
    let encryption = table.get("encryption").map(|entry| reader.choice(entry, &choices));
    let tls = around.tls(reader, table);
    let auth = table.get("auth").map(|entry| auth(reader, entry, around));
    let encryption = given_or(encryption.map(|found| found.map(Some)), None)?;
    if encryption == Some(Encryption::None)
        && let Some(entry) = table.get("tls")
    {
        reader.fault(entry.at, "`tls` means nothing with `encryption: none`", "remove one of the two");
        return None;
    }
    Some(MailHostShape { to: to?, encryption, tls: tls?, auth: given_or(auth.map(|auth| auth.map(Some)), None)? })
}

fn auth(reader: &mut Reader<'_>, entry: Entry<'_>, around: &Around<'_>) -> Option<AuthShape> {
    let remedy = "write `auth: {user: probe, password: \"${env:MAIL_PASSWORD}\"}`";
    let table = reader.table(entry, MailAuth::KEYS, remedy)?;
    let mut part = |name| {
        let entry = reader.need(&table, name, remedy)?;
        reader.template(entry, around.given)
    };
    let (user, password) = (part("user"), part("password"));
    Some(AuthShape { user: user?, password: password?, at: entry.at })
}

impl MailHostShape {
    pub(super) fn skips_verification(&self) -> bool {
        self.tls.skip_verify
    }

    /// Whether someone logs in.
    pub(super) fn logs_in(&self) -> bool {
        self.auth.is_some()
    }

    /// The server for these labels.
    pub(super) fn fill(&self, reader: &mut Reader<'_>, values: &Values<'_>) -> Option<MailHost> {
        let (host, port) = host_and_port(reader, &self.to, values)?;
        let usual = if IMPLICIT.contains(&port) { Encryption::Implicit } else { Encryption::StartTls };
        let encryption = self.encryption.unwrap_or(usual);
        let login = match &self.auth {
            Some(auth) if encryption == Encryption::None && !is_loopback(&host) => {
                let remedy = "encrypt the connection, or remove `auth`";
                reader.fault(auth.at, "the password would be sent without encryption", remedy);
                return None;
            }
            Some(auth) => Some(auth.fill(reader, values)?),
            None => None,
        };
        Some(MailHost { host, port, encryption, tls: self.tls.clone(), login })
    }
}

impl AuthShape {
    fn fill(&self, reader: &mut Reader<'_>, values: &Values<'_>) -> Option<Login> {
        let (user, password) = (self.user.fill(values, as_it_is), self.password.fill(values, as_it_is));
        for (name, value, place) in [("user", &user, self.user.place), ("password", &password, self.password.place)] {
            if value.is_empty() || value.contains(['\r', '\n', '\0']) {
                reader.fault(place, format!("`{name}` is empty or has line breaks"), "give it a value of one line");
                return None;
            }
        }
        // As the protocols send them: a server may say them back.
        reader.hide(BASE64.encode(format!("\0{user}\0{password}").as_bytes()));
        reader.hide(BASE64.encode(password.as_bytes()));
        reader.hide(password.clone());
        Some(Login { user, password: SecretString::from(password) })
    }
}
