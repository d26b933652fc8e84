//! `websocket`: a WebSocket is opened, and perhaps spoken on.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::HeaderName;
use url::Url;

use super::http::{fill_headers, headers};
use super::smtp::optional;
use super::{Around, Kind, Open, Reach, given_or};
use crate::config::raw::keyed::keyed;
use crate::config::raw::word::Word;
use crate::config::reader::{Entry, Reader};
use crate::config::text::{Template, Values, as_it_is, for_url};
use crate::config::tls::Tls;
use crate::model::{ProbeKind, TlsOptions, WebsocketTarget, kind};

keyed! {
    /// A WebSocket is opened, and perhaps spoken on. `{{label}}` in `url`, `headers` and `send` is filled in for each probe.
    pub struct Websocket {
        /// Where to: ws or wss, without user and password.
        pub url: String,
        /// Sent with the handshake. Not those of the handshake itself. Default: none.
        pub headers: Option<BTreeMap<String, Word>>,
        /// Sent as a text message once the WebSocket is open; the first message that comes is waited for. Default: nothing.
        pub send: Option<Word>,
        /// How certificates are judged and shown; see TLS options. Default: the system's roots.
        pub tls: Option<Tls>,
    }
}

/// Headers that follow from the handshake itself (RFC 6455, section 4.1).
const OURS: [&str; 6] = [
    "host",
    "upgrade",
    "sec-websocket-key",
    "sec-websocket-version",
    "sec-websocket-extensions",
    "sec-websocket-accept",
];

pub(super) const KIND: Kind = Kind { variables: |_| kind::websocket::VARIABLES, reach: Reach::Server, read };

/// A WebSocket whose labels are still open.
struct WebsocketShape {
    url: Template,
    headers: Vec<(HeaderName, Template)>,
    send: Option<Template>,
    tls: Arc<TlsOptions>,
}

fn read(reader: &mut Reader<'_>, entry: Entry<'_>, around: &mut Around<'_>) -> Option<Box<dyn Open>> {
    let table = reader.table(entry, Websocket::KEYS, "write `websocket: {url: \"wss://example.com/socket\"}`")?;
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
    Some(Box::new(WebsocketShape { url: url?, headers: given_or(headers, Vec::new())?, send: send?, tls }))
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

impl Open for WebsocketShape {
    fn skips_verification(&self) -> bool {
        self.tls.skip_verify
    }

    fn fill(&self, reader: &mut Reader<'_>, values: &Values<'_>) -> Option<ProbeKind> {
        let url = socket_url(reader, &self.url, values)?;
        let headers = fill_headers(reader, &self.headers, values)?;
        let send = self.send.as_ref().map(|send| send.fill(values, as_it_is));
        Some(ProbeKind::Websocket(Box::new(WebsocketTarget { url, headers, send, tls: self.tls.clone() })))
    }
}
