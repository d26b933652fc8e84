//! From text to meaning: the file as a whole.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::problem::{Place, Problem, Problems};
use super::raw::tree;
use super::reader::{Entry, Reader};
use super::text::Outside;
use super::words::{label_name, label_value, seconds, shown, shown_name};
use super::{Config, canaries, components, defaults, maintenance, probes, receivers, rules, written};
use crate::model::{Formerly, LabelName, LabelValue, Location, Secrets};

/// An incident that comes back within this time is the same one, unless the config says otherwise.
const REOPEN_WITHIN: Duration = seconds(900);
const LONGEST_REOPEN: Duration = seconds(86_400);

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
    let table = reader.table(entry, written::Config::KEYS, "start with `name: …`")?;
    let name = reader
        .need(&table, "name", "name the service: `name: Example Forge`")
        .and_then(|entry| shown_name(reader, entry));
    let url = table.get("url").and_then(|entry| status_url(reader, entry));
    let public_url = table.get("public_url").and_then(|entry| status_url(reader, entry));
    let location = table.get("location").and_then(|entry| location(reader, entry));
    let defaults = defaults::read(reader, &table);
    let cohorts = table.get("cohorts").and_then(|entry| cohorts(reader, entry)).unwrap_or_default();
    let components = reader
        .need(&table, "components", "list what users name: `components: {website: {name: Website}}`")
        .and_then(|entry| components::read(reader, entry))
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
    rules.all.extend(canaries::offline_rule(&found.probes, receivers.receivers.keys().cloned().collect()));
    Some(Config {
        name: name.unwrap_or_default(),
        url,
        location: location.unwrap_or_else(Location::local),
        cohorts,
        components,
        probes: found.probes.into(),
        rules: rules.all,
        receivers: receivers.receivers,
        formerly: Formerly { rules: rules.formerly, probes: found.formerly, receivers: receivers.formerly },
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
