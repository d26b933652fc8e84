//! `websocket`: a WebSocket is opened, and perhaps spoken on.

use std::sync::Arc;

use http::HeaderName;
use url::Url;

use super::http::{fill_headers, headers};
use super::smtp::optional;
use super::{Around, given_or};
use crate::config::reader::{Entry, Reader};
use crate::config::text::{Template, Values, as_it_is, for_url};
use crate::model::{TlsOptions, WebsocketTarget};

pub(in crate::config) const KEYS: &[&str] = &["url", "headers", "send", "tls"];

/// Headers that follow from the handshake itself (RFC 6455, section 4.1).
const OURS: [&str; 6] = [
    "host",
    "upgrade",
    "sec-websocket-key",
    "sec-websocket-version",
    "sec-websocket-extensions",
    "sec-websocket-accept",
];

/// A WebSocket whose labels are still open.
pub(in crate::config) struct WebsocketShape {
    url: Template,
    headers: Vec<(HeaderName, Template)>,
    send: Option<Template>,
    tls: Arc<TlsOptions>,
}

pub(super) fn read(reader: &mut Reader<'_>, entry: Entry<'_>, around: &mut Around<'_>) -> Option<WebsocketShape> {
    let table = reader.table(entry, KEYS, "write `websocket: {url: \"wss://example.com/socket\"}`")?;
    let url = reader
        .need(&table, "url", "say where to: `url: wss://example.com/socket`")
        .and_then(|entry| reader.template(entry, around.given));
    if let Some(url) = url.as_ref().filter(|_| around.given.all) {
        socket_url(reader, url, &around.given.labels);
    }
    let headers = table.get("headers").map(|entry| {
        let found = headers(reader, entry, around.given)?;
        let ours = found.iter().find(|(name, _)| OURS.contains(&name.as_str()));
        if let Some((name, _)) = ours {
            reader.fault(entry.at, format!("the header `{name}` follows from the handshake itself"), "remove it");
            return None;
        }
        Some(found)
    });
    let send = optional(reader, &table, "send", around);
    let tls = around.tls(reader, &table)?;
    Some(WebsocketShape { url: url?, headers: given_or(headers, Vec::new())?, send: send?, tls })
}

/// An absolute ws or wss URL that shows no password.
fn socket_url(reader: &mut Reader<'_>, url: &Template, values: &Values<'_>) -> Option<Url> {
    let text = url.fill(values, for_url);
    let shown = if url.secret { crate::model::secret::REDACTED } else { &text };
    let example = "write it like `wss://example.com/socket`";
    let (fault, remedy) = match Url::parse(&text) {
        Ok(found) if !matches!(found.scheme(), "ws" | "wss") => (format!("`{shown}` is no ws or wss URL"), example),
        Ok(found) if !found.username().is_empty() || found.password().is_some() => (
            "a URL with a user or password would show them".into(),
            "put them into a header: `authorization: \"Basic ${env:CREDENTIALS}\"`",
        ),
        Ok(found) if found.fragment().is_some() => {
            (format!("`{shown}` has a fragment"), "remove what begins with `#`")
        }
        Ok(found) => return Some(found),
        Err(why) => (format!("`{shown}` is no URL: {why}"), example),
    };
    reader.fault(url.place, fault, remedy);
    None
}

impl WebsocketShape {
    pub(super) fn skips_verification(&self) -> bool {
        self.tls.skip_verify
    }

    /// The WebSocket for these labels.
    pub(super) fn fill(&self, reader: &mut Reader<'_>, values: &Values<'_>) -> Option<WebsocketTarget> {
        let url = socket_url(reader, &self.url, values)?;
        let headers = fill_headers(reader, &self.headers, values)?;
        let send = self.send.as_ref().map(|send| send.fill(values, as_it_is));
        Some(WebsocketTarget { url, headers, send, tls: self.tls.clone() })
    }
}
