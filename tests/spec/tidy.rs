//! The shape of the source: floors, invariants and house rules, most of them absences.

mod cycles;
mod shape;
mod source;

use std::collections::BTreeMap;
use std::path::Path;

use source::{files, has_word, is_test, rooms, sources};

fn assert_none(faults: &[String]) {
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

/// The first names in a `{…}` of a `use`, which may hold others.
fn group(rest: &str) -> Vec<&str> {
    let (mut depth, mut start, mut parts) = (0, 0, Vec::new());
    for (at, c) in rest.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                parts.push(rest[start..at].trim().split("::").next().unwrap());
                start = at + 1;
            }
            _ => {}
        }
        if c == '}' && start == at + 1 {
            break;
        }
    }
    parts
}

#[test]
fn a_module_used_beside_a_nested_group_is_seen() {
    assert_eq!(
        group("model::{Probe, Rule}, engine, store::{row::{code}}}; use x::{y}"),
        ["model", "engine", "store"]
    );
}

const PURE: [&str; 9] =
    ["model", "config", "schedule", "detect", "incident", "notify", "engine", "backtest", "drill"];

#[test]
fn a_module_uses_only_modules_that_stand_above_it_in_lib_rs() {
    let rooms = rooms();
    let place: BTreeMap<&str, usize> = rooms.iter().enumerate().map(|(at, room)| (room.as_str(), at)).collect();
    let mut faults = Vec::new();
    for source in sources() {
        let Some(&own) = place.get(source.room()) else { continue };
        for (at, _) in source.code.match_indices("crate::") {
            let rest = &source.code[at + "crate::".len()..];
            let used = rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap();
            let listed = rest.strip_prefix('{').map_or(vec![used], group);
            for used in listed {
                if place.get(used).is_some_and(|&other| other > own) {
                    faults.push(format!("{} uses {used}, which stands below it", source.path));
                }
            }
        }
    }
    assert_none(&faults);
}

#[test]
fn the_pure_floors_know_no_io_no_clock_and_no_randomness() {
    let forbidden = [
        "tokio",
        "async",
        "await",
        "reqwest",
        "rusqlite",
        "hyper",
        "lettre::AsyncTransport",
        "TcpStream",
        "UdpSocket",
        "std::fs",
        "std::env",
        "std::process",
        "Instant",
        "SystemTime",
        "now()",
        "rand",
        "getrandom",
        "thread_rng",
        "tracing",
        "println",
        "HashSet",
    ];
    let mut faults = Vec::new();
    for source in sources().iter().filter(|source| PURE.contains(&source.room())) {
        // The CEL parser recurses deeply; it gets a stack of its own and nothing runs beside it.
        if has_word(&source.code, "std::thread") && source.path != "model/condition/language.rs" {
            faults.push(format!("{} names std::thread", source.path));
        }
        faults.extend(
            forbidden
                .iter()
                .filter(|word| has_word(&source.code, word.trim_end_matches("()")) && source.code.contains(**word))
                .map(|word| format!("{} names {word}", source.path)),
        );
    }
    assert_none(&faults);
}

#[test]
fn the_pure_floors_never_iterate_a_hash_map() {
    let mut faults = Vec::new();
    for source in sources().iter().filter(|source| PURE.contains(&source.room())) {
        for (at, _) in source.code.match_indices(": HashMap<") {
            let name = source.code[..at].rsplit(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap();
            for walk in ["iter", "iter_mut", "into_iter", "values", "values_mut", "keys", "drain", "retain"] {
                if source.code.contains(&format!("{name}.{walk}(")) {
                    faults.push(format!("{} walks the hash map {name} with {walk}", source.path));
                }
            }
            if source.code.contains(&format!("in &self.{name}")) || source.code.contains(&format!("in self.{name}")) {
                faults.push(format!("{} walks the hash map {name}", source.path));
            }
        }
    }
    assert_none(&faults);
}

#[test]
fn probe_store_and_deliver_do_not_know_each_other() {
    let mut faults = Vec::new();
    let apart = ["probe", "store", "deliver"];
    for source in sources().iter().filter(|source| apart.contains(&source.room())) {
        for other in apart.iter().filter(|other| **other != source.room()) {
            if source.code.contains(&format!("crate::{other}")) {
                faults.push(format!("{} uses {other}", source.path));
            }
        }
    }
    assert_none(&faults);
}

#[test]
fn serde_stays_in_the_wire_files_and_sql_in_the_store() {
    let wire = ["config/raw", "store/row", "notify/word"];
    let json = [
        "config/",
        "store/row",
        "cli/drill/json.rs",
        "cli/once.rs",
        "cli/backtest.rs",
        "cli/schema.rs",
        "probe/",
        "demo/forge",
    ];
    let mut faults = Vec::new();
    for source in sources() {
        if !source.is_in(&wire)
            && (has_word(&source.code, "serde")
                || has_word(&source.code, "Serialize")
                || has_word(&source.code, "Deserialize"))
        {
            faults.push(format!("{} names serde", source.path));
        }
        if !source.is_in(&json) && has_word(&source.code, "serde_json") {
            faults.push(format!("{} names serde_json", source.path));
        }
        // IMAP has a SELECT of its own, and a mail may be an UPDATE.
        if source.room() != "store" && !source.is_in(&["probe/imap", "notify/word/email.rs"]) {
            for word in ["rusqlite", "SELECT", "INSERT INTO", "UPDATE", "PRAGMA"] {
                if has_word(&source.code, word) {
                    faults.push(format!("{} speaks SQL: {word}", source.path));
                }
            }
        }
    }
    assert_none(&faults);
}

#[test]
fn only_the_clock_reads_the_wall_clock() {
    let mut faults = Vec::new();
    for source in sources().iter().filter(|source| source.path != "clock.rs") {
        for read in ["Timestamp::now()", "SystemTime", "Zoned::now()", "Utc::now()", "Local::now()"] {
            // `crate::model::Timestamp` has no `now`, so what is found is jiff's.
            if source.code.contains(read) {
                faults.push(format!("{} reads the wall clock: {read}", source.path));
            }
        }
    }
    assert_none(&faults);
}

#[test]
fn nothing_outside_tests_can_panic_on_purpose_or_grow_without_bound() {
    let forbidden = [
        ".unwrap()",
        ".expect(",
        "panic!(",
        "todo!(",
        "unimplemented!(",
        "unreachable!(",
        "unsafe {",
        "unsafe fn",
        "unbounded_channel",
        "mpsc::channel()",
        "allow(dead_code)",
        "allow(unused",
        "FIXME",
        "TODO",
    ];
    let mut faults = Vec::new();
    for source in sources() {
        faults.extend(
            forbidden
                .iter()
                .filter(|word| source.code.contains(**word))
                .map(|word| format!("{} has {word}", source.path)),
        );
    }
    assert_none(&faults);
}

#[test]
fn a_file_begins_with_what_it_is_and_stays_under_400_lines() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for folder in ["core", "src", "tests", "benches"] {
        files(&root.join(folder), &mut found);
    }
    let mut faults = Vec::new();
    for path in found {
        let text = std::fs::read_to_string(&path).unwrap();
        let shown = path.strip_prefix(root).unwrap().display().to_string();
        if !text.starts_with("//!") && !is_test(&shown) {
            faults.push(format!("{shown} does not say what it is"));
        }
        let lines = text.lines().count();
        if lines > 400 {
            faults.push(format!("{shown} has {lines} lines"));
        }
    }
    assert_none(&faults);
}

#[test]
fn words_that_say_nothing_name_nothing() {
    let empty =
        ["monitor", "endpoint", "manager", "service", "handler", "util", "utils", "common", "helper", "helpers"];
    let mut faults = Vec::new();
    for source in sources() {
        let parts = source.path.trim_end_matches(".rs").split(['/', '_']);
        faults
            .extend(parts.filter(|part| empty.contains(part)).map(|part| format!("{} is named {part}", source.path)));
        for keyword in ["struct ", "enum ", "trait ", "mod ", "fn "] {
            for (at, _) in source.code.match_indices(keyword) {
                let name: String = source.code[at + keyword.len()..]
                    .chars()
                    .take_while(|c| c.is_alphanumeric() || *c == '_')
                    .collect();
                let lower = name.to_lowercase();
                faults.extend(
                    empty
                        .iter()
                        .filter(|word| {
                            lower == **word
                                || name.contains(&capital(word))
                                || lower.split('_').any(|part| part == **word)
                        })
                        .map(|word| format!("{} names {name}: {word}", source.path)),
                );
            }
        }
    }
    assert_none(&faults);
}

fn capital(word: &str) -> String {
    word[..1].to_uppercase() + &word[1..]
}

#[test]
fn there_is_one_tls_stack_and_it_is_rustls_with_aws_lc() {
    for other in ["ring", "openssl-sys", "native-tls"] {
        let tree = std::process::Command::new(env!("CARGO"))
            .args(["tree", "--offline", "--edges", "normal,build", "--invert", other])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .unwrap();
        let shown = String::from_utf8_lossy(&tree.stdout);
        assert!(shown.trim().is_empty(), "{other} is in the tree:\n{shown}");
    }
    let ours = std::process::Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--edges", "normal", "--invert", "aws-lc-rs"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&ours.stdout).contains("rustls"), "aws-lc-rs is in the tree: the test can tell");
}
