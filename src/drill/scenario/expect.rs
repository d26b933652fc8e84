//! `expect`: what should come of a drill.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::fault::class;
use crate::config::Config;
use crate::config::problem::nearest;
use crate::config::raw::tree::Value;
use crate::config::reader::{Entry, Names, Reader, Table};
use crate::config::words::{label_value, seconds};
use crate::model::{ComponentId, FailureClass, LabelName, LabelValue, Severity};

const KEYS: &[&str] = &[
    "incidents",
    "false_alarms",
    "missed",
    "detected_within",
    "severity",
    "factor",
    "components",
    "resolved_within",
    "notifications",
];
const INCIDENT_KEYS: &[&str] = &["factor", "components", "severity"];
const RANGE_KEYS: &[&str] = &["min", "max", "exactly"];
const MOST_COUNTED: u64 = 1_000_000;
const LONGEST_EXPECTED: Duration = seconds(366 * 86_400);

/// What should come of a drill. What is left out is not judged.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Expectations {
    /// How many incidents are opened.
    pub incidents: Option<u64>,
    /// What they are, in any order; as many as there are.
    pub each: Vec<ExpectedIncident>,
    /// How many of them are false alarms.
    pub false_alarms: Option<u64>,
    /// How many faults no incident is opened for.
    pub missed: Option<u64>,
    /// The longest time from the first fault to the first message.
    pub detected_within: Option<Duration>,
    /// What the first incident is.
    pub first: ExpectedIncident,
    /// The longest time from the last fault's end until no incident is open.
    pub resolved_within: Option<Duration>,
    /// How many messages become owed.
    pub notifications: Option<Range>,
}

/// What one incident should be, in the end.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ExpectedIncident {
    /// What its failing checks have in common.
    pub factor: Option<ExpectedFactor>,
    /// The components that it names: these, and no others.
    pub components: Option<BTreeSet<ComponentId>>,
    /// How grave it is.
    pub severity: Option<Severity>,
}

/// What failing checks should have in common.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ExpectedFactor {
    /// The label and its values; `Some(None)`: no label separates them from the others.
    pub label: Option<Option<(LabelName, BTreeSet<LabelValue>)>>,
    /// How they fail.
    pub failure: Option<FailureClass>,
}

/// A number between two others, both included.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Range {
    /// At least so many.
    pub min: u64,
    /// At most so many.
    pub max: Option<u64>,
}

pub(super) fn read(reader: &mut Reader<'_>, entry: Entry<'_>, config: Option<&Config>) -> Option<Expectations> {
    const EXAMPLE: &str = "write `expect: {incidents: 1}`";
    let table = reader.table(entry, KEYS, EXAMPLE)?;
    if is_empty(entry) {
        reader.fault(entry.at, "nothing is expected, and that is always met", EXAMPLE);
    }
    let mut expect = Expectations::default();
    let whole =
        |reader: &mut Reader<'_>, name| table.get(name).and_then(|entry| reader.whole(entry, 0, MOST_COUNTED));
    expect.false_alarms = whole(reader, "false_alarms");
    expect.missed = whole(reader, "missed");
    let time = |reader: &mut Reader<'_>, name| {
        table.get(name).and_then(|entry| reader.duration(entry, Duration::ZERO, LONGEST_EXPECTED))
    };
    expect.detected_within = time(reader, "detected_within");
    expect.resolved_within = time(reader, "resolved_within");
    expect.notifications = table.get("notifications").and_then(|entry| range(reader, entry));
    expect.first = incident(reader, &table, config);
    match table.get("incidents") {
        Some(entry) if matches!(entry.node.value, Value::List(_)) => {
            for entry in reader.list(entry, "write `incidents: 0` for none")? {
                let entry = Entry { name: "an incident", ..entry };
                let Some(table) = reader.table(entry, INCIDENT_KEYS, "write `- {severity: major}`") else { continue };
                expect.each.push(incident(reader, &table, config));
            }
            expect.incidents = u64::try_from(expect.each.len()).ok();
        }
        Some(entry) => expect.incidents = reader.whole(entry, 0, MOST_COUNTED),
        None => {}
    }
    Some(expect)
}

fn incident(reader: &mut Reader<'_>, table: &Table<'_>, config: Option<&Config>) -> ExpectedIncident {
    let severities = Severity::ALL.map(|severity| (severity.as_str(), severity));
    let severity = table.get("severity").and_then(|entry| reader.choice(entry, &severities));
    let Some(config) = config else { return ExpectedIncident { severity, ..ExpectedIncident::default() } };
    let all = config.components.iter().map(|component| component.id.as_str()).collect();
    let names = Names { what: "component", all, needed: true };
    let components = table.get("components").and_then(|entry| {
        let names = reader.references(entry, &names, "name components, or remove the key")?;
        Some(names.into_iter().map(ComponentId::from).collect())
    });
    let factor = table.get("factor").and_then(|entry| factor(reader, entry, config));
    ExpectedIncident { factor, components, severity }
}

/// `none`, or a map of a label and `failure`.
fn factor(reader: &mut Reader<'_>, entry: Entry<'_>, config: &Config) -> Option<ExpectedFactor> {
    const EXAMPLE: &str = "write `factor: {workspace: globex, failure: not_found}`, or `none`";
    if matches!(&entry.node.value, Value::Text(text) if text == "none") {
        return Some(ExpectedFactor { label: Some(None), failure: None });
    }
    if is_empty(entry) {
        reader.fault(entry.at, "a factor that says nothing fits every incident", EXAMPLE);
        return None;
    }
    let mut found = ExpectedFactor::default();
    for entry in reader.named(entry, EXAMPLE)? {
        if entry.name == "failure" {
            found.failure = class(reader, entry);
            continue;
        }
        if found.label.is_some() {
            reader.fault(entry.at, "a factor has one label", "keep the one that separates best");
            continue;
        }
        let label = LabelName::from(entry.name);
        let values: BTreeSet<LabelValue> = config.probes.iter().filter_map(|probe| probe.label(&label)).collect();
        if values.is_empty() {
            let own = config.probes.iter().flat_map(|probe| probe.labels.keys().map(LabelName::as_str));
            let known: BTreeSet<&str> = own.chain(["component", "probe", "host", "kind", "failure"]).collect();
            let remedy = nearest(entry.name, known, "a factor has one of");
            reader.fault(entry.at, format!("no probe has a label `{}`", entry.name), remedy);
            continue;
        }
        let items = match entry.node.value {
            Value::List(_) => reader.list(entry, EXAMPLE).unwrap_or_default(),
            _ => vec![entry],
        };
        let mut wanted = BTreeSet::new();
        for item in items {
            let Some(value) = reader.word(item).and_then(|text| label_value(reader, &text.value, text.place)) else {
                continue;
            };
            if !values.contains(&value) {
                let remedy = nearest(value.as_str(), values.iter().map(LabelValue::as_str), "its values are");
                let fault = format!("`{}` is no value of the label `{label}`", value.as_str());
                reader.fault(item.node.place, fault, remedy);
            }
            wanted.insert(value);
        }
        found.label = Some(Some((label, wanted)));
    }
    Some(found)
}

/// Whether it has no key at all. A key that is not known is told as such.
fn is_empty(entry: Entry<'_>) -> bool {
    match &entry.node.value {
        Value::Null => true,
        Value::Map(pairs) => pairs.is_empty(),
        _ => false,
    }
}

/// A number, or a map of bounds.
fn range(reader: &mut Reader<'_>, entry: Entry<'_>) -> Option<Range> {
    let exactly = |count| Range { min: count, max: Some(count) };
    if !matches!(entry.node.value, Value::Map(_)) {
        return reader.whole(entry, 0, MOST_COUNTED).map(exactly);
    }
    const EXAMPLE: &str = "write `notifications: {max: 3}`";
    let table = reader.table(entry, RANGE_KEYS, EXAMPLE)?;
    if is_empty(entry) {
        reader.fault(entry.at, "bounds that say nothing hold any number", EXAMPLE);
        return None;
    }
    let mut bounds: BTreeMap<&str, u64> = BTreeMap::new();
    for name in RANGE_KEYS {
        let Some(entry) = table.get(name) else { continue };
        bounds.insert(name, reader.whole(entry, 0, MOST_COUNTED)?);
    }
    match (bounds.get("exactly"), bounds.get("min"), bounds.get("max")) {
        (Some(&count), None, None) => Some(exactly(count)),
        (Some(_), ..) => {
            reader.fault(entry.at, "`exactly` goes with neither `min` nor `max`", "remove it, or the others");
            None
        }
        (None, Some(min), Some(max)) if min > max => {
            let fault = format!("no number is at least {min} and at most {max}");
            reader.fault(entry.at, fault, "let `max` be no less than `min`");
            None
        }
        (None, min, max) => Some(Range { min: min.copied().unwrap_or(0), max: max.copied() }),
    }
}
