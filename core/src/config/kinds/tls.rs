//! `tls`: a handshake, and the certificates that it shows.

use std::sync::Arc;

use rustls::pki_types::ServerName;

use super::tcp::host_and_port;
use super::{Around, Kind, Open, Reach, given_or};
use crate::config::raw::keyed::keyed;
use crate::config::reader::{Entry, Reader};
use crate::config::text::{Template, Values, as_it_is};
use crate::config::tls::Tls;
use crate::model::{ProbeKind, StartTls, TlsOptions, TlsTarget, kind};

keyed! {
    /// A TLS handshake, and the certificates that it shows. `{{label}}` in `to` and `server_name` is filled in for each
    /// probe.
    pub struct TlsProbe {
        /// Host and port: `example.com:443` or `[2001:db8::7]:443`.
        pub to: String,
        /// The name that is asked for (SNI) and that the certificate must be valid for. Default: the host of `to`.
        pub server_name: Option<String>,
        /// The protocols that are offered, best first: `[h2, http/1.1]`. Default: none.
        #[schemars(length(min = 1))]
        pub alpn: Option<Vec<String>>,
        /// `smtp` or `imap`: the connection begins in the plain, and TLS is asked for. Default: TLS at once.
        pub starttls: Option<String>,
        /// How certificates are judged and shown; see TLS options. Default: the system's roots.
        pub tls: Option<Tls>,
    }
}

const PROTOCOLS: [(&str, StartTls); 2] = [("smtp", StartTls::Smtp), ("imap", StartTls::Imap)];
/// The longest name of a protocol, in bytes (RFC 7301, section 3.1).
const LONGEST_PROTOCOL: usize = 255;

pub(super) const KIND: Kind = Kind { variables: |_| kind::tls::VARIABLES, reach: Reach::Server, read };

/// A handshake whose labels are still open.
struct TlsShape {
    to: Template,
    server_name: Option<Template>,
    alpn: Vec<String>,
    starttls: Option<StartTls>,
    tls: Arc<TlsOptions>,
}

fn read(reader: &mut Reader<'_>, entry: Entry<'_>, around: &mut Around<'_>) -> Option<Box<dyn Open>> {
    let table = reader.table(entry, TlsProbe::KEYS, "write `tls: {to: \"example.com:443\"}`")?;
    let to = reader
        .need(&table, "to", "say where to: `to: example.com:443`")
        .and_then(|entry| reader.template(entry, around.given));
    if let Some(to) = to.as_ref().filter(|_| around.given.all) {
        host_and_port(reader, to, &around.given.labels);
    }
    let server_name = table.get("server_name").map(|entry| reader.template(entry, around.given).map(Some));
    if let Some(Some(Some(name))) = server_name.as_ref().map(Option::as_ref).filter(|_| around.given.all) {
        sound_name(reader, name, &around.given.labels);
    }
    let alpn = table.get("alpn").map(|entry| alpn(reader, entry));
    let starttls = table.get("starttls").map(|entry| reader.choice(entry, &PROTOCOLS).map(Some));
    let tls = around.tls(reader, &table);
    Some(Box::new(TlsShape {
        to: to?,
        server_name: given_or(server_name, None)?,
        alpn: given_or(alpn, Vec::new())?,
        starttls: given_or(starttls, None)?,
        tls: tls?,
    }))
}

fn alpn(reader: &mut Reader<'_>, entry: Entry<'_>) -> Option<Vec<String>> {
    let items = reader.list(entry, "write `alpn: [h2, http/1.1]`, or remove the key")?;
    let count = items.len();
    let mut names = Vec::with_capacity(count);
    for item in items {
        let Some(text) = reader.text(item) else { continue };
        if text.value.len() > LONGEST_PROTOCOL {
            reader.fault(text.place, "the name of a protocol is too long", "it may have 255 bytes");
            continue;
        }
        names.push(text.value);
    }
    (names.len() == count).then_some(names)
}

/// A name that a certificate can be for.
fn sound_name(reader: &mut Reader<'_>, name: &Template, values: &Values<'_>) -> Option<String> {
    let text = name.fill(values, as_it_is);
    if ServerName::try_from(text.as_str()).is_err() {
        let shown = if name.secret { crate::model::secret::REDACTED } else { &text };
        let fault = format!("`{shown}` is no name that a certificate can be for");
        reader.fault(name.place, fault, "write a host name without a port: `www.example.com`");
        return None;
    }
    Some(text)
}

impl Open for TlsShape {
    fn skips_verification(&self) -> bool {
        self.tls.skip_verify
    }

    fn fill(&self, reader: &mut Reader<'_>, values: &Values<'_>) -> Option<ProbeKind> {
        let (host, port) = host_and_port(reader, &self.to, values)?;
        let server_name = match &self.server_name {
            Some(name) => Some(sound_name(reader, name, values)?),
            None => None,
        };
        Some(ProbeKind::Tls(TlsTarget {
            host,
            port,
            server_name,
            alpn: self.alpn.clone(),
            starttls: self.starttls,
            tls: self.tls.clone(),
        }))
    }
}
