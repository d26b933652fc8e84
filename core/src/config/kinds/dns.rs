//! `dns`: what is asked of name servers.

use std::net::IpAddr;
use std::sync::Arc;

use super::tcp::split;
use super::{Around, Kind, Open, Reach, given_or};
use crate::config::raw::keyed::keyed;
use crate::config::raw::tree::Value;
use crate::config::raw::word::{WordOrWords, Words};
use crate::config::reader::{Entry, Reader};
use crate::config::text::{Given, Template, Values, as_it_is};
use crate::config::tls::Tls;
use crate::model::{DnsTarget, NameServer, ProbeKind, RecordKind, TlsOptions, Transport, kind};

keyed! {
    /// A question to name servers. `{{label}}` in `name`, `server` and `answers` is filled in for each probe.
    pub struct Dns {
        /// The name that is asked for; with PTR, an address will do.
        pub name: String,
        /// A, AAAA, CNAME, MX, NS, TXT, SOA, CAA, SRV or PTR. Default: A.
        pub r#type: Option<String>,
        /// Who is asked: `192.0.2.53`, `ns1.example.com` or `192.0.2.53:5353`, or a list of up to 8, each of which is asked
        /// and all of which must answer the same. Default: the system's, until one answers.
        pub server: Option<WordOrWords>,
        /// `udp` (and TCP where the answer is too long for it), `tcp`, or `tls` (port 853; needs `server`). Default: udp.
        pub over: Option<String>,
        /// Exactly these must be answered, in any order: `[10 mx.example.com]`. Default: any answer will do.
        pub answers: Option<Words>,
        /// With `over: tls`, how certificates are judged and shown; see TLS options. Default: the system's roots.
        pub tls: Option<Tls>,
    }
}

const TRANSPORTS: [(&str, Transport); 3] =
    [("udp", Transport::Udp), ("tcp", Transport::Tcp), ("tls", Transport::Tls)];
/// Each is asked in turn, within one timeout.
const MOST_SERVERS: usize = 8;
/// The longest name, in bytes (RFC 1035, section 2.3.4, without the root).
const LONGEST_NAME: usize = 253;

pub(super) const KIND: Kind = Kind { variables: |_| kind::dns::VARIABLES, reach: Reach::Direct, read };

/// A question whose labels are still open.
struct DnsShape {
    name: Template,
    record: RecordKind,
    servers: Vec<Template>,
    over: Transport,
    answers: Option<Vec<Template>>,
    tls: Arc<TlsOptions>,
}

fn read(reader: &mut Reader<'_>, entry: Entry<'_>, around: &mut Around<'_>) -> Option<Box<dyn Open>> {
    let given = around.given;
    let table = reader.table(entry, Dns::KEYS, "write `dns: {name: example.com, type: A}`")?;
    let name = reader
        .need(&table, "name", "say which name: `name: example.com`")
        .and_then(|entry| reader.template(entry, given));
    let record = table.get("type").map(|entry| reader.choice(entry, &RecordKind::ALL));
    let servers = table.get("server").map(|entry| servers(reader, entry, given));
    let over = table.get("over").map(|entry| reader.choice(entry, &TRANSPORTS));
    let answers = table.get("answers").map(|entry| {
        let items = reader.list(entry, "list what must be answered: `answers: [192.0.2.7]`, or remove the key")?;
        templates(reader, items, given).map(Some)
    });
    let tls = around.tls(reader, &table);
    let (record, over) = (given_or(record, RecordKind::A)?, given_or(over, Transport::Udp)?);
    if over == Transport::Tls && table.get("server").is_none() {
        reader.fault(table.at, "`over: tls` needs a name server", "name one: `server: dns.example.net`");
        return None;
    }
    if let (Some(tls), false) = (table.get("tls"), over == Transport::Tls) {
        reader.fault(tls.at, "`tls` means nothing without `over: tls`", "add `over: tls`, or remove it");
        return None;
    }
    let shape = DnsShape {
        name: name?,
        record,
        servers: given_or(servers, Vec::new())?,
        over,
        answers: given_or(answers, None)?,
        tls: tls?,
    };
    // One combination is tried now, so that it is judged even where other things are wrong.
    if given.all && shape.fill(reader, &given.labels).is_none() {
        return None;
    }
    Some(Box::new(shape))
}

fn templates(reader: &mut Reader<'_>, items: Vec<Entry<'_>>, given: &Given<'_>) -> Option<Vec<Template>> {
    let count = items.len();
    let found: Vec<Template> = items.into_iter().filter_map(|item| reader.template(item, given)).collect();
    (found.len() == count).then_some(found)
}

/// One name server, or a list of them.
fn servers(reader: &mut Reader<'_>, entry: Entry<'_>, given: &Given<'_>) -> Option<Vec<Template>> {
    if !matches!(entry.node.value, Value::List(_)) {
        return Some(vec![reader.template(entry, given)?]);
    }
    let items = reader.list(entry, "write `server: ns1.example.com`, or a list of such")?;
    if items.len() > MOST_SERVERS {
        reader.fault(entry.at, format!("`server` has {} name servers", items.len()), "it may have 8");
        return None;
    }
    templates(reader, items, given)
}

impl Open for DnsShape {
    fn skips_verification(&self) -> bool {
        self.over == Transport::Tls && self.tls.skip_verify
    }

    fn fill(&self, reader: &mut Reader<'_>, values: &Values<'_>) -> Option<ProbeKind> {
        let name = name(reader, self.record, &self.name, values)?;
        let port = if self.over == Transport::Tls { 853 } else { 53 };
        let mut servers = Vec::with_capacity(self.servers.len());
        for server in &self.servers {
            servers.push(name_server(reader, server, port, values)?);
        }
        let fill = |answer: &Template| self.record.canonical(&answer.fill(values, as_it_is));
        let answers = self.answers.as_ref().map(|answers| {
            let mut answers: Vec<String> = answers.iter().map(fill).collect();
            answers.sort();
            answers
        });
        Some(ProbeKind::Dns(DnsTarget {
            name,
            record: self.record,
            servers,
            over: self.over,
            answers,
            tls: self.tls.clone(),
        }))
    }
}

/// A name that can be asked for. With PTR an address stands for its name (RFC 1035, section 3.5; RFC 3596, section 2.5).
fn name(reader: &mut Reader<'_>, record: RecordKind, name: &Template, values: &Values<'_>) -> Option<String> {
    let text = name.fill(values, as_it_is);
    if let (RecordKind::Ptr, Ok(address)) = (record, text.parse::<IpAddr>()) {
        return Some(reverse(address));
    }
    let bare = text.strip_suffix('.').unwrap_or(&text);
    let sound = bare.len() <= LONGEST_NAME
        && bare.split('.').all(|label| (1..=63).contains(&label.len()))
        && bare.bytes().all(|byte| byte.is_ascii_graphic() && !b"\\\"();@$".contains(&byte));
    if !sound {
        let remedy = "write it like `www.example.com`; other letters than English ones in Punycode (`xn--…`)";
        let fault = format!("`{}` is no name that can be asked for", shown(name, &text));
        reader.fault(name.place, fault, remedy);
        return None;
    }
    Some(bare.to_owned())
}

fn reverse(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, d] = address.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        IpAddr::V6(address) => {
            let nibbles =
                address.octets().into_iter().rev().map(|octet| format!("{:x}.{:x}.", octet & 15, octet >> 4));
            format!("{}ip6.arpa", nibbles.collect::<String>())
        }
    }
}

fn name_server(reader: &mut Reader<'_>, server: &Template, port: u16, values: &Values<'_>) -> Option<NameServer> {
    let text = server.fill(values, as_it_is);
    let bare = text.parse::<IpAddr>().map(|ip| (ip.to_string(), port)).ok();
    let found = bare.or_else(|| split(&text)).or_else(|| split(&format!("{text}:{port}")));
    let Some((host, port)) = found else {
        let fault = format!("`{}` is no name server", shown(server, &text));
        reader.fault(server.place, fault, "write it like `192.0.2.53`, `ns1.example.com` or `192.0.2.53:5353`");
        return None;
    };
    Some(NameServer { host, port })
}

/// How a problem may show what a template became.
fn shown<'t>(template: &Template, text: &'t str) -> &'t str {
    if template.secret { crate::model::secret::REDACTED } else { text }
}
