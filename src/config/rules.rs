//! `rules`: when to raise an incident; our own rules when none are given. The forms of a rule that have a map of their
//! own are in files of their own.

mod burn_rate;
mod change;
mod error_rate;
mod expiry;
mod latency;
mod missing;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::Config;
use super::expect::condition;
use super::probes;
use super::problem::nearest;
use super::reader::{Entry, Names, Reader, Table};
use super::words::{label_value, seconds};
use crate::model::rule::OFFLINE;
use crate::model::{
    Bad, Component, Consecutive, FailureClass, LabelName, LabelValue, ProbeName, ReceiverId, Rule, RuleKind, Scope,
    Severity,
};

pub(super) use burn_rate::{KEYS as BURN_RATE_KEYS, WINDOW_KEYS as BURN_WINDOW_KEYS};
pub(super) use change::KEYS as CHANGE_KEYS;
pub(super) use latency::KEYS as LATENCY_KEYS;
pub(super) use missing::KEYS as MISSING_KEYS;

pub(super) const KEYS: &[&str] = &[
    "over",
    "bad",
    "above",
    "within",
    "at_least",
    "per",
    "clear",
    "change",
    "consecutive",
    "latency",
    "burn_rate",
    "expires_within",
    "missing",
    "severity",
    "tell",
];
pub(super) const OVER_KEYS: &[&str] = &["components", "probes", "labels"];
pub(super) const CLEAR_KEYS: &[&str] = &["below", "for"];
const HOLD_KEYS: &[&str] = &["for"];

/// The forms of a rule: the key that makes a rule one, and the keys that go with it.
const FORMS: [(&str, &[&str]); 7] = [
    ("above", &["bad", "within", "at_least", "per", "clear"]),
    ("change", &["bad", "clear"]),
    ("consecutive", &["clear"]),
    ("latency", &["within", "at_least", "per", "clear"]),
    ("burn_rate", &["bad", "at_least", "per", "clear"]),
    ("expires_within", &[]),
    ("missing", &[]),
];

const WITHIN: Duration = seconds(120);
const AT_LEAST: u32 = 3;
/// More labels than this are not judged by: each check counts in every combination of its values of them.
const MOST_PER: usize = 4;
const CLEAR_AFTER: Duration = seconds(60);
const LONGEST: Duration = seconds(30 * 86_400);

/// What a rule refers to.
pub(super) struct Surroundings<'a> {
    pub(super) components: &'a [Component],
    pub(super) probes: &'a probes::Found,
    pub(super) cohorts: &'a BTreeMap<LabelName, Vec<LabelValue>>,
    pub(super) receivers: &'a [String],
}

impl Surroundings<'_> {
    fn labels(&self) -> Names<'_> {
        let own = self.probes.labels.iter().map(String::as_str);
        let mut all: Vec<&str> = self.cohorts.keys().map(LabelName::as_str).chain(own).collect();
        all.sort_unstable();
        all.dedup();
        Names { what: "label", all, needed: false }
    }

    fn everyone(&self) -> Vec<ReceiverId> {
        self.receivers.iter().map(|name| ReceiverId::from(name.as_str())).collect()
    }
}

pub(super) fn read(reader: &mut Reader<'_>, table: &Table<'_>, around: &Surroundings<'_>) -> Vec<Rule> {
    let Some(entry) = table.get("rules") else { return built_in(around) };
    let entries = reader.ids(entry, "write `rules: {spike: {above: 5%}}`, or remove the key for the built-in rules");
    let entries = entries.unwrap_or_default();
    entries.into_iter().filter_map(|entry| rule(reader, entry, around)).flatten().collect()
}

/// The rules of a config that has none.
///
/// `unusual-failures`: more checks fail than usually do, with one false alarm in 90 days; major. `probe-down`: 4 failures
/// of one probe in a row, which among many probes may be too few to be unusual; minor. `heartbeat-missed`, where there are
/// heartbeats: one that failed, because the next may be a day away; minor.
fn built_in(around: &Surroundings<'_>) -> Vec<Rule> {
    let rule = |id: &str, kind, severity| Rule {
        id: id.into(),
        over: Scope::default(),
        kind,
        severity,
        tell: around.everyone(),
        built_in: true,
    };
    let down = Consecutive { count: 4, clear_after: CLEAR_AFTER };
    let mut rules = vec![
        rule("unusual-failures", RuleKind::Change(change::BUILT_IN), Severity::Major),
        rule("probe-down", RuleKind::Consecutive(down), Severity::Minor),
    ];
    let jobs = around.probes.probes.iter().filter(|probe| probe.kind.comes_by_itself());
    let jobs: BTreeSet<ProbeName> = jobs.map(|probe| probe.name.clone()).collect();
    if !jobs.is_empty() {
        let missed = Consecutive { count: 1, clear_after: CLEAR_AFTER };
        let missed = rule("heartbeat-missed", RuleKind::Consecutive(missed), Severity::Minor);
        rules.push(Rule { over: Scope { probes: jobs, ..Scope::default() }, ..missed });
    }
    rules
}

/// Reads one rule; one by burn rate becomes several, one for each pair of its windows.
fn rule(reader: &mut Reader<'_>, entry: Entry<'_>, around: &Surroundings<'_>) -> Option<Vec<Rule>> {
    if entry.name == OFFLINE {
        let fault = "`offline` is the built-in rule that tells when Tripline itself cannot see";
        reader.fault(entry.at, fault, "give your rule another id");
    }
    let table = reader.table(entry, KEYS, "write `{change: {}}`, `{above: 5%}` or `{consecutive: 3}`")?;
    let over = match table.get("over") {
        Some(entry) => scope(reader, entry, around),
        None => Some(Scope::default()),
    };
    let severities = Severity::ALL.map(|severity| (severity.as_str(), severity));
    let severity = match table.get("severity") {
        Some(entry) => reader.choice(entry, &severities),
        None => Some(Severity::Major),
    };
    let receivers =
        Names { what: "receiver", all: around.receivers.iter().map(String::as_str).collect(), needed: false };
    let tell = match table.get("tell") {
        Some(entry) => reader
            .references(entry, &receivers, "name receivers, or remove the key to tell all of them")
            .map(|names| names.into_iter().map(ReceiverId::from).collect()),
        None => Some(around.everyone()),
    };
    let kinds = kinds(reader, &table, around);
    let (over, severity, tell, kinds) = (over?, severity?, tell?, kinds?);
    if let (Some(entry), [Part { kind: RuleKind::Missing(missing), .. }]) = (table.get("missing"), &kinds[..]) {
        missing::outlasts_pauses(
            reader,
            entry,
            *missing,
            around.probes.probes.iter().filter(|probe| over.covers(probe)),
        )?;
    }
    let part = |part: Part| Rule {
        id: format!("{}{}", entry.name, part.suffix).into(),
        over: over.clone(),
        kind: part.kind,
        severity: part.severity.unwrap_or(severity),
        tell: tell.clone(),
        built_in: false,
    };
    Some(kinds.into_iter().map(part).collect())
}

/// What one rule of the config becomes, or one part of it.
struct Part {
    /// Behind the rule's id, where there are several.
    suffix: String,
    kind: RuleKind,
    /// If it is not that of the rule.
    severity: Option<Severity>,
}

fn kinds(reader: &mut Reader<'_>, table: &Table<'_>, around: &Surroundings<'_>) -> Option<Vec<Part>> {
    let whole = |kind| vec![Part { suffix: String::new(), kind, severity: None }];
    let form = form(reader, table)?;
    match form.name {
        "change" => change::read(reader, table, form).map(RuleKind::Change).map(whole),
        "consecutive" => consecutive(reader, table, form).map(RuleKind::Consecutive).map(whole),
        "latency" => latency::read(reader, table, form, around).map(RuleKind::Latency).map(whole),
        "burn_rate" => burn_rate::read(reader, table, form, around),
        "expires_within" => expiry::read(reader, form).map(RuleKind::Expiry).map(whole),
        "missing" => missing::read(reader, form).map(RuleKind::Missing).map(whole),
        _ => error_rate::read(reader, table, around).map(RuleKind::ErrorRate).map(whole),
    }
}

/// The key that says which form the rule has; there must be one, and no key of another form.
fn form<'n>(reader: &mut Reader<'_>, table: &Table<'n>) -> Option<Entry<'n>> {
    let given: Vec<Entry<'_>> = FORMS.iter().filter_map(|(name, _)| table.get(name)).collect();
    let forms = FORMS.map(|(name, _)| format!("`{name}`")).join(", ");
    let Some(&first) = given.first() else {
        // Keys that mean nothing by themselves are those of an error rate, which will say what it misses.
        let rate = FORMS[0].1.iter().find_map(|name| table.get(name));
        if rate.is_none() {
            let fault = "the rule does not say when it is breached";
            reader.fault(
                table.at,
                fault,
                format!("give it `change: {{}}`, `above: 5%` or `consecutive: 3`; the forms are {forms}"),
            );
        }
        return rate;
    };
    let companions = FORMS.iter().find(|(name, _)| *name == first.name).map_or(&[][..], |(_, companions)| companions);
    let others = FORMS.iter().flat_map(|(name, companions)| std::iter::once(name).chain(companions.iter()));
    let strange = others.filter(|name| **name != first.name && !companions.contains(*name));
    let Some(other) = strange.into_iter().find_map(|name| table.get(name)) else { return Some(first) };
    // The form that is not an error rate is the one to point at: most keys are of that.
    let (at, with) = if first.name == "above" { (other, first) } else { (first, other) };
    let fault = format!("a rule has one form, and `{}` does not go with `{}`", at.name, with.name);
    reader.fault(at.at, fault, format!("make two rules of it; the forms are {forms}"));
    None
}

/// The `for` of `clear`, where nothing else says when a breach is over; it may not be given.
fn hold(reader: &mut Reader<'_>, table: &Table<'_>) -> Option<Option<Duration>> {
    let Some(entry) = table.get("clear") else { return Some(None) };
    let table = reader.table(entry, HOLD_KEYS, "write `clear: {for: 1m}`")?;
    match table.get("for") {
        Some(entry) => reader.duration(entry, Duration::ZERO, LONGEST).map(Some),
        None => Some(None),
    }
}

/// `at_least`: so many checks.
fn at_least(reader: &mut Reader<'_>, table: &Table<'_>, default: u32) -> Option<u32> {
    match table.get("at_least") {
        Some(entry) => reader.whole(entry, 1, 1_000_000).and_then(|count| u32::try_from(count).ok()),
        None => Some(default),
    }
}

/// The labels of `per`, none when it is not given.
fn slices(reader: &mut Reader<'_>, table: &Table<'_>, around: &Surroundings<'_>) -> Option<Vec<LabelName>> {
    match table.get("per") {
        Some(entry) => per(reader, entry, around),
        None => Some(Vec::new()),
    }
}

/// What counts as bad; every failed check when it is not given.
fn what_is_bad(reader: &mut Reader<'_>, table: &Table<'_>) -> Option<Bad> {
    match table.get("bad") {
        Some(entry) => bad(reader, entry),
        None => Some(Bad::Failed),
    }
}

fn consecutive(reader: &mut Reader<'_>, table: &Table<'_>, entry: Entry<'_>) -> Option<Consecutive> {
    let count = reader.whole(entry, 1, 1_000);
    let clear_after = hold(reader, table).map(|given| given.unwrap_or(CLEAR_AFTER));
    Some(Consecutive { count: u32::try_from(count?).unwrap_or(u32::MAX), clear_after: clear_after? })
}

fn per(reader: &mut Reader<'_>, entry: Entry<'_>, around: &Surroundings<'_>) -> Option<Vec<LabelName>> {
    let remedy = "name labels, or remove the key to judge the whole only";
    let names = reader.references(entry, &around.labels(), remedy)?;
    if names.len() > MOST_PER {
        let fault = format!("`per` names {} labels, and every combination of their values is judged", names.len());
        reader.fault(entry.at, fault, format!("name at most {MOST_PER}, or make two rules of it"));
        return None;
    }
    Some(names.into_iter().map(LabelName::from).collect())
}

/// `failure == "not_found"` is judged without CEL; everything else is a condition.
fn bad(reader: &mut Reader<'_>, entry: Entry<'_>) -> Option<Bad> {
    let text = reader.text(entry)?;
    let Some((name, start)) = failure_name(&text.value) else {
        return condition(reader, entry, &Bad::VARIABLES).map(Bad::When);
    };
    if let Some(class) = FailureClass::from_name(name) {
        return Some(Bad::Class(class));
    }
    let remedy = nearest(name, FailureClass::ALL.iter().map(|class| class.as_str()), "it is one of");
    reader.fault(text.part(start, name.chars().count()), format!("there is no failure class `{name}`"), remedy);
    None
}

/// The name in `failure == "name"`, and at which character it starts.
fn failure_name(source: &str) -> Option<(&str, usize)> {
    let rest = source.trim().strip_prefix("failure")?.trim_start().strip_prefix("==")?.trim_start();
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let name = rest.strip_prefix(quote)?.strip_suffix(quote)?;
    if name.contains(['"', '\'', '\\']) {
        return None;
    }
    let start = source.find(name).filter(|_| !name.is_empty()).unwrap_or_default();
    let start = source.get(..start).map_or(0, |before| before.chars().count());
    Some((name, start))
}

/// Some of the probes of a config that is read already: `over` as a rule has it.
pub(crate) fn over(reader: &mut Reader<'_>, entry: Entry<'_>, config: &Config) -> Option<Scope> {
    let names: BTreeSet<&str> = config.probes.iter().map(|probe| probe.name.as_str()).collect();
    let labels = config.probes.iter().flat_map(|probe| probe.labels.keys().map(ToString::to_string)).collect();
    let probes = probes::Found {
        names: names.into_iter().map(str::to_owned).collect(),
        labels,
        probes: config.probes.to_vec(),
        complete: true,
        warnings: Vec::new(),
    };
    let around =
        Surroundings { components: &config.components, probes: &probes, cohorts: &config.cohorts, receivers: &[] };
    scope(reader, entry, &around)
}

fn scope(reader: &mut Reader<'_>, entry: Entry<'_>, around: &Surroundings<'_>) -> Option<Scope> {
    let table = reader.table(entry, OVER_KEYS, "write `over: {components: [website]}`")?;
    scope_in(reader, &table, entry, around)
}

/// The keys of a scope in a table that may have others too.
pub(super) fn scope_in(
    reader: &mut Reader<'_>,
    table: &Table<'_>,
    entry: Entry<'_>,
    around: &Surroundings<'_>,
) -> Option<Scope> {
    let mut scope = Scope::default();
    let mut sound = true;
    if let Some(entry) = table.get("components") {
        let all = around.components.iter().map(|component| component.id.as_str()).collect();
        let names = Names { what: "component", all, needed: true };
        let found = reader.references(entry, &names, "name components, or remove the key");
        sound &= found.is_some();
        scope.components = found.into_iter().flatten().map(Into::into).collect();
    }
    if let Some(entry) = table.get("probes") {
        let all = around.probes.names.iter().map(String::as_str).collect();
        let names = Names { what: "probe", all, needed: true };
        let found = reader.references(entry, &names, "name probes, or remove the key");
        sound &= found.is_some();
        scope.probes = found.into_iter().flatten().map(Into::into).collect();
    }
    if let Some(entry) = table.get("labels") {
        let names = around.labels();
        for entry in reader.named(entry, "write `labels: {workspace: acme}`")? {
            if !names.all.contains(&entry.name) {
                let remedy = nearest(entry.name, names.all.iter().copied(), "labels that exist");
                reader.fault(entry.at, format!("there is no label `{}`", entry.name), remedy);
                sound = false;
                continue;
            }
            let value = reader.word(entry).and_then(|text| label_value(reader, &text.value, text.place));
            sound &= value.is_some();
            scope.labels.extend(value.map(|value| (LabelName::from(entry.name), value)));
        }
    }
    // A reference that points nowhere, or a probe that could not be read, is a problem that has been told.
    let references = scope.components.len() + scope.probes.len() + scope.labels.len();
    if sound
        && references > 0
        && around.probes.complete
        && !around.probes.probes.iter().any(|probe| scope.covers(probe))
    {
        let remedy = "those given must all hold of one probe: name fewer, or others";
        reader.fault(entry.at, format!("no probe is covered by this `{}`", entry.name), remedy);
    }
    sound.then_some(scope)
}
