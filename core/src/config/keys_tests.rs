//! Every key that is listed is read, and no other: the schema is filled in and loaded, and the tables note what they are
//! asked for. A reader that asks for a key that its shape does not list fails in `Table::get`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::kinds::Probe;
use super::reader::ASKED;
use super::rules::Rule;
use super::{Outside, load, schema};

struct Nothing;

impl Outside for Nothing {
    fn env(&self, _: &str) -> Option<String> {
        None
    }

    fn file(&self, _: &str) -> Result<Vec<u8>, String> {
        Err("there are no files".into())
    }
}

/// Where the keys of a map exclude each other, or the first that is wrong ends the reading: those that let it go on.
const ALONE: [(&str, &[&str]); 5] = [
    ("Capture", &["css"]),
    ("FlowStep", &["receive", "capture"]),
    ("Maintenance", &["cron"]),
    ("Resolve", &["ip"]),
    ("Tcp", &["to"]),
];

/// Fills in a shape.
struct Filler<'a> {
    whole: &'a Value,
    /// What every key gets that takes no map and no list.
    text: Value,
    /// All keys of each map, but of these shapes these alone.
    alone: &'a [(&'a str, &'a [&'a str])],
}

impl Filler<'_> {
    fn fill(&self, shape: &Value) -> Value {
        if let Some(name) = shape["$ref"].as_str() {
            let name = name.trim_start_matches("#/$defs/");
            let mut filled = self.fill(&self.whole["$defs"][name]);
            for (_, alone) in self.alone.iter().filter(|(shape, _)| *shape == name) {
                filled.as_object_mut().unwrap().retain(|key, _| alone.contains(&key.as_str()));
            }
            return filled;
        }
        if let Some(forms) = shape["anyOf"].as_array() {
            return self.fill(forms.iter().rfind(|form| form["type"] != "null").unwrap());
        }
        if let Some(keys) = shape["properties"].as_object() {
            return keys.iter().map(|(key, value)| (key.clone(), self.fill(value))).collect();
        }
        if shape["additionalProperties"].is_object() {
            // No capture may be called as a label is.
            let name = if shape["additionalProperties"]["$ref"] == "#/$defs/Capture" { "y" } else { "x" };
            return json!({ name: self.fill(&shape["additionalProperties"]) });
        }
        if shape["type"].to_string().contains("array") {
            return json!([self.fill(&shape["items"])]);
        }
        self.text.clone()
    }

    /// The map of a shape with all its keys, whatever is said of those in them.
    fn keys(&self, shape: &str) -> Map<String, Value> {
        let keys = self.whole["$defs"][shape]["properties"].as_object().unwrap();
        keys.iter().map(|(key, value)| (key.clone(), self.fill(value))).collect()
    }

    /// Loads a config with a probe of each kind and a rule of each kind.
    fn load(&self) {
        let mut probes = Map::new();
        for (kind, _) in Probe::KINDS {
            let mut probe = self.keys("Probe");
            probe.retain(|key, _| key == kind || Probe::KINDS.iter().all(|(other, _)| key != other));
            probes.insert((*kind).to_owned(), probe.into());
        }
        let mut rules = Map::new();
        for (key, _) in Rule::KINDS {
            let mut rule = self.keys("Rule");
            let goes_with = |kind: &str, key: &str| kind == key || Rule::companions(kind).contains(&key);
            rule.retain(|other, _| {
                goes_with(key, other) || !Rule::KINDS.iter().any(|(kind, _)| goes_with(kind, other))
            });
            rules.insert((*key).to_owned(), rule.into());
        }
        let shape = self.whole["properties"].as_object().unwrap();
        let mut config: Map<String, Value> =
            shape.iter().map(|(key, value)| (key.clone(), self.fill(value))).collect();
        config.insert("probes".into(), probes.into());
        config.insert("rules".into(), rules.into());
        let text = Value::Object(config).to_string();
        assert!(load("filled in", &text, &Nothing).is_err());
    }
}

#[test]
fn the_keys_that_are_read_are_those_that_are_listed() {
    let whole = schema();
    for (text, alone) in [(json!("x"), &[][..]), (json!("x"), &ALONE), (json!(4), &ALONE), (json!("5m"), &[])] {
        Filler { whole: &whole, text, alone }.load();
    }
    let asked = ASKED.take();
    let mut asked_for: BTreeMap<BTreeSet<&str>, BTreeSet<&str>> = BTreeMap::new();
    for (known, keys) in &asked {
        asked_for.insert(known.iter().copied().collect(), keys.iter().map(String::as_str).collect());
    }
    let shapes = whole["$defs"].as_object().unwrap().iter().map(|(name, shape)| (name.as_str(), shape));
    let mut faults = Vec::new();
    for (name, shape) in shapes.chain([("Config", &whole)]) {
        let Some(keys) = shape["properties"].as_object() else { continue };
        let keys: BTreeSet<&str> = keys.keys().map(String::as_str).collect();
        match asked_for.get(&keys) {
            Some(asked) => faults.extend(keys.difference(asked).map(|key| format!("{name}: nobody reads `{key}`"))),
            None => faults.push(format!("{name}: nobody reads it")),
        }
    }
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}
