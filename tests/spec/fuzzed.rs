//! What fuzzing found worth keeping is given to the parsers again: nothing of it may panic or take long.

use std::path::Path;
use std::time::{Duration, Instant};

#[path = "../../fuzz/checks.rs"]
mod checks;

#[test]
fn the_corpus_of_each_fuzz_target_is_parsed_without_a_finding() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    for (name, check) in checks::ALL {
        let mut count = 0;
        for entry in std::fs::read_dir(root.join("corpus").join(name)).unwrap() {
            let path = entry.unwrap().path();
            let began = Instant::now();
            check(&std::fs::read(&path).unwrap());
            // What takes a fuzzer's time would take a check's; a debug build is some thirty times slower than a real one.
            assert!(began.elapsed() < Duration::from_secs(5), "{} took {:?}", path.display(), began.elapsed());
            count += 1;
        }
        assert!(count > 0, "the corpus of {name} is empty");
    }
}

#[test]
fn every_fuzz_target_is_replayed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let mut targets: Vec<String> = std::fs::read_dir(root.join("fuzz_targets"))
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    targets.sort();
    let mut replayed: Vec<&str> = checks::ALL.iter().map(|(name, _)| *name).collect();
    replayed.sort_unstable();
    assert_eq!(targets, replayed);
    let manifest = std::fs::read_to_string(root.join("Cargo.toml")).unwrap();
    for name in replayed {
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name} can be run");
    }
}
