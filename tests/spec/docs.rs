//! docs/probes.md: what it says of each kind is what the loader and the schema know.

use std::collections::BTreeMap;
use std::path::Path;

use tripline::config::{Outside, load, schema};
use tripline::model::FailureClass;

/// The environment and the files that the examples name.
struct Anything;

impl Outside for Anything {
    fn env(&self, _: &str) -> Option<String> {
        Some("value-0123456789".into())
    }

    fn file(&self, _: &str) -> Result<Vec<u8>, String> {
        Err("examples name no files".into())
    }
}

fn page() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/probes.md")).unwrap()
}

/// The sections of the kinds, by name.
fn sections() -> BTreeMap<String, String> {
    let page = page();
    let kinds = page.split("\n## The kinds\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let sections = kinds.split("\n### ").skip(1);
    sections.map(|section| (section.lines().next().unwrap().to_owned(), section.to_owned())).collect()
}

/// The rows of the first table whose head begins with this word, as cells without marks of Markdown.
fn table(section: &str, head: &str) -> Vec<Vec<String>> {
    let link = regex::Regex::new(r"\[([^\]]*)\]\([^)]*\)").unwrap();
    let rows = section.lines().skip_while(|line| !line.starts_with(&format!("| {head} |"))).skip(2);
    rows.take_while(|line| line.starts_with('|'))
        .map(|line| {
            let plain = link.replace_all(line, "$1").replace('`', "");
            plain.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect()
        })
        .collect()
}

/// The kinds that the schema knows, each with the descriptions of its keys.
fn kinds() -> BTreeMap<String, BTreeMap<String, String>> {
    let schema = schema();
    let probe = &schema["$defs"]["Probe"]["properties"];
    let plain = |text: &serde_json::Value| text.as_str().unwrap_or_default().replace('`', "").replace('\n', " ");
    let mut kinds = BTreeMap::new();
    for name in tripline::config::kinds() {
        let reference = probe[name]["anyOf"][0]["$ref"].as_str().unwrap_or_else(|| panic!("{name} is in the schema"));
        let shape = &schema["$defs"][reference.trim_start_matches("#/$defs/")];
        let keys = shape["properties"].as_object().unwrap();
        kinds.insert(
            (*name).to_owned(),
            keys.iter().map(|(key, about)| (key.clone(), plain(&about["description"]))).collect(),
        );
    }
    kinds
}

#[test]
fn every_kind_has_its_section_and_no_other_has() {
    let documented: Vec<String> = sections().into_keys().collect();
    let known: Vec<String> = kinds().into_keys().collect();
    assert_eq!(documented, known);
}

/// A row `| key | type | default | meaning |` and the schema's description `meaning Default: default.` are the same.
#[test]
fn the_keys_of_each_kind_mean_in_the_schema_what_they_mean_on_the_page() {
    let mut faults = Vec::new();
    for (name, keys) in kinds() {
        let section = &sections()[&name];
        let mut on_page = BTreeMap::new();
        for row in table(section, "key") {
            let [key, _, default, meaning] = &row[..] else { panic!("four cells: {row:?}") };
            let described = match default.as_str() {
                "required" => meaning.clone(),
                default => format!("{meaning} Default: {default}."),
            };
            on_page.insert(key.clone(), described);
        }
        for (key, description) in &keys {
            match on_page.remove(key) {
                Some(text) if text == *description => {}
                other => faults.push(format!("{name}.{key}\n  schema: {description}\n  page:   {other:?}")),
            }
        }
        faults.extend(on_page.keys().map(|key| format!("{name}.{key} is on the page only")));
    }
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

#[test]
fn each_kind_tells_its_failure_classes_and_its_evidence() {
    for (name, section) in sections() {
        let classes = table(&section, "class");
        assert!(!classes.is_empty(), "{name} has a table of failure classes");
        for row in classes {
            assert!(FailureClass::from_name(&row[0]).is_some(), "{name}: {} is no failure class", row[0]);
            assert!(!row[1].is_empty(), "{name}: {} has an example", row[0]);
        }
        assert!(section.contains("Evidence: "), "{name} tells its evidence");
    }
}

#[test]
fn the_example_of_each_kind_can_be_copied_as_it_is() {
    for (name, section) in sections() {
        let example = section.split("```yaml\nprobes:\n").nth(1).and_then(|rest| rest.split("```").next());
        let example = example.unwrap_or_else(|| panic!("{name} has an example that begins with `probes:`"));
        let components: Vec<String> = example
            .lines()
            .filter_map(|line| line.trim().strip_prefix("component: "))
            .map(|component| format!("{component}: {{}}"))
            .collect();
        let config = format!(
            "name: Example\ncohorts: {{workspace: [acme, globex]}}\ncomponents: {{{}}}\nprobes:\n{example}",
            components.join(", ")
        );
        let loaded = load("example", &config, &Anything).unwrap_or_else(|problems| panic!("{name}: {problems}"));
        assert!(loaded.probes.iter().any(|probe| probe.kind.name() == name), "{name} is in its own example");
    }
}
