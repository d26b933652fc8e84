//! `rules`: when to raise an incident; our own rules when none are given.

pub(super) mod change;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::Config;
use super::probes::{self, condition};
use super::problem::nearest;
use super::reader::{Entry, Names, Reader, Table};
use super::words::{label_value, seconds};
use crate::model::{
    Bad, Clear, Component, Consecutive, ErrorRate, FailureClass, LabelName, LabelValue, Ratio, ReceiverId, Rule,
    RuleKind, Scope, Severity,
};

pub(super) const KEYS: &[&str] =
    &["over", "bad", "above", "within", "at_least", "per", "clear", "change", "consecutive", "severity", "tell"];
pub(super) const OVER_KEYS: &[&str] = &["components", "probes", "labels"];
pub(super) const CLEAR_KEYS: &[&str] = &["below", "for"];
const CONSECUTIVE_CLEAR_KEYS: &[&str] = &["for"];

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
    entries.into_iter().filter_map(|entry| rule(reader, entry, around)).collect()
}

/// The rules of a config that has none.
///
/// `unusual-failures`: more checks fail than usually do, with one false alarm in 90 days; major. `probe-down`: 4 failures
/// of one probe in a row, which among many probes may be too few to be unusual; minor.
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
    vec![
        rule("unusual-failures", RuleKind::Change(change::BUILT_IN), Severity::Major),
        rule("probe-down", RuleKind::Consecutive(down), Severity::Minor),
    ]
}

fn rule(reader: &mut Reader<'_>, entry: Entry<'_>, around: &Surroundings<'_>) -> Option<Rule> {
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
    let kind = kind(reader, &table, around);
    Some(Rule { id: entry.name.into(), over: over?, kind: kind?, severity: severity?, tell: tell?, built_in: false })
}

/// The keys of which a rule has exactly one, and what each goes with.
const FORMS: [&str; 3] = ["above", "change", "consecutive"];
/// The keys that go with one form only, or two.
const GO_WITH: [(&str, &[&str]); 4] =
    [("bad", &["above", "change"]), ("within", &["above"]), ("at_least", &["above"]), ("per", &["above"])];

fn kind(reader: &mut Reader<'_>, table: &Table<'_>, around: &Surroundings<'_>) -> Option<RuleKind> {
    let given: Vec<Entry<'_>> = FORMS.into_iter().filter_map(|name| table.get(name)).collect();
    let form = match given[..] {
        [form] => form,
        [] => {
            let fault = "the rule does not say when it is breached";
            reader.fault(table.at, fault, "give it `change: {}`, `above: 5%` or `consecutive: 3`");
            return None;
        }
        [first, second, ..] => {
            let fault = format!("a rule has one form, and `{}` does not go with `{}`", second.name, first.name);
            reader.fault(second.at, fault, "make two rules of it");
            return None;
        }
    };
    let mut sound = true;
    for (name, forms) in GO_WITH {
        if let Some(entry) = table.get(name).filter(|_| !forms.contains(&form.name)) {
            let fault = format!("`{name}` does not go with `{}`", form.name);
            let with: Vec<String> = forms.iter().map(|form| format!("`{form}`")).collect();
            reader.fault(entry.at, fault, format!("remove it, or make a rule with {} of it", with.join(" or ")));
            sound = false;
        }
    }
    let kind = match form.name {
        "above" => error_rate(reader, table, around).map(RuleKind::ErrorRate),
        "change" => change::read(reader, table, form).map(RuleKind::Change),
        _ => consecutive(reader, table, form).map(RuleKind::Consecutive),
    };
    kind.filter(|_| sound)
}

fn consecutive(reader: &mut Reader<'_>, table: &Table<'_>, entry: Entry<'_>) -> Option<Consecutive> {
    let count = reader.whole(entry, 1, 1_000);
    let clear_after = match table.get("clear") {
        Some(entry) => {
            let table = reader.table(entry, CONSECUTIVE_CLEAR_KEYS, "write `clear: {for: 1m}`")?;
            match table.get("for") {
                Some(entry) => reader.duration(entry, Duration::ZERO, LONGEST),
                None => Some(CLEAR_AFTER),
            }
        }
        None => Some(CLEAR_AFTER),
    };
    Some(Consecutive { count: u32::try_from(count?).unwrap_or(u32::MAX), clear_after: clear_after? })
}

fn error_rate(reader: &mut Reader<'_>, table: &Table<'_>, around: &Surroundings<'_>) -> Option<ErrorRate> {
    let bad = match table.get("bad") {
        Some(entry) => bad(reader, entry),
        None => Some(Bad::Failed),
    };
    let above = reader.need(table, "above", "say from which share of bad checks on: `above: 5%`").and_then(|entry| {
        let above = reader.ratio(entry)?;
        if above == Ratio::ONE {
            reader.fault(entry.node.place, "no share is above 100%", "write a smaller one: `99%`");
            return None;
        }
        Some(above)
    });
    let within = match table.get("within") {
        Some(entry) => reader.duration(entry, seconds(1), LONGEST),
        None => Some(WITHIN),
    };
    let at_least = match table.get("at_least") {
        Some(entry) => reader.whole(entry, 1, 1_000_000).and_then(|count| u32::try_from(count).ok()),
        None => Some(AT_LEAST),
    };
    let per = match table.get("per") {
        Some(entry) => per(reader, entry, around),
        None => Some(Vec::new()),
    };
    let clear = clear(reader, table, above, within);
    Some(ErrorRate { bad: bad?, above: above?, within: within?, at_least: at_least?, per: per?, clear: clear? })
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

fn clear(
    reader: &mut Reader<'_>,
    table: &Table<'_>,
    above: Option<Ratio>,
    within: Option<Duration>,
) -> Option<Clear> {
    let table = match table.get("clear") {
        Some(entry) => Some(reader.table(entry, CLEAR_KEYS, "write `clear: {below: 1%, for: 2m}`")?),
        None => None,
    };
    let below = match table.as_ref().and_then(|table| table.get("below")) {
        Some(entry) => below(reader, entry, above),
        // Half of it; of 0% the smallest share that none at all is below.
        None => above.map(|above| Ratio::from_ppm((above.ppm() / 2).max(1))),
    };
    let hold = match table.as_ref().and_then(|table| table.get("for")) {
        Some(entry) => reader.duration(entry, Duration::ZERO, LONGEST),
        None => within,
    };
    Some(Clear { below: below?, hold: hold? })
}

fn below(reader: &mut Reader<'_>, entry: Entry<'_>, above: Option<Ratio>) -> Option<Ratio> {
    let below = reader.ratio(entry)?;
    if below.ppm() == 0 {
        reader.fault(entry.node.place, "no share is below 0%: the breach would never be over", "write `below: 0.1%`");
        return None;
    }
    if above.is_some_and(|above| above.ppm() > 0 && below > above) {
        let fault = format!("`below` is {below}, which is more than `above`");
        reader.fault(entry.node.place, fault, "a breach is over below the share at which it starts, not above");
        return None;
    }
    Some(below)
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
        probes: config.probes.clone(),
        complete: true,
        warnings: Vec::new(),
    };
    let around =
        Surroundings { components: &config.components, probes: &probes, cohorts: &config.cohorts, receivers: &[] };
    scope(reader, entry, &around)
}

fn scope(reader: &mut Reader<'_>, entry: Entry<'_>, around: &Surroundings<'_>) -> Option<Scope> {
    let table = reader.table(entry, OVER_KEYS, "write `over: {components: [website]}`")?;
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
        reader.fault(entry.at, "no probe is covered by this `over`", remedy);
    }
    sound.then_some(scope)
}
