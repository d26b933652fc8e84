//! `url`, `auth` and `tls` of the kinds that speak to a forge.

use std::sync::Arc;

use ::http::HeaderValue;
use data_encoding::BASE64;
use url::Url;

use super::http::parse_url;
use super::{Around, given_or};
use crate::config::reader::{Entry, Reader, Table};
use crate::config::text::{Given, Template, Values, as_it_is, for_url};
use crate::config::tls;
use crate::model::secret::REDACTED;
use crate::model::{HttpRemote, Remote, TlsOptions};

pub(in crate::config) const AUTH_KEYS: &[&str] = &["user", "password", "token"];

/// A repository whose labels are still open.
pub(in crate::config) struct RemoteShape {
    url: Template,
    auth: AuthShape,
    tls: Arc<TlsOptions>,
}

enum AuthShape {
    Anyone,
    Basic { user: Template, password: Template },
    Bearer(Template),
}

/// Reads what the table of a kind says of its repository.
pub(super) fn read(reader: &mut Reader<'_>, table: &Table<'_>, around: &mut Around<'_>) -> Option<RemoteShape> {
    let given = around.given;
    let url = reader
        .need(table, "url", "say which: `url: https://forge.example/acme/demo.git`")
        .and_then(|entry| reader.template(entry, given));
    if let Some(url) = url.as_ref().filter(|_| given.all) {
        // One combination is tried now, so that the URL is judged even where other things are wrong.
        filled_url(reader, url, &given.labels);
    }
    let auth = table.get("auth").map(|entry| auth(reader, entry, given));
    let tls = table.get("tls").map(|entry| tls::options(reader, entry));
    let tls = given_or(tls, TlsOptions::default());
    Some(RemoteShape { url: url?, auth: given_or(auth, AuthShape::Anyone)?, tls: around.share(tls?) })
}

fn auth(reader: &mut Reader<'_>, entry: Entry<'_>, given: &Given<'_>) -> Option<AuthShape> {
    let remedy = "write `auth: {user: canary, password: \"${env:FORGE_PASSWORD}\"}`, or `auth: {token: …}`";
    let table = reader.table(entry, AUTH_KEYS, remedy)?;
    let mut template = |name| table.get(name).map(|entry| reader.template(entry, given));
    let (user, password, token) = (template("user"), template("password"), template("token"));
    match (user, password, token) {
        (Some(user), Some(password), None) => Some(AuthShape::Basic { user: user?, password: password? }),
        (None, None, Some(token)) => Some(AuthShape::Bearer(token?)),
        _ => {
            reader.fault(table.at, "`auth` is either `user` and `password`, or `token`", remedy);
            None
        }
    }
}

fn filled_url(reader: &mut Reader<'_>, template: &Template, labels: &Values<'_>) -> Option<Url> {
    let text = template.fill(labels, for_url);
    let found = parse_url(&text).and_then(|url| {
        let bare = url.query().is_none() && url.fragment().is_none();
        let fault = || (format!("`{text}` is no repository's URL"), "remove what begins with `?` or `#`".into());
        if bare { Ok(url) } else { Err(fault()) }
    });
    let report = |(fault, remedy): (String, String)| {
        let fault = if template.secret { fault.replace(&text, REDACTED) } else { fault };
        let remedy = if remedy.contains("authorization") {
            "give them under `auth`: `auth: {user: …, password: \"${env:FORGE_PASSWORD}\"}`".into()
        } else {
            remedy
        };
        reader.fault(template.place, fault, remedy);
    };
    found.map_err(report).ok()
}

impl RemoteShape {
    pub(super) fn skips_verification(&self) -> bool {
        self.tls.skip_verify
    }

    /// The repository for these labels.
    pub(super) fn fill(&self, reader: &mut Reader<'_>, values: &Values<'_>) -> Option<Remote> {
        let url = filled_url(reader, &self.url, values)?;
        if self.url.secret {
            // What was filled in may stand there percent-encoded.
            reader.hide_encoded();
        }
        let (text, place) = match &self.auth {
            AuthShape::Anyone => {
                return Some(Remote::Http(HttpRemote { url, authorization: None, tls: self.tls.clone() }));
            }
            AuthShape::Basic { user, password } => {
                let name = user.fill(values, as_it_is);
                if name.contains(':') {
                    reader.fault(user.place, "a user of HTTP Basic has no colon (RFC 7617)", "give the name alone");
                    return None;
                }
                let encoded = BASE64.encode(format!("{name}:{}", password.fill(values, as_it_is)).as_bytes());
                // A server may say the header back.
                reader.hide(encoded.clone());
                (format!("Basic {encoded}"), password.place)
            }
            AuthShape::Bearer(token) => (format!("Bearer {}", token.fill(values, as_it_is)), token.place),
        };
        let Ok(mut authorization) = HeaderValue::from_bytes(text.as_bytes()) else {
            reader.fault(place, "it would have a line break or control character", "a token is one line");
            return None;
        };
        authorization.set_sensitive(true);
        Some(Remote::Http(HttpRemote { url, authorization: Some(authorization), tls: self.tls.clone() }))
    }
}
