//! `tcp`: a connection, with or without TLS: what is said there, and how much is read.

use std::sync::Arc;

use bytes::Bytes;

use super::{Around, Kind, Open, Reach, given_or};
use crate::config::raw::keyed::keyed;
use crate::config::raw::word::Word;
use crate::config::reader::{Entry, Reader};
use crate::config::text::{Template, Values, as_it_is};
use crate::config::tls::Tls;
use crate::config::words::parse_size;
use crate::model::kind::tcp::MOST_READ;
use crate::model::{ProbeKind, ReadUntil, TcpTarget, TlsOptions, kind};

keyed! {
    /// A connection, with a TLS handshake or without: what is said there, and how much is read. `{{label}}` in `to` and
    /// `send` is filled in for each probe.
    pub struct Tcp {
        /// Host and port: `db.example.com:5432` or `[2001:db8::7]:5432`.
        pub to: String,
        /// With it, even when it is empty (`{}`), a TLS handshake follows; see TLS options. Default: no TLS.
        pub tls: Option<Tls>,
        /// Sent once the connection stands; in double quotes, `\r\n` ends a line. Default: nothing.
        pub send: Option<Word>,
        /// Where reading ends: `line` (with the first line, of at most 64KiB), `close` (when the server closes, or after
        /// 1MiB), or after so many bytes, up to 1MiB: `4KiB`. Default: a line where `expect` looks at `body`, else nothing.
        pub read: Option<Word>,
    }
}

pub(super) const KIND: Kind = Kind { variables: |_| kind::tcp::VARIABLES, reach: Reach::Server, read };

/// A connection whose labels are still open.
struct TcpShape {
    to: Template,
    tls: Option<Arc<TlsOptions>>,
    send: Option<Template>,
    read: Option<ReadUntil>,
}

fn read(reader: &mut Reader<'_>, entry: Entry<'_>, around: &mut Around<'_>) -> Option<Box<dyn Open>> {
    let table = reader.table(entry, Tcp::KEYS, "write `tcp: {to: \"db.example.com:5432\"}`")?;
    let to = reader
        .need(&table, "to", "say where to: `to: db.example.com:5432`")
        .and_then(|entry| reader.template(entry, around.given));
    if let Some(to) = to.as_ref().filter(|_| around.given.all) {
        host_and_port(reader, to, &around.given.labels);
    }
    let tls = match table.get("tls") {
        Some(_) => Some(around.tls(reader, &table)?),
        None => None,
    };
    let send = table.get("send").map(|entry| reader.template(entry, around.given).map(Some));
    let read = table.get("read").map(|entry| read_until(reader, entry).map(Some));
    Some(Box::new(TcpShape { to: to?, tls, send: given_or(send, None)?, read: given_or(read, None)? }))
}

/// `line`, `close`, or so many bytes.
fn read_until(reader: &mut Reader<'_>, entry: Entry<'_>) -> Option<ReadUntil> {
    let text = reader.word(entry)?;
    let found = match &*text.value {
        "line" => Some(ReadUntil::Line),
        "close" => Some(ReadUntil::Close),
        size => parse_size(size)
            .and_then(|size| size.try_into().ok())
            .filter(|size| (1..=MOST_READ).contains(size))
            .map(ReadUntil::Bytes),
    };
    if found.is_none() {
        let fault = format!("`read` cannot be `{}`", text.show());
        reader.fault(text.place, fault, "write `line`, `close`, or a size up to 1MiB: `4KiB`");
    }
    found
}

impl Open for TcpShape {
    fn skips_verification(&self) -> bool {
        self.tls.as_ref().is_some_and(|options| options.skip_verify)
    }

    fn fill(&self, reader: &mut Reader<'_>, values: &Values<'_>) -> Option<ProbeKind> {
        let (host, port) = host_and_port(reader, &self.to, values)?;
        let send = self.send.as_ref().map(|send| send.fill(values, as_it_is)).unwrap_or_default();
        Some(ProbeKind::Tcp(TcpTarget {
            host,
            port,
            tls: self.tls.clone(),
            send: Bytes::from(send),
            read: self.read,
        }))
    }
}

/// The host, without brackets, and the port of `host:port`.
pub(in crate::config) fn split(text: &str) -> Option<(String, u16)> {
    // Only a URL's own rules know all that may stand for a host; `http` lends them.
    let url = url::Url::parse(&format!("http://{}/", text.trim_end_matches('/'))).ok()?;
    let bare = url.path() == "/" && url.username().is_empty() && url.query().is_none() && url.fragment().is_none();
    let host = url.host_str().filter(|_| bare)?.trim_matches(['[', ']']).to_owned();
    let port = text.trim_end_matches('/').rsplit_once(':')?.1.parse().ok().filter(|port| *port > 0)?;
    Some((host, port))
}

/// The host and port of a template filled with these labels.
pub(super) fn host_and_port(reader: &mut Reader<'_>, to: &Template, values: &Values<'_>) -> Option<(String, u16)> {
    let text = to.fill(values, as_it_is);
    let found = split(&text);
    if found.is_none() {
        let shown = if to.secret { crate::model::secret::REDACTED } else { &text };
        let fault = format!("`{shown}` is no host with a port");
        reader.fault(to.place, fault, "write it like `db.example.com:5432` or `[2001:db8::7]:5432`");
    }
    found
}
