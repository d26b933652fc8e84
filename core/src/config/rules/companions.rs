//! The keys that go with several kinds of rule: `at_least`, `per` and `clear`.

use std::time::Duration;

use super::{LONGEST_WINDOW, Surroundings};
use crate::config::raw::keyed::keyed;
use crate::config::reader::{Entry, Reader, Table};
use crate::model::LabelName;

keyed! {
    /// When a breach is over.
    pub struct Clear {
        /// The share of bad checks is less than this ... Default: half of `above`. With `latency`, a time; default: `above`.
        /// Not with `change`, `consecutive` and `burn_rate`.
        pub below: Option<String>,
        /// ... for so long. Default: `within`, or 1m with `consecutive`, 30s with `change`, the short window with `burn_rate`.
        pub r#for: Option<String>,
    }
}

/// The key of it that a rule has for which something else says when a breach is over.
const HOLD_KEYS: &[&str] = &["for"];

/// More labels than this are not judged by: each check counts in every combination of its values of them.
const MOST_PER: usize = 4;

/// The `for` of `clear`, where nothing else says when a breach is over; it may not be given.
pub(super) fn hold(reader: &mut Reader<'_>, table: &Table<'_>) -> Option<Option<Duration>> {
    let Some(entry) = table.get("clear") else { return Some(None) };
    let table = reader.table(entry, HOLD_KEYS, "write `clear: {for: 1m}`")?;
    match table.get("for") {
        Some(entry) => reader.duration(entry, Duration::ZERO, LONGEST_WINDOW).map(Some),
        None => Some(None),
    }
}

/// `at_least`: so many checks.
pub(super) fn at_least(reader: &mut Reader<'_>, table: &Table<'_>, default: u32) -> Option<u32> {
    match table.get("at_least") {
        Some(entry) => reader.whole(entry, 1, 1_000_000).and_then(|count| u32::try_from(count).ok()),
        None => Some(default),
    }
}

/// The labels of `per`, none when it is not given.
pub(super) fn slices(
    reader: &mut Reader<'_>,
    table: &Table<'_>,
    around: &Surroundings<'_>,
) -> Option<Vec<LabelName>> {
    match table.get("per") {
        Some(entry) => per(reader, entry, around),
        None => Some(Vec::new()),
    }
}

fn per(reader: &mut Reader<'_>, entry: Entry<'_>, around: &Surroundings<'_>) -> Option<Vec<LabelName>> {
    let remedy = "name labels, or remove the key to judge the whole only";
    let names = reader.references(entry, &around.labels(), remedy)?;
    if names.len() > MOST_PER {
        let fault = format!("`per` names {} labels, and every combination of their values is judged", names.len());
        reader.fault(entry.at, fault, format!("name at most {MOST_PER}, or make two rules of it"));
        return None;
    }
    Some(names.into_iter().map(LabelName::from).collect())
}
