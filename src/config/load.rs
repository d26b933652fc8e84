//! From text to meaning: the file as a whole.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::kinds::proxy;
use super::probes::{self, Defaults, Setting};
use super::problem::{Place, Problem, Problems};
use super::raw::tree;
use super::reader::{Entry, Names, Reader, Table};
use super::text::Outside;
use super::words::{label_name, label_value, seconds, shown, shown_name};
use super::{Config, canaries, maintenance, receivers, retry, rules, tls};
use crate::model::{Component, ComponentId, LabelName, LabelValue, Location, Retry, Secrets, TlsOptions};

pub(super) const KEYS: &[&str] = &[
    "name",
    "url",
    "public_url",
    "location",
    "defaults",
    "cohorts",
    "components",
    "probes",
    "rules",
    "reopen_within",
    "receivers",
    "maintenance",
    "canaries",
];
/// An incident that comes back within this time is the same one, unless the config says otherwise.
const REOPEN_WITHIN: Duration = seconds(900);
const LONGEST_REOPEN: Duration = seconds(86_400);
pub(super) const DEFAULTS_KEYS: &[&str] = &["interval", "timeout", "retry", "proxy", "tls"];
pub(super) const COMPONENT_KEYS: &[&str] = &["name", "depends_on"];

/// Reads a config. `file` is its name as problems show it.
///
/// # Errors
/// With every problem that the text has, in the order of the file; of YAML's own syntax, the first one.
pub fn load(file: &str, text: &str, outside: &dyn Outside) -> Result<Config, Problems> {
    let root = match tree::parse(text) {
        Ok(root) => root,
        Err(problem) => return Err(Problems::new(file, text, vec![problem], &Secrets::default())),
    };
    let start = Place { line: 1, column: 1, length: 1 };
    if matches!(root.value, tree::Value::Null) {
        return Err(Problems::new(file, text, vec![tree::empty(start)], &Secrets::default()));
    }
    if !matches!(root.value, tree::Value::Map(_)) {
        let problem = Problem::new(start, "a config is a map of keys", "start with `name: Example Forge`");
        return Err(Problems::new(file, text, vec![problem], &Secrets::default()));
    }
    let mut reader = Reader::new(outside);
    let config = whole(&mut reader, Entry { name: "the file", at: start, node: &root });
    let (problems, secrets) = reader.finish();
    match config {
        Some(config) if problems.is_empty() => Ok(Config { secrets, ..config }),
        _ => Err(Problems::new(file, text, problems, &secrets)),
    }
}

fn whole(reader: &mut Reader<'_>, entry: Entry<'_>) -> Option<Config> {
    let table = reader.table(entry, KEYS, "start with `name: …`")?;
    let name = reader
        .need(&table, "name", "name the service: `name: Example Forge`")
        .and_then(|entry| shown_name(reader, entry));
    let url = table.get("url").and_then(|entry| status_url(reader, entry));
    let public_url = table.get("public_url").and_then(|entry| status_url(reader, entry));
    let location = table.get("location").and_then(|entry| location(reader, entry));
    let defaults = defaults(reader, &table);
    let cohorts = table.get("cohorts").and_then(|entry| cohorts(reader, entry)).unwrap_or_default();
    let components = reader
        .need(&table, "components", "list what users name: `components: {website: {name: Website}}`")
        .and_then(|entry| components(reader, entry))
        .unwrap_or_default();
    let mut found = probes::read(
        reader,
        &table,
        &probes::Surroundings {
            defaults,
            cohorts: &cohorts,
            components: &components,
            public_url: public_url.as_ref(),
        },
    );
    let receivers = receivers::read(reader, &table, &mut found.warnings);
    let around = rules::Surroundings {
        components: &components,
        probes: &found,
        cohorts: &cohorts,
        receivers: &receivers.names,
    };
    let mut rules = rules::read(reader, &table, &around);
    let maintenance = maintenance::read(reader, &table, &around);
    let reopen_within = match table.get("reopen_within") {
        Some(entry) => reader.duration(entry, Duration::ZERO, LONGEST_REOPEN),
        None => None,
    };
    found.probes.extend(canaries::read(reader, &table));
    rules.extend(canaries::offline_rule(&found.probes, receivers.receivers.keys().cloned().collect()));
    Some(Config {
        name: name.unwrap_or_default(),
        url,
        location: location.unwrap_or_else(Location::local),
        cohorts,
        components,
        probes: found.probes.into(),
        rules,
        receivers: receivers.receivers,
        maintenance,
        reopen_within: reopen_within.unwrap_or(REOPEN_WITHIN),
        secrets: Secrets::default(),
        warnings: found.warnings,
    })
}

fn status_url(reader: &mut Reader<'_>, entry: Entry<'_>) -> Option<url::Url> {
    let text = reader.text(entry)?;
    let text = shown(reader, text)?;
    super::kinds::http::parse_url(&text.value).map_err(|(fault, remedy)| reader.fault(text.place, fault, remedy)).ok()
}

fn location(reader: &mut Reader<'_>, entry: Entry<'_>) -> Option<Location> {
    let text = reader.word(entry)?;
    let text = shown(reader, text)?;
    label_value(reader, &text.value, text.place).map(|value| Location::from(value.as_str()))
}

fn defaults(reader: &mut Reader<'_>, table: &Table<'_>) -> Defaults {
    let mut interval = Setting { value: probes::INTERVAL, at: None };
    let mut timeout = Setting { value: probes::TIMEOUT, at: None };
    let mut again = Retry::default();
    let (mut between, mut tls) = (None, TlsOptions::default());
    let example = "write `defaults: {interval: 30s, timeout: 10s}`";
    if let Some(table) = table.get("defaults").and_then(|entry| reader.table(entry, DEFAULTS_KEYS, example)) {
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
    Defaults { interval, timeout, retry: again, proxy: between, tls }
}

fn cohorts(reader: &mut Reader<'_>, entry: Entry<'_>) -> Option<BTreeMap<LabelName, Vec<LabelValue>>> {
    let example = "write `cohorts: {workspace: [acme, globex]}`";
    let mut cohorts = BTreeMap::new();
    for entry in reader.named(entry, example)? {
        let name = label_name(reader, entry);
        let mut values: Vec<LabelValue> = Vec::new();
        let mut seen = BTreeSet::new();
        for item in reader.list(entry, "list its values, or remove it").unwrap_or_default() {
            let Some(text) = reader.word(item).and_then(|text| shown(reader, text)) else { continue };
            let Some(value) = label_value(reader, &text.value, text.place) else { continue };
            if !seen.insert(value.clone()) {
                reader.fault(text.place, format!("`{}` is listed twice", text.show()), "list it once");
                continue;
            }
            values.push(value);
        }
        if let Some(name) = name {
            cohorts.insert(name, values);
        }
    }
    Some(cohorts)
}

fn components(reader: &mut Reader<'_>, entry: Entry<'_>) -> Option<Vec<Component>> {
    let example = "write `components: {website: {name: Website}}`";
    let entries = reader.ids(entry, example)?;
    if entries.is_empty() {
        reader.fault(entry.at, "there are no components", example);
    }
    let ids = Names { what: "component", all: entries.iter().map(|entry| entry.name).collect(), needed: true };
    let mut components = Vec::new();
    let mut places = BTreeMap::new();
    for entry in &entries {
        let table = reader.table(*entry, COMPONENT_KEYS, "write `{name: …}`, or nothing");
        let name = table.as_ref().and_then(|table| table.get("name")).and_then(|entry| shown_name(reader, entry));
        let depends_on = table
            .as_ref()
            .and_then(|table| table.get("depends_on"))
            .and_then(|entry| reader.references(entry, &ids, "name components, or remove the key"))
            .unwrap_or_default();
        places.insert(ComponentId::from(entry.name), entry.at);
        components.push(Component {
            id: entry.name.into(),
            name: name.unwrap_or_else(|| entry.name.into()),
            depends_on: depends_on.into_iter().map(ComponentId::from).collect(),
        });
    }
    circles(reader, &components, &places);
    Some(components)
}

/// Components that need each other in a circle: each circle is told once, at its first component.
fn circles(reader: &mut Reader<'_>, components: &[Component], places: &BTreeMap<ComponentId, Place>) {
    let needs: BTreeMap<&ComponentId, &[ComponentId]> =
        components.iter().map(|component| (&component.id, component.depends_on.as_slice())).collect();
    let mut told: Vec<&ComponentId> = Vec::new();
    for component in components {
        if told.contains(&&component.id) {
            continue;
        }
        // A breadth-first search for the shortest way back.
        let mut came_from: BTreeMap<&ComponentId, &ComponentId> = BTreeMap::new();
        let mut queue = std::collections::VecDeque::from([&component.id]);
        while let Some(id) = queue.pop_front() {
            for next in needs.get(id).copied().unwrap_or_default() {
                if !came_from.contains_key(next) {
                    came_from.insert(next, id);
                    queue.push_back(next);
                }
            }
        }
        if !came_from.contains_key(&component.id) {
            continue;
        }
        let mut circle = vec![&component.id];
        while let Some(previous) = circle.last().and_then(|id| came_from.get(*id)) {
            circle.push(previous);
            if **previous == component.id {
                break;
            }
        }
        circle.reverse();
        let shown: Vec<String> = circle.iter().map(|id| format!("`{id}`")).collect();
        told.extend(circle);
        if let Some(place) = places.get(&component.id) {
            let fault = format!("components depend on each other in a circle: {}", shown.join(" needs "));
            reader.fault(*place, fault, "remove one of these `depends_on`");
        }
    }
}
