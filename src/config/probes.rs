//! `probes`: definitions, and the probes that they expand to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::expect::expect;
use super::kinds::{Around, KINDS, Shape, one_kind, proxy, resolve, variables};
use super::problem::Place;
use super::reader::{Entry, Names, Reader, Table};
use super::retry;
use super::text::{Given, Values};
use super::words::{label_name, label_value, seconds, shown};
use crate::model::unit::show_duration;
use crate::model::{
    Cadence, Calendar, Component, Condition, LabelName, LabelValue, Labels, Probe, ProbeId, ProbeKind, ProbeName,
    Proxy, Resolve, Retry, Role, TlsOptions,
};

/// The keys that every kind of probe has.
const OWN: [&str; 11] = [
    "component",
    "for_each",
    "labels",
    "interval",
    "cron",
    "timezone",
    "timeout",
    "retry",
    "expect",
    "resolve",
    "proxy",
];

/// The kinds, and these.
pub(super) const KEYS: &[&str] = &{
    let mut keys = [""; OWN.len() + KINDS.len()];
    let mut place = 0;
    while place < keys.len() {
        keys[place] = if place < KINDS.len() { KINDS[place] } else { OWN[place - KINDS.len()] };
        place += 1;
    }
    keys
};

/// The interval of a probe that is given none.
pub(super) const INTERVAL: Duration = seconds(30);
/// The timeout of a probe that is given none.
pub(super) const TIMEOUT: Duration = seconds(10);

/// How many probes a config may expand to.
const MOST_PROBES: usize = 100_000;

/// A value, and where it was set if that is for its reader to judge.
#[derive(Clone, Copy)]
pub(super) struct Setting {
    pub(super) value: Duration,
    pub(super) at: Option<Place>,
}

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
    /// The names of all labels of all definitions.
    pub(super) labels: BTreeSet<String>,
    /// Whether every definition is among the probes.
    pub(super) complete: bool,
    pub(super) warnings: Vec<String>,
}

pub(super) fn interval(reader: &mut Reader<'_>, entry: Entry<'_>) -> Option<Setting> {
    let value = reader.duration(entry, Duration::from_millis(100), seconds(86_400))?;
    Some(Setting { value, at: Some(entry.node.place) })
}

pub(super) fn timeout(reader: &mut Reader<'_>, entry: Entry<'_>) -> Option<Setting> {
    let value = reader.duration(entry, Duration::from_millis(10), seconds(86_400))?;
    Some(Setting { value, at: Some(entry.node.place) })
}

/// A check must be over before the next one starts. Two defaults have been compared before.
pub(super) fn compare(reader: &mut Reader<'_>, interval: Setting, timeout: Setting) {
    let Some(at) = interval.at.or(timeout.at) else { return };
    if interval.value < timeout.value {
        let (interval, timeout) = (show_duration(interval.value), show_duration(timeout.value));
        let fault = format!("the interval of {interval} is shorter than the timeout of {timeout}");
        let remedy = format!("make the timeout at most {interval}, or the interval at least {timeout}");
        reader.fault(at, fault, remedy);
    }
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
    let (mut all_tls, mut tokens) = (BTreeMap::new(), BTreeMap::new());
    for entry in entries.unwrap_or_default() {
        found.names.push(entry.name.into());
        let before = found.probes.len();
        let whole = definition(reader, entry, around, &mut all_tls, &mut found);
        for probe in found.probes.get(before..).unwrap_or_default() {
            let ProbeKind::Heartbeat(heartbeat) = &probe.kind else { continue };
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
    found
}

/// Reads one definition and expands it; `None` when it could not be.
fn definition(
    reader: &mut Reader<'_>,
    entry: Entry<'_>,
    around: &Surroundings<'_>,
    all_tls: &mut BTreeMap<TlsOptions, Arc<TlsOptions>>,
    found: &mut Found,
) -> Option<()> {
    let example = "write `{component: …, http: {url: …}}`";
    let table = reader.table(entry, KEYS, example)?;
    let components = Names {
        what: "component",
        all: around.components.iter().map(|component| component.id.as_str()).collect(),
        needed: true,
    };
    let component = reader
        .need(&table, "component", "say what it stands for: `component: website`")
        .and_then(|entry| reader.reference(entry, &components));
    let own = table.get("labels").and_then(|entry| labels(reader, entry)).unwrap_or_default();
    let for_each = match table.get("for_each") {
        Some(entry) => for_each(reader, entry, around, &own),
        None => Some(Vec::new()),
    };
    found.labels.extend(own.keys().chain(for_each.iter().flatten().map(|(name, _)| name)).map(ToString::to_string));
    let timing = cadence(reader, &table, around);
    let mut given = Given { labels: BTreeMap::new(), all: for_each.is_some(), captures: false };
    given.labels.insert("component", component.as_ref().map_or("", |component| component.value.as_str()));
    given.labels.extend(own.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    for (name, values) in for_each.iter().flatten() {
        given.labels.extend(values.first().map(|value| (name.as_str(), value.as_str())));
    }
    let kind = one_kind(reader, entry, &table);
    let limit = timing.as_ref().map(|(_, timeout)| *timeout);
    let shape = kind.and_then(|kind| {
        let (default_tls, public_url) = (&around.defaults.tls, around.public_url);
        Shape::read(reader, kind, &mut Around { given: &given, all_tls, default_tls, public_url, timeout: limit })
    });
    let resolve = match table.get("resolve") {
        Some(entry) => resolve::read(reader, entry),
        None => Some(Resolve::default()),
    };
    if let Some(entry) = table.get("resolve").filter(|_| kind.is_some_and(|kind| kind.name == "mail"))
        && resolve.is_some_and(|resolve| resolve.address.is_some())
    {
        reader.fault(entry.at, "`address` means nothing for `mail`, which asks two servers", "remove it");
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
        Some(entry) => kind.and_then(|kind| expect(reader, entry, variables(kind))),
        None => Some(Arc::default()),
    };
    let definition = Definition {
        name: entry,
        component: component?.value,
        own,
        for_each: for_each?,
        timing: timing?,
        retry: retry?,
        shape: shape?,
        resolve: resolve?,
        proxy: proxy?,
        expect: expect?,
    };
    found.warnings.extend(definition.shape.warning().map(|warning| format!("the probe {} {warning}", entry.name)));
    definition.expand(reader, &mut found.probes)
}

struct Definition<'n> {
    name: Entry<'n>,
    component: String,
    own: Labels,
    for_each: Vec<(LabelName, Vec<LabelValue>)>,
    timing: (Cadence, Duration),
    retry: Retry,
    shape: Shape,
    resolve: Resolve,
    proxy: Option<Arc<Proxy>>,
    expect: Arc<[Condition]>,
}

impl Definition<'_> {
    fn expand(&self, reader: &mut Reader<'_>, probes: &mut Vec<Probe>) -> Option<()> {
        let count = self.for_each.iter().try_fold(1usize, |count, (_, values)| count.checked_mul(values.len()));
        if count.and_then(|count| count.checked_add(probes.len())).is_none_or(|total| total > MOST_PROBES) {
            let fault = format!("with `{}` there are more than {MOST_PROBES} probes", self.name.name);
            reader.fault(self.name.at, fault, "name fewer labels in `for_each`, or fewer values in `cohorts`");
            return None;
        }
        for index in 0..count.unwrap_or_default() {
            let chosen = self.combination(index);
            let pairs: Vec<String> = chosen.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let id = if pairs.is_empty() {
                self.name.name.into()
            } else {
                format!("{}[{}]", self.name.name, pairs.join(","))
            };
            let mut labels = self.own.clone();
            labels.extend(chosen);
            let mut values: Values<'_> = labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            values.insert("component", &self.component);
            let kind = self.shape.fill(reader, &values)?;
            probes.push(Probe {
                id: ProbeId::from(id),
                name: ProbeName::from(self.name.name),
                component: self.component.as_str().into(),
                labels,
                cadence: self.timing.0.clone(),
                timeout: self.timing.1,
                retry: self.retry.clone(),
                role: Role::Service,
                kind,
                resolve: self.resolve,
                proxy: self.proxy.clone(),
                expect: self.expect.clone(),
            });
        }
        Some(())
    }

    /// The combination with this number; the last label changes fastest.
    fn combination(&self, mut index: usize) -> Vec<(LabelName, LabelValue)> {
        let mut chosen = Vec::with_capacity(self.for_each.len());
        for (name, values) in self.for_each.iter().rev() {
            let size = values.len().max(1);
            chosen.extend(values.get(index % size).map(|value| (name.clone(), value.clone())));
            index /= size;
        }
        chosen.reverse();
        chosen
    }
}

fn labels(reader: &mut Reader<'_>, entry: Entry<'_>) -> Option<Labels> {
    let mut labels = Labels::new();
    for entry in reader.named(entry, "write `labels: {tier: web}`")? {
        let name = label_name(reader, entry);
        let value = reader
            .word(entry)
            .and_then(|text| shown(reader, text))
            .and_then(|text| label_value(reader, &text.value, text.place));
        labels.extend(name.zip(value));
    }
    Some(labels)
}

fn for_each(
    reader: &mut Reader<'_>,
    entry: Entry<'_>,
    around: &Surroundings<'_>,
    own: &Labels,
) -> Option<Vec<(LabelName, Vec<LabelValue>)>> {
    let cohorts =
        Names { what: "cohort", all: around.cohorts.keys().map(LabelName::as_str).collect(), needed: false };
    let mut each = Vec::new();
    for name in
        reader.references(entry, &cohorts, "name labels of `cohorts`, or remove the key for one single probe")?
    {
        let name = LabelName::from(name);
        if own.contains_key(&name) {
            reader.fault(
                entry.at,
                format!("the label `{name}` is given by `for_each` and by `labels`"),
                "remove one of the two",
            );
        }
        let values = around.cohorts.get(&name).cloned().unwrap_or_default();
        each.push((name, values));
    }
    // A cohort that has no sound values, or a name that is none, is a problem that has been told.
    (!each.is_empty() && each.iter().all(|(_, values)| !values.is_empty())).then_some(each)
}

fn cadence(reader: &mut Reader<'_>, table: &Table<'_>, around: &Surroundings<'_>) -> Option<(Cadence, Duration)> {
    let timeout = match table.get("timeout") {
        Some(entry) => timeout(reader, entry),
        None => Some(around.defaults.timeout),
    };
    let Some(cron) = table.get("cron") else {
        if let Some(entry) = table.get("timezone") {
            reader.fault(entry.at, "`timezone` means nothing without `cron`", "add `cron`, or remove it");
        }
        let interval = match table.get("interval") {
            Some(entry) => interval(reader, entry),
            None => Some(around.defaults.interval),
        };
        compare(reader, interval?, timeout?);
        return Some((Cadence::Every(interval?.value), timeout?.value));
    };
    if let Some(entry) = table.get("interval") {
        reader.fault(entry.at, "both `interval` and `cron` are given", "keep one of them");
    }
    Some((Cadence::At(Arc::new(calendar(reader, cron, table.get("timezone"))?)), timeout?.value))
}

/// The calendar of a `cron` and its `timezone`.
pub(super) fn calendar(reader: &mut Reader<'_>, cron: Entry<'_>, zone: Option<Entry<'_>>) -> Option<Calendar> {
    let zone = zone.map(|entry| reader.text(entry));
    let text = reader.text(cron)?;
    let zone_name = match &zone {
        Some(zone) => zone.as_ref()?.value.as_str(),
        None => "UTC",
    };
    match Calendar::parse(&text.value, zone_name) {
        Ok(calendar) => Some(calendar),
        Err(why) => {
            // If the expression is sound in UTC, it is the zone that is not.
            let zone = zone.flatten().filter(|_| Calendar::parse(&text.value, "UTC").is_ok());
            reader.fault(zone.map_or(text.place, |zone| zone.place), why.fault, why.remedy);
            None
        }
    }
}
