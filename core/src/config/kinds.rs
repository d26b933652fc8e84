//! The kind of a probe's question, as it is written: one file per kind, each with its keys, its row of the table, its
//! question whose labels are still open, and what that becomes for one combination of labels.
//!
//! # Adding a probe kind
//! Each floor has a file of the kind, and one place where all kinds are listed. For a kind `foo`:
//! 1. What is asked, as plain data: `model/kind/foo.rs` with `FooTarget`, what can be asked of it (`Target`) and what
//!    expectations can look at (`VARIABLES`). Listed in `model/kind.rs`: the variant of `ProbeKind` and its arm.
//! 2. How it is written: `config/kinds/foo.rs` with the keys (`keyed!`), the row `KIND`, `read`, and `Open` for what was
//!    read. Listed here: `mod foo;` and, in [`Probe`], the key `pub foo: Option<foo::Foo> = foo::KIND`.
//! 3. How it is asked: `probe/foo.rs`. Listed in `probe.rs`.
//! 4. What people read: a section in `docs/probes.md`, with the texts of the keys word for word; a line in
//!    `CHANGELOG.md`; for each mistake of a config, a pair of files in `tests/configs`.
//!
//! What holds this: the compiler demands an arm of the variant wherever a kind must be told from others, and says that
//! `KIND` or `Foo::KEYS` is never used where that is not listed or not read. `config/keys_tests.rs` fills in every key
//! and finds those that are listed and not read, or read and not listed. `tests/spec/docs.rs` demands the section, and
//! that the key is the name that the model gives the kind.

mod download;
mod dns;
mod exec;
mod flow;
mod heartbeat;
mod grpc;
mod git;
pub(in crate::config) mod http;
mod icmp;
mod imap;
mod lfs;
mod mail;
mod mail_host;
pub(in crate::config) mod proxy;
mod remote;
pub(in crate::config) mod resolve;
mod smtp;
mod ssh;
pub(in crate::config) mod tcp;
mod tls;
mod websocket;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::raw::keyed::keyed;
use super::raw::tree::Value;
use super::raw::word::{Word, WordOrWords, Words};
use super::reader::{Entry, Reader, Table};
use super::retry::Retry;
use super::text::{Given, Values};
use super::tls::options;
use crate::model::{ProbeKind, TlsOptions};

keyed! {
    /// A question to the service, asked again and again. It has exactly one kind, such as `http`.
    pub struct Probe, KINDS: [Kind] {
        /// Takes steps in order, as a customer does.
        pub flow: Option<flow::Flow> = flow::KIND,
        /// A job calls us.
        pub heartbeat: Option<heartbeat::Heartbeat> = heartbeat::KIND,
        /// Asks by HTTP.
        pub http: Option<http::Http> = http::KIND,
        /// Lists a Git repository's refs, and fetches a commit.
        pub git: Option<git::Git> = git::KIND,
        /// Receives a large file of Git LFS.
        pub lfs: Option<lfs::Lfs> = lfs::KIND,
        /// Greets an SSH server and verifies its key.
        pub ssh: Option<ssh::Ssh> = ssh::KIND,
        /// Connects, with TLS or without.
        pub tcp: Option<tcp::Tcp> = tcp::KIND,
        /// Makes a TLS handshake, and looks at the certificates that it shows.
        pub tls: Option<tls::TlsProbe> = tls::KIND,
        /// Asks name servers.
        pub dns: Option<dns::Dns> = dns::KIND,
        /// Sends echo requests: ping.
        pub icmp: Option<icmp::Icmp> = icmp::KIND,
        /// A command of this machine: a plugin of Nagios, say.
        pub exec: Option<exec::Exec> = exec::KIND,
        /// Greets a mail server.
        pub smtp: Option<smtp::Smtp> = smtp::KIND,
        /// Looks into a mailbox.
        pub imap: Option<imap::Imap> = imap::KIND,
        /// Sees that mail arrives.
        pub mail: Option<mail::Mail> = mail::KIND,
        /// Asks a gRPC server for its health.
        pub grpc: Option<grpc::Grpc> = grpc::KIND,
        /// Opens a WebSocket.
        pub websocket: Option<websocket::Websocket> = websocket::KIND,
        /// The component that it stands for.
        pub component: Word,
        /// The id that it had before, or several: what is known of those goes on for it. Default: none.
        pub formerly: Option<WordOrWords>,
        /// Labels of `cohorts`: one probe for each combination of their values. Default: one single probe.
        pub for_each: Option<Words>,
        /// Labels of its own. Default: none.
        pub labels: Option<BTreeMap<String, Word>>,
        /// The time between the starts of two checks, 100ms to 1d. Default: that of `defaults`.
        pub interval: Option<String>,
        /// Instead of `interval`: a cron expression of 5, 6 (seconds first) or 7 (year last) fields.
        pub cron: Option<String>,
        /// The time zone of `cron`: `Europe/Berlin`. Default: UTC.
        pub timezone: Option<String>,
        /// How long a check may take, from 10ms to the interval. Default: that of `defaults`.
        pub timeout: Option<String>,
        /// When a failed check is retried at once. Default: as in `defaults`.
        pub retry: Option<Retry>,
        /// Conditions in CEL, all of which must hold; which variables there are is the kind's to say. Default: what the
        /// kind itself calls a success.
        #[schemars(length(min = 1))]
        pub expect: Option<Vec<String>>,
        /// How the connection is made.
        pub resolve: Option<resolve::Resolve>,
        /// What connects for it: `http://proxy.example:3128` or `socks5://user:password@proxy.example:1080`; `none`: nothing.
        /// Default: that of `defaults`.
        pub proxy: Option<String>,
    }
}

/// What is known of a kind before its question is read.
pub(super) struct Kind {
    /// What its expectations can look at.
    pub(super) variables: fn(Entry<'_>) -> &'static [&'static str],
    /// How the question gets to whom it asks.
    pub(super) reach: Reach,
    /// Reads the question.
    pub(super) read: fn(&mut Reader<'_>, Entry<'_>, &mut Around<'_>) -> Option<Box<dyn Open>>,
}

/// How a question gets to whom it asks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// By connections to a server, which a proxy can make too.
    Server,
    /// By connections to two servers.
    TwoServers,
    /// By no connections of TCP, or by none of our own: no proxy can stand between.
    Direct,
}

/// A question whose labels are still open.
pub(super) trait Open {
    /// The question for these labels.
    fn fill(&self, reader: &mut Reader<'_>, values: &Values<'_>) -> Option<ProbeKind>;

    /// Whether anybody may answer it, whatever certificate or key they show.
    fn skips_verification(&self) -> bool {
        false
    }
}

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

/// The entry of a definition's one kind, and what is known of that.
pub(super) fn one_kind<'n>(
    reader: &mut Reader<'_>,
    definition: Entry<'n>,
    table: &Table<'n>,
) -> Option<(Entry<'n>, &'static Kind)> {
    let mut given = Probe::KINDS.iter().filter_map(|(name, kind)| Some((table.get(name)?, kind)));
    let Some((entry, kind)) = given.next() else {
        // A key that was probably meant to be the kind: that it is not known says all that is wrong.
        let meant = |(entry, close): (&Entry<'_>, Option<&str>)| {
            close.map_or(matches!(entry.node.value, Value::Map(_)), |close| {
                Probe::KINDS.iter().any(|(name, _)| *name == close)
            })
        };
        if !table.unknown().any(meant) {
            let fault = format!("the probe `{}` has no kind: nothing says what to ask", definition.name);
            reader.fault(definition.at, fault, "give it `http: {url: …}`, or another kind");
        }
        return None;
    };
    for (other, _) in given {
        let fault = format!("the probe `{}` asks by `{}` and by `{}`", definition.name, entry.name, other.name);
        reader.fault(other.at, fault, "make two probes of it: each has one kind");
    }
    Some((entry, kind))
}

/// What was given, unless that has a problem; the default when nothing was.
fn given_or<T>(given: Option<Option<T>>, default: T) -> Option<T> {
    given.unwrap_or(Some(default))
}
