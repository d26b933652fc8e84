//! Within a room, too, files depend on each other in one direction.

use std::collections::{BTreeMap, BTreeSet};

use super::source::{Source, sources};

/// A module: `["store", "reader", "outbox"]`.
type Module = Vec<String>;

fn module_of(source: &Source) -> Module {
    source.path.trim_end_matches(".rs").split('/').map(str::to_owned).collect()
}

/// The paths that a use tree names: `super::{a, b::{self, c}}` names `super::a`, `super::b::self` and `super::b::c`.
fn expand(tree: &str, found: &mut Vec<String>) {
    let tree = tree.trim();
    let Some((before, rest)) = tree.split_once('{') else {
        found.push(tree.split(" as ").next().unwrap().replace(' ', ""));
        return;
    };
    let inside = rest.strip_suffix('}').unwrap_or(rest);
    let (mut depth, mut start) = (0, 0);
    for (at, c) in inside.char_indices().chain([(inside.len(), ',')]) {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                let part = inside[start..at].trim();
                if !part.is_empty() {
                    expand(&format!("{before}{part}"), found);
                }
                start = at + 1;
            }
            _ => {}
        }
    }
}

/// What the code of a module names: the paths of its `use` lines, and those that stand in the code.
fn paths(code: &str) -> Vec<String> {
    let (mut found, mut rest, mut body) = (Vec::new(), code, String::new());
    while let Some(at) = rest.find("use ") {
        let whole = rest[..at].chars().next_back().is_none_or(|c| c.is_whitespace());
        body.push_str(&rest[..at]);
        let after = &rest[at + 4..];
        let Some(end) = after.find(';').filter(|_| whole) else {
            body.push_str("use ");
            rest = after;
            continue;
        };
        expand(&after[..end].split_whitespace().collect::<Vec<_>>().join(" "), &mut found);
        rest = &after[end + 1..];
    }
    body.push_str(rest);
    let part_of_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let named = body.split(|c| !part_of_path(c)).filter(|word| word.contains("::"));
    found.extend(named.map(|word| word.trim_matches(':').to_owned()));
    found
}

/// The module that a path leads to from this one: what is re-exported on the way is followed to where it stands.
fn resolve(from: &Module, path: &str, all: &BTreeMap<Module, Vec<String>>, steps: u8) -> Option<Module> {
    let mut at = from.clone();
    let mut names = path.split("::").peekable();
    match names.peek().copied() {
        Some("crate") => {
            names.next();
            at.clear();
        }
        Some("self") => _ = names.next(),
        _ => {}
    }
    while names.next_if_eq(&"super").is_some() {
        at.pop();
    }
    let rest: Vec<&str> = names.collect();
    for name in &rest {
        let below: Module = at.iter().cloned().chain([(*name).to_owned()]).collect();
        if all.contains_key(&below) {
            at = below;
            continue;
        }
        let own = all.get(&at).into_iter().flatten();
        let exported = own.filter(|path| path.rsplit("::").next() == Some(name) && path.contains("::"));
        let mut led = exported.filter(|_| steps > 0).filter_map(|path| resolve(&at, path, all, steps - 1));
        return led.find(|led| *led != at).or(Some(at));
    }
    Some(at)
}

/// For each folder of modules, which of its modules uses which other, with what is below them.
fn siblings() -> BTreeMap<Module, BTreeMap<String, BTreeSet<String>>> {
    let sources = sources();
    let all: BTreeMap<Module, Vec<String>> =
        sources.iter().map(|source| (module_of(source), paths(&source.code))).collect();
    let mut found: BTreeMap<Module, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
    for (module, paths) in &all {
        for path in paths {
            let Some(used) = resolve(module, path, &all, 4) else { continue };
            let shared = module.iter().zip(&used).take_while(|(a, b)| a == b).count();
            let (Some(own), Some(other)) = (module.get(shared), used.get(shared)) else { continue };
            if shared > 0 {
                let folder = found.entry(module[..shared].to_vec()).or_default();
                folder.entry(own.clone()).or_default().insert(other.clone());
            }
        }
    }
    found
}

/// Those that can be reached from one, in any number of steps.
fn reached<'a>(from: &str, uses: &'a BTreeMap<String, BTreeSet<String>>) -> BTreeSet<&'a str> {
    let (mut seen, mut next) = (BTreeSet::new(), vec![from]);
    while let Some(module) = next.pop() {
        for used in uses.get(module).into_iter().flatten() {
            if seen.insert(used.as_str()) {
                next.push(used);
            }
        }
    }
    seen
}

#[test]
fn no_files_of_a_room_need_each_other() {
    let folders = siblings();
    let edges: usize = folders.values().flat_map(BTreeMap::values).map(BTreeSet::len).sum();
    assert!(edges > 300, "the uses are read: {edges}");
    let mut faults = Vec::new();
    for (folder, uses) in &folders {
        let folder = folder.join("/");
        for module in uses.keys().filter(|module| reached(module, uses).contains(module.as_str())) {
            faults.push(format!("{folder}/{module} needs itself, by way of {:?}", uses[module]));
        }
    }
    super::assert_none(&faults);
}

#[test]
fn a_use_within_a_nested_group_is_seen() {
    let code = "use super::{a::B, c::{self, D as E}};\nfn f() { crate::x::y(); self.z(); g::h::<u8>() }";
    assert_eq!(paths(code), ["super::a::B", "super::c::self", "super::c::D", "crate::x::y", "g::h"]);
    let all = BTreeMap::from(
        [("r", "self::a::B"), ("r/a", ""), ("r/c", "")]
            .map(|(module, path)| (module.split('/').map(str::to_owned).collect(), vec![path.to_owned()])),
    );
    let at = |module: &str, path: &str| {
        resolve(&module.split('/').map(str::to_owned).collect(), path, &all, 4).unwrap().join("/")
    };
    assert_eq!(at("r/c", "super::B"), "r/a", "what the room re-exports leads to the file in which it stands");
    assert_eq!(at("r/c", "crate::r::a::B"), "r/a");
    assert_eq!(at("r", "c::D"), "r/c");
}
