//! A kind of probe is named in two places of `src/probe`, as its head says: its own file, and one arm.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

/// The kinds that a source names: how often each.
fn named(code: &str) -> BTreeMap<String, usize> {
    let mut kinds = BTreeMap::new();
    for (at, found) in code.match_indices("ProbeKind::") {
        let name: String = code[at + found.len()..].chars().take_while(|c| c.is_alphanumeric()).collect();
        *kinds.entry(name).or_default() += 1;
    }
    kinds
}

#[test]
fn a_kind_is_named_by_its_own_file_and_by_one_arm() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let door = std::fs::read_to_string(src.join("probe.rs")).unwrap();
    let arms = named(&door);
    assert!(arms.len() >= 16, "{arms:?}");
    // A kind that is forgotten is a compile error, as long as no arm takes whatever is left.
    let whole = door.split("fn prepared_kind").nth(1).unwrap();
    assert!(!whole.contains("_ =>"), "an arm of prepared_kind takes any kind");
    for (kind, times) in &arms {
        let file = kind.to_lowercase();
        assert_eq!(*times, 1, "probe.rs names {kind} more than once");
        let arm = door.lines().find(|line| line.contains(&format!("ProbeKind::{kind}("))).unwrap();
        assert!(arm.contains(&format!("{file}::{kind}Probe")), "the arm of {kind} is not that of its file: {arm}");
        assert!(src.join(format!("probe/{file}.rs")).exists(), "{kind} has no file of its own");
    }
    let mut others = Vec::new();
    files(&src.join("probe"), &mut others);
    for path in others {
        let own = path.strip_prefix(src.join("probe")).unwrap().components().next().unwrap();
        let own = own.as_os_str().to_str().unwrap().trim_end_matches(".rs").to_owned();
        for kind in named(&std::fs::read_to_string(&path).unwrap()).keys() {
            assert_eq!(kind.to_lowercase(), own, "{} names {kind}", path.display());
        }
    }
}
