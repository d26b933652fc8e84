//! `probes`: definitions, and the probes that they expand to.

mod cadence;
mod expand;
mod labels;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::expect::expect;
use super::formerly::Claims;
use super::kinds::{self, Around, Reach, one_kind, proxy, resolve};
use super::reader::{Entry, Names, Reader, Table};
use super::retry;
use super::text::Given;
use crate::model::{Component, LabelName, LabelValue, Probe, ProbeName, Proxy, Resolve, Retry, TlsOptions};
use expand::Definition;

pub(super) use cadence::{INTERVAL, Setting, TIMEOUT, calendar, compare, interval, timeout};

/// What holds for definitions that do not say it themselves.
pub(super) struct Defaults {
    pub(super) interval: Setting,
    pub(super) timeout: Setting,
    pub(super) retry: Retry,
    pub(super) proxy: Option<Arc<Proxy>>,
    pub(super) tls: TlsOptions,
}

/// What a definition refers to.
pub(super) struct Surroundings<'a> {
    pub(super) defaults: Defaults,
    pub(super) cohorts: &'a BTreeMap<LabelName, Vec<LabelValue>>,
    pub(super) components: &'a [Component],
    /// Where we are called from outside, if that is said.
    pub(super) public_url: Option<&'a url::Url>,
}

/// What was found under `probes`.
#[derive(Default)]
pub(super) struct Found {
    pub(super) probes: Vec<Probe>,
    /// The names of all definitions, also of those that have problems.
    pub(super) names: Vec<String>,
    /// What definitions were called before, each with what it is called now.
    pub(super) formerly: BTreeMap<ProbeName, ProbeName>,
    /// The names of all labels of all definitions.
    pub(super) labels: BTreeSet<String>,
    /// Whether every definition is among the probes.
    pub(super) complete: bool,
    pub(super) warnings: Vec<String>,
}

pub(super) fn read(reader: &mut Reader<'_>, table: &Table<'_>, around: &Surroundings<'_>) -> Found {
    let example = "write `probes: {home: {component: website, http: {url: \"https://example.com/\"}}}`";
    let mut found = Found::default();
    let entries = reader.need(table, "probes", example).and_then(|entry| {
        let entries = reader.ids(entry, example)?;
        if entries.is_empty() {
            reader.fault(entry.at, "there are no probes", example);
        }
        Some(entries)
    });
    found.complete = true;
    let (mut all_tls, mut tokens, mut claims) = (BTreeMap::new(), BTreeMap::new(), Claims::new("probe"));
    for entry in entries.unwrap_or_default() {
        found.names.push(entry.name.into());
        let before = found.probes.len();
        let whole = definition(reader, entry, around, &mut all_tls, &mut claims, &mut found);
        for probe in found.probes.get(before..).unwrap_or_default() {
            let Some(heartbeat) = probe.kind.heartbeat() else { continue };
            if let Some(other) = tokens.insert(heartbeat.token.expose().to_owned(), probe.id.clone()) {
                let fault = format!("`{}` has the token of `{other}`", probe.id);
                reader.fault(
                    entry.at,
                    fault,
                    "give each job a token of its own; with `for_each`, put a label into it",
                );
                break;
            }
        }
        found.complete &= whole.is_some();
    }
    let ids: Vec<&str> = found.names.iter().map(String::as_str).collect();
    let formerly = claims.settle(reader, &ids).into_iter();
    found.formerly = formerly.map(|(former, by)| (former.into(), by.into())).collect();
    found
}

/// Reads one definition and expands it; `None` when it could not be.
fn definition(
    reader: &mut Reader<'_>,
    entry: Entry<'_>,
    around: &Surroundings<'_>,
    all_tls: &mut BTreeMap<TlsOptions, Arc<TlsOptions>>,
    claims: &mut Claims,
    found: &mut Found,
) -> Option<()> {
    let example = "write `{component: …, http: {url: …}}`";
    let table = reader.table(entry, kinds::Probe::KEYS, example)?;
    claims.read(reader, &table, entry);
    let components = Names {
        what: "component",
        all: around.components.iter().map(|component| component.id.as_str()).collect(),
        needed: true,
    };
    let component = reader
        .need(&table, "component", "say what it stands for: `component: website`")
        .and_then(|entry| reader.reference(entry, &components));
    let own = table.get("labels").and_then(|entry| labels::labels(reader, entry)).unwrap_or_default();
    let for_each = match table.get("for_each") {
        Some(entry) => labels::for_each(reader, entry, around.cohorts, &own),
        None => Some(Vec::new()),
    };
    found.labels.extend(own.keys().chain(for_each.iter().flatten().map(|(name, _)| name)).map(ToString::to_string));
    let timing = cadence::cadence(reader, &table, (around.defaults.interval, around.defaults.timeout));
    let mut given = Given { labels: BTreeMap::new(), all: for_each.is_some(), captures: false };
    given.labels.insert("component", component.as_ref().map_or("", |component| component.value.as_str()));
    given.labels.extend(own.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    for (name, values) in for_each.iter().flatten() {
        given.labels.extend(values.first().map(|value| (name.as_str(), value.as_str())));
    }
    let kind = one_kind(reader, entry, &table);
    let limit = timing.as_ref().map(|(_, timeout)| *timeout);
    let question = kind.and_then(|(entry, kind)| {
        let (default_tls, public_url) = (&around.defaults.tls, around.public_url);
        let mut around = Around { given: &given, all_tls, default_tls, public_url, timeout: limit };
        (kind.read)(reader, entry, &mut around)
    });
    let resolve = match table.get("resolve") {
        Some(entry) => resolve::read(reader, entry),
        None => Some(Resolve::default()),
    };
    if let (Some(entry), Some((asks, kind))) = (table.get("resolve"), kind)
        && kind.reach == Reach::TwoServers
        && resolve.is_some_and(|resolve| resolve.address.is_some())
    {
        let fault = format!("`address` means nothing for `{}`, which asks two servers", asks.name);
        reader.fault(entry.at, fault, "remove it");
    }
    let proxy = match &resolve {
        Some(way) => proxy::of(reader, &table, kind, way, around.defaults.proxy.as_ref()),
        None => None,
    };
    let retry = match table.get("retry") {
        Some(entry) => retry::read(reader, entry, &around.defaults.retry),
        None => Some(around.defaults.retry.clone()),
    };
    let expect = match table.get("expect") {
        // Which names an expectation may use is the kind's to say.
        Some(entry) => kind.and_then(|(asks, kind)| expect(reader, entry, (kind.variables)(asks))),
        None => Some(Arc::default()),
    };
    let definition = Definition {
        name: entry,
        component: component?.value,
        own,
        for_each: for_each?,
        timing: timing?,
        retry: retry?,
        question: question?,
        resolve: resolve?,
        proxy: proxy?,
        expect: expect?,
    };
    if definition.question.skips_verification() {
        let warning = format!("the probe {} does not verify certificates: `skip_verify` is set", entry.name);
        found.warnings.push(warning);
    }
    definition.expand(reader, &mut found.probes)
}
