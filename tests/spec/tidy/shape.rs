//! How the parts are cut: closed sets are asked in one place, probes are not numbers, and the engine's owners stand on
//! their own.

use std::collections::BTreeSet;

use super::source::{PACKAGES, files, sources};

/// The closed sets, and the files in which their members are told apart, each with the reason: one for each floor, where a
/// member gets its file, and those that ask something that is not the member's own.
const CLOSED: [(&str, &[(&str, &str)]); 4] = [
    (
        "ProbeKind",
        &[
            ("model/kind.rs", "the words: what each kind is"),
            ("probe.rs", "the shell: what each kind prepares"),
            ("config/canaries.rs", "makes two kinds by itself, out of addresses"),
        ],
    ),
    (
        "RuleKind",
        &[
            ("model/rule.rs", "the words: what each kind is"),
            ("detect.rs", "the core: which watch each kind becomes"),
            ("config/rules/built_in.rs", "makes our own rules"),
            ("detect/time_to_detect.rs", "how soon each kind notices"),
            ("engine/case/assess.rs", "two kinds say in other words what is wrong"),
        ],
    ),
    (
        "ReceiverKind",
        &[
            ("model/receiver.rs", "the words: what each kind is"),
            ("notify/word.rs", "the core: how each kind is worded"),
            ("deliver.rs", "the shell: how each kind is delivered"),
        ],
    ),
    (
        "Message",
        &[
            ("model/notification.rs", "the words: what each form is"),
            ("store/row/message.rs", "how each form is stored"),
        ],
    ),
];

/// The members of a set that the code names: `RuleKind::Missing` names `Missing`.
fn members<'a>(set: &str, code: &'a str) -> BTreeSet<&'a str> {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let named = code.match_indices(set).filter(|(at, _)| !code[..*at].chars().next_back().is_some_and(word));
    let after = named.filter_map(|(at, _)| code[at + set.len()..].strip_prefix("::"));
    let names = after.map(|rest| rest.split(|c| !word(c)).next().unwrap());
    names.filter(|name| name.chars().next().is_some_and(char::is_uppercase)).collect()
}

#[test]
fn the_members_of_a_closed_set_are_told_apart_in_one_place_of_a_floor() {
    let sources = sources();
    let mut faults = Vec::new();
    for (set, places) in CLOSED {
        for source in &sources {
            // Within the file that has the enum its members are `Self::…`.
            let own = source.code.contains(&format!("enum {set} {{"));
            let listed = places.iter().any(|(place, _)| *place == source.path);
            // A WebSocket has messages of its own.
            let named =
                if source.code.contains("tungstenite") { BTreeSet::new() } else { members(set, &source.code) };
            if named.len() > 1 && !listed {
                faults.push(format!("{} tells {set} apart: {named:?}", source.path));
            }
            if listed && !own && named.is_empty() {
                faults.push(format!("{} is listed for {set} and tells nothing apart", source.path));
            }
        }
        for (place, _) in places {
            if !sources.iter().any(|source| source.path == *place) {
                faults.push(format!("{place} is listed for {set} and is not there"));
            }
        }
    }
    super::assert_none(&faults);
}

#[test]
fn a_probe_is_meant_by_an_index_that_is_no_mere_number() {
    let mut faults = Vec::new();
    for source in sources().iter().filter(|source| source.path != "model/probes.rs") {
        for number in ["usize", "u32", "u16"] {
            for name in ["probe", "probe_index", "index_of_probe"] {
                let typed = format!("{name}: {number}");
                if source.code.contains(&typed) {
                    faults.push(format!("{} has `{typed}`", source.path));
                }
            }
        }
    }
    super::assert_none(&faults);
}

#[test]
fn a_module_with_modules_below_it_is_a_file_beside_their_folder() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    PACKAGES.iter().for_each(|package| files(&root.join(package), &mut found));
    let faults: Vec<String> = found
        .iter()
        .filter(|path| path.file_name().is_some_and(|name| name == "mod.rs"))
        .map(|path| format!("{} is to be named for its folder", path.display()))
        .collect();
    super::assert_none(&faults);
}

#[test]
fn the_owners_behind_the_engine_do_not_know_its_door() {
    let owners = ["sight.rs", "cases.rs", "cases/", "case.rs", "case/", "tell.rs", "steady.rs", "restart.rs"];
    let mut faults = Vec::new();
    let mut read = 0;
    for source in sources().iter().filter(|source| source.room() == "engine") {
        let Some(own) = source.path.strip_prefix("engine/") else { continue };
        if owners.iter().any(|owner| own.starts_with(owner)) {
            read += 1;
            for word in ["Engine", "Input", "Output"] {
                if super::has_word(&source.code, word) {
                    faults.push(format!("{} names {word}", source.path));
                }
            }
        }
    }
    assert!(read >= 9, "the owners are read: {read}");
    super::assert_none(&faults);
}
