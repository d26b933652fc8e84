//! The kind of a probe's question, as it is written: one file per kind, each with its keys, its shape (labels still
//! open) and what it becomes for one combination of labels.

pub(in crate::config) mod download;
pub(in crate::config) mod dns;
pub(in crate::config) mod exec;
pub(in crate::config) mod flow;
pub(in crate::config) mod heartbeat;
pub(in crate::config) mod grpc;
pub(in crate::config) mod git;
pub(in crate::config) mod http;
pub(in crate::config) mod icmp;
pub(in crate::config) mod imap;
pub(in crate::config) mod lfs;
pub(in crate::config) mod mail;
pub(in crate::config) mod mail_host;
pub(in crate::config) mod proxy;
pub(in crate::config) mod remote;
pub(in crate::config) mod resolve;
pub(in crate::config) mod smtp;
pub(in crate::config) mod ssh;
pub(in crate::config) mod tcp;
pub(in crate::config) mod tls;
pub(in crate::config) mod websocket;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::raw::tree::Value;
use super::reader::{Entry, Reader, Table};
use super::text::{Given, Values};
use super::tls::options;
use crate::model::{ProbeKind, TlsOptions, kind};

/// The keys of the kinds, in the order in which the docs have them.
pub(super) const KINDS: &[&str] = &[
    "flow",
    "heartbeat",
    "http",
    "git",
    "lfs",
    "ssh",
    "tcp",
    "tls",
    "dns",
    "icmp",
    "exec",
    "smtp",
    "imap",
    "mail",
    "grpc",
    "websocket",
];

/// What the reader of a kind may ask of the definition around it.
pub(super) struct Around<'a> {
    /// The labels that templates may name.
    pub(super) given: &'a Given<'a>,
    /// The TLS options of all definitions, by value, so that equal ones are one.
    pub(super) all_tls: &'a mut BTreeMap<TlsOptions, Arc<TlsOptions>>,
    /// Those of a kind that says nothing of its own.
    pub(super) default_tls: &'a TlsOptions,
    /// Where we are called from outside, if that is said.
    pub(super) public_url: Option<&'a url::Url>,
    /// How long a check may take, where that is sound.
    pub(super) timeout: Option<Duration>,
}

impl Around<'_> {
    /// What a kind's table says under `tls`, and what `defaults` say where that is nothing.
    fn tls(&mut self, reader: &mut Reader<'_>, table: &Table<'_>) -> Option<Arc<TlsOptions>> {
        let own = given_or(table.get("tls").map(|entry| options(reader, entry)), TlsOptions::default())?;
        let tls = if own == TlsOptions::default() { self.default_tls.clone() } else { own };
        Some(self.all_tls.entry(tls.clone()).or_insert_with(|| Arc::new(tls)).clone())
    }
}

/// The entry of a definition's one kind.
pub(super) fn one_kind<'n>(reader: &mut Reader<'_>, definition: Entry<'n>, table: &Table<'n>) -> Option<Entry<'n>> {
    let mut given = KINDS.iter().filter_map(|kind| table.get(kind));
    let Some(first) = given.next() else {
        // A key that was probably meant to be the kind: that it is not known says all that is wrong.
        let meant = |(entry, close): (&Entry<'_>, Option<&str>)| {
            close.map_or(matches!(entry.node.value, Value::Map(_)), |name| KINDS.contains(&name))
        };
        if !table.unknown().any(meant) {
            let fault = format!("the probe `{}` has no kind: nothing says what to ask", definition.name);
            reader.fault(definition.at, fault, "give it `http: {url: …}`, or another kind");
        }
        return None;
    };
    for other in given {
        let fault = format!("the probe `{}` asks by `{}` and by `{}`", definition.name, first.name, other.name);
        reader.fault(other.at, fault, "make two probes of it: each has one kind");
    }
    Some(first)
}

/// A question whose labels are still open.
pub(super) enum Shape {
    Flow(flow::FlowShape),
    Heartbeat(heartbeat::HeartbeatShape),
    Http(http::HttpShape),
    Git(git::GitShape),
    Lfs(lfs::LfsShape),
    Ssh(ssh::SshShape),
    Tcp(tcp::TcpShape),
    Tls(tls::TlsShape),
    Dns(dns::DnsShape),
    Icmp(icmp::IcmpShape),
    Exec(exec::ExecShape),
    Smtp(Box<smtp::SmtpShape>),
    Imap(Box<imap::ImapShape>),
    Mail(Box<mail::MailShape>),
    Grpc(Box<grpc::GrpcShape>),
    Websocket(Box<websocket::WebsocketShape>),
}

impl Shape {
    /// Reads the question of the kind that the entry's name says.
    pub(super) fn read(reader: &mut Reader<'_>, entry: Entry<'_>, around: &mut Around<'_>) -> Option<Self> {
        match entry.name {
            "flow" => flow::read(reader, entry, around).map(Self::Flow),
            "heartbeat" => heartbeat::read(reader, entry, around).map(Self::Heartbeat),
            "http" => http::read(reader, entry, around).map(Self::Http),
            "git" => git::read(reader, entry, around).map(Self::Git),
            "lfs" => lfs::read(reader, entry, around).map(Self::Lfs),
            "ssh" => ssh::read(reader, entry, around).map(Self::Ssh),
            "tcp" => tcp::read(reader, entry, around).map(Self::Tcp),
            "tls" => tls::read(reader, entry, around).map(Self::Tls),
            "dns" => dns::read(reader, entry, around).map(Self::Dns),
            "icmp" => icmp::read(reader, entry, around).map(Self::Icmp),
            "exec" => exec::read(reader, entry, around).map(Self::Exec),
            "smtp" => smtp::read(reader, entry, around).map(|shape| Self::Smtp(Box::new(shape))),
            "imap" => imap::read(reader, entry, around).map(|shape| Self::Imap(Box::new(shape))),
            "mail" => mail::read(reader, entry, around).map(|shape| Self::Mail(Box::new(shape))),
            "grpc" => grpc::read(reader, entry, around).map(|shape| Self::Grpc(Box::new(shape))),
            "websocket" => websocket::read(reader, entry, around).map(|shape| Self::Websocket(Box::new(shape))),
            _ => None,
        }
    }

    /// The question for these labels.
    pub(super) fn fill(&self, reader: &mut Reader<'_>, values: &Values<'_>) -> Option<ProbeKind> {
        match self {
            Self::Flow(shape) => shape.fill(reader, values).map(ProbeKind::Flow),
            Self::Heartbeat(shape) => shape.fill(reader, values).map(ProbeKind::Heartbeat),
            Self::Http(shape) => shape.fill(reader, values).map(ProbeKind::Http),
            Self::Git(shape) => shape.fill(reader, values).map(ProbeKind::Git),
            Self::Lfs(shape) => shape.fill(reader, values).map(ProbeKind::Lfs),
            Self::Ssh(shape) => shape.fill(reader, values).map(ProbeKind::Ssh),
            Self::Tcp(shape) => shape.fill(reader, values).map(ProbeKind::Tcp),
            Self::Tls(shape) => shape.fill(reader, values).map(ProbeKind::Tls),
            Self::Dns(shape) => shape.fill(reader, values).map(ProbeKind::Dns),
            Self::Icmp(shape) => shape.fill(reader, values).map(ProbeKind::Icmp),
            Self::Exec(shape) => shape.fill(reader, values).map(ProbeKind::Exec),
            Self::Smtp(shape) => shape.fill(reader, values).map(|smtp| ProbeKind::Smtp(Box::new(smtp))),
            Self::Imap(shape) => shape.fill(reader, values).map(|imap| ProbeKind::Imap(Box::new(imap))),
            Self::Mail(shape) => shape.fill(reader, values).map(|mail| ProbeKind::Mail(Box::new(mail))),
            Self::Grpc(shape) => shape.fill(reader, values).map(|grpc| ProbeKind::Grpc(Box::new(grpc))),
            Self::Websocket(shape) => {
                shape.fill(reader, values).map(|websocket| ProbeKind::Websocket(Box::new(websocket)))
            }
        }
    }

    /// What is allowed but dangerous, after the probe's name: `does not verify certificates: ...`.
    pub(super) fn warning(&self) -> Option<&'static str> {
        let skips = match self {
            Self::Flow(shape) => shape.skips_verification(),
            Self::Http(shape) => shape.skips_verification(),
            Self::Git(shape) => shape.remote.skips_verification(),
            Self::Lfs(shape) => shape.remote.skips_verification(),
            Self::Ssh(shape) => shape.skips_verification(),
            Self::Tcp(shape) => shape.skips_verification(),
            Self::Tls(shape) => shape.skips_verification(),
            Self::Dns(shape) => shape.skips_verification(),
            Self::Smtp(shape) => shape.skips_verification(),
            Self::Imap(shape) => shape.skips_verification(),
            Self::Mail(shape) => shape.skips_verification(),
            Self::Heartbeat(_) | Self::Exec(_) | Self::Icmp(_) => false,
            Self::Grpc(shape) => shape.skips_verification(),
            Self::Websocket(shape) => shape.skips_verification(),
        };
        skips.then_some("does not verify certificates: `skip_verify` is set")
    }
}

/// What the expectations of this kind can look at.
pub(super) fn variables(entry: Entry<'_>) -> &'static [&'static str] {
    match entry.name {
        "http" if http::downloads(entry) => kind::http::DOWNLOAD_VARIABLES,
        "flow" => kind::flow::VARIABLES,
        "heartbeat" => kind::heartbeat::VARIABLES,
        "git" => kind::git::VARIABLES,
        "lfs" => kind::lfs::VARIABLES,
        "ssh" => kind::ssh::VARIABLES,
        "tcp" => kind::tcp::VARIABLES,
        "tls" => kind::tls::VARIABLES,
        "dns" => kind::dns::VARIABLES,
        "icmp" => kind::icmp::VARIABLES,
        "exec" => kind::exec::VARIABLES,
        "smtp" => kind::smtp::VARIABLES,
        "imap" => kind::imap::VARIABLES,
        "mail" => kind::mail::VARIABLES,
        "grpc" => kind::grpc::VARIABLES,
        "websocket" => kind::websocket::VARIABLES,
        "http" => kind::http::VARIABLES,
        _ => &[],
    }
}

/// What was given, unless that has a problem; the default when nothing was.
fn given_or<T>(given: Option<Option<T>>, default: T) -> Option<T> {
    given.unwrap_or(Some(default))
}
