//! `defaults`: what holds for probes that do not say it themselves.

use super::kinds::proxy;
use super::probes::{self, Setting};
use super::raw::keyed::keyed;
use super::reader::{Reader, Table};
use super::retry::{self, Retry};
use super::tls::{self, Tls};
use crate::model::{self, TlsOptions};

keyed! {
    /// For probes that do not say it themselves.
    pub struct Defaults {
        /// The time between the starts of two checks, 100ms to 1d. Default: 30s.
        pub interval: Option<String>,
        /// How long a check may take, from 10ms to the interval. Default: 10s.
        pub timeout: Option<String>,
        /// When a failed check is retried at once.
        pub retry: Option<Retry>,
        /// What connects for them: `http://proxy.example:3128` or `socks5://user:password@proxy.example:1080`.
        /// Default: none.
        pub proxy: Option<String>,
        /// How certificates are judged and ours are shown, by kinds that say nothing of it, or only `{}`.
        pub tls: Option<Tls>,
    }
}

pub(super) fn read(reader: &mut Reader<'_>, table: &Table<'_>) -> probes::Defaults {
    let mut interval = Setting { value: probes::INTERVAL, at: None };
    let mut timeout = Setting { value: probes::TIMEOUT, at: None };
    let mut again = model::Retry::default();
    let (mut between, mut tls) = (None, TlsOptions::default());
    let example = "write `defaults: {interval: 30s, timeout: 10s}`";
    if let Some(table) = table.get("defaults").and_then(|entry| reader.table(entry, Defaults::KEYS, example)) {
        if let Some(entry) = table.get("interval") {
            interval = probes::interval(reader, entry).unwrap_or(interval);
        }
        if let Some(entry) = table.get("timeout") {
            timeout = probes::timeout(reader, entry).unwrap_or(timeout);
        }
        if let Some(entry) = table.get("retry") {
            again = retry::read(reader, entry, &again).unwrap_or(again);
        }
        if let Some(entry) = table.get("proxy") {
            between = proxy::read(reader, entry).flatten();
        }
        if let Some(entry) = table.get("tls") {
            tls = tls::options(reader, entry).unwrap_or(tls);
        }
        probes::compare(reader, interval, timeout);
    }
    // From here on a pair of defaults has been judged.
    let (interval, timeout) = (Setting { at: None, ..interval }, Setting { at: None, ..timeout });
    probes::Defaults { interval, timeout, retry: again, proxy: between, tls }
}
