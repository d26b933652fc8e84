//! The source as the tests read it: which files there are, and their code without comments and tests.

use std::path::{Path, PathBuf};

pub(super) struct Source {
    /// Relative to the `src` of its package: `store/row.rs`.
    pub(super) path: String,
    /// Without comments, strings' contents kept, tests cut off.
    pub(super) code: String,
}

impl Source {
    /// The top-level module: `store` for `store/row.rs`, `engine` for `engine.rs`.
    pub(super) fn room(&self) -> &str {
        self.path.split('/').next().unwrap().trim_end_matches(".rs")
    }

    pub(super) fn is_in(&self, places: &[&str]) -> bool {
        places.iter().any(|place| self.path.starts_with(place))
    }
}

pub(super) fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
}

pub(super) fn is_test(path: &str) -> bool {
    path.split('/').any(|part| part == "tests" || part == "tests.rs" || part.ends_with("_tests.rs"))
}

/// The pure floors' package, and that of the others.
pub(super) const PACKAGES: [&str; 2] = ["core/src", "src"];

pub(super) fn sources() -> Vec<Source> {
    let mut sources = Vec::new();
    for package in PACKAGES {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(package);
        let mut found = Vec::new();
        files(&root, &mut found);
        let read = |path: &PathBuf| {
            let text = std::fs::read_to_string(path).unwrap();
            let shown = path.strip_prefix(&root).unwrap().display().to_string();
            let body = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
            let code: Vec<&str> = body.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
            Source { path: shown, code: code.join("\n") }
        };
        sources.extend(found.iter().map(read).filter(|source| !is_test(&source.path)));
    }
    assert!(sources.len() > 40, "the source is read: {}", sources.len());
    sources
}

/// The modules in the order in which the two `lib.rs` list them.
pub(super) fn rooms() -> Vec<String> {
    let listed = |package: &str| {
        let lib = Path::new(env!("CARGO_MANIFEST_DIR")).join(package).join("lib.rs");
        let lib = std::fs::read_to_string(lib).unwrap();
        let rooms = lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
        rooms.map(str::to_owned).collect::<Vec<_>>()
    };
    let rooms: Vec<String> = PACKAGES.into_iter().flat_map(listed).collect();
    assert!(rooms.len() >= 12, "{rooms:?}");
    rooms
}

/// Where a word stands as a whole word.
pub(super) fn has_word(code: &str, word: &str) -> bool {
    let edge = |character: Option<char>| character.is_none_or(|c| !c.is_alphanumeric() && c != '_');
    code.match_indices(word)
        .any(|(at, _)| edge(code[..at].chars().next_back()) && edge(code[at + word.len()..].chars().next()))
}
