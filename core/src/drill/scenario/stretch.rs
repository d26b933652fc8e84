//! Times of a drill: moments, stretches and lists of them.

use std::time::Duration;

use crate::config::raw::tree::Value;
use crate::config::reader::{Entry, Reader, Table};
use crate::model::unit::show_duration;

/// `from` and `until`, which is the drill's end unless given.
pub(super) fn stretch(reader: &mut Reader<'_>, table: &Table<'_>, end: Duration) -> Option<(Duration, Duration)> {
    let from = reader
        .need(table, "from", "say when it begins, from the drill's start: `from: 5m`")
        .and_then(|entry| reader.duration(entry, Duration::ZERO, end));
    let until = match table.get("until") {
        Some(entry) => reader.duration(entry, Duration::ZERO, end).map(|until| (until, entry.node.place)),
        None => Some((end, table.at)),
    };
    let (from, (until, place)) = (from?, until?);
    if until <= from {
        let fault = format!("it ends at {} and begins at {}", show_duration(until), show_duration(from));
        reader.fault(place, fault, "both are counted from the drill's start: let it end after it begins");
        return None;
    }
    Some((from, until))
}

/// `at`.
pub(super) fn moment(reader: &mut Reader<'_>, table: &Table<'_>, end: Duration, example: &str) -> Option<Duration> {
    reader.need(table, "at", example).and_then(|entry| reader.duration(entry, Duration::ZERO, end))
}

/// The items of a list that may be left out or empty.
pub(super) fn items<'n>(reader: &mut Reader<'_>, table: &Table<'n>, name: &str, example: &str) -> Vec<Entry<'n>> {
    match table.get(name) {
        Some(entry) if matches!(&entry.node.value, Value::List(items) if items.is_empty()) => Vec::new(),
        Some(entry) => reader.list(entry, example).unwrap_or_default(),
        None => Vec::new(),
    }
}
