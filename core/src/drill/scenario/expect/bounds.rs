//! Bounds: how many, and when.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::config::raw::tree::Value;
use crate::config::reader::{Entry, Reader};
use crate::config::words::seconds;
use crate::model::unit::show_duration;

const RANGE_KEYS: &[&str] = &["min", "max", "exactly"];
const SPAN_KEYS: &[&str] = &["min", "max"];
/// The most that can be counted.
pub(super) const MOST_COUNTED: u64 = 1_000_000;
/// The longest time that can be expected.
pub(super) const LONGEST_EXPECTED: Duration = seconds(366 * 86_400);

/// A number between two others, both included.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Range {
    /// At least so many.
    pub min: u64,
    /// At most so many.
    pub max: Option<u64>,
}

/// A time of the drill between two others, both included.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span {
    /// Not before.
    pub min: Duration,
    /// Not after.
    pub max: Option<Duration>,
}

/// Whether it has no key at all. A key that is not known is told as such.
pub(super) fn is_empty(entry: Entry<'_>) -> bool {
    match &entry.node.value {
        Value::Null => true,
        Value::Map(pairs) => pairs.is_empty(),
        _ => false,
    }
}

/// A number, or a map of bounds.
pub(super) fn range(reader: &mut Reader<'_>, entry: Entry<'_>) -> Option<Range> {
    let exactly = |count| Range { min: count, max: Some(count) };
    if !matches!(entry.node.value, Value::Map(_)) {
        return reader.whole(entry, 0, MOST_COUNTED).map(exactly);
    }
    const EXAMPLE: &str = "write `notifications: {max: 3}`";
    let table = reader.table(entry, RANGE_KEYS, EXAMPLE)?;
    if is_empty(entry) {
        reader.fault(entry.at, "bounds that say nothing hold any number", EXAMPLE);
        return None;
    }
    let mut bounds: BTreeMap<&str, u64> = BTreeMap::new();
    for name in RANGE_KEYS {
        let Some(entry) = table.get(name) else { continue };
        bounds.insert(name, reader.whole(entry, 0, MOST_COUNTED)?);
    }
    match (bounds.get("exactly"), bounds.get("min"), bounds.get("max")) {
        (Some(&count), None, None) => Some(exactly(count)),
        (Some(_), ..) => {
            reader.fault(entry.at, "`exactly` goes with neither `min` nor `max`", "remove it, or the others");
            None
        }
        (None, Some(min), Some(max)) if min > max => {
            let fault = format!("no number is at least {min} and at most {max}");
            reader.fault(entry.at, fault, "let `max` be no less than `min`");
            None
        }
        (None, min, max) => Some(Range { min: min.copied().unwrap_or(0), max: max.copied() }),
    }
}

/// A time and, after it, so much leeway; or a map of bounds.
pub(super) fn span(reader: &mut Reader<'_>, entry: Entry<'_>, leeway: Duration) -> Option<Span> {
    if !matches!(entry.node.value, Value::Map(_)) {
        let min = reader.duration(entry, Duration::ZERO, LONGEST_EXPECTED)?;
        return Some(Span { min, max: Some(min.saturating_add(leeway)) });
    }
    let example = format!("write `{}: {{min: 10m, max: 11m}}`", entry.name);
    let table = reader.table(entry, SPAN_KEYS, &example)?;
    if is_empty(entry) {
        reader.fault(entry.at, "bounds that say nothing hold any time", example);
        return None;
    }
    let mut bounds: BTreeMap<&str, Duration> = BTreeMap::new();
    for name in SPAN_KEYS {
        let Some(entry) = table.get(name) else { continue };
        bounds.insert(name, reader.duration(entry, Duration::ZERO, LONGEST_EXPECTED)?);
    }
    let (min, max) = (bounds.get("min").copied().unwrap_or_default(), bounds.get("max").copied());
    if let Some(max) = max.filter(|max| min > *max) {
        let fault =
            format!("no time is {} at the soonest and {} at the latest", show_duration(min), show_duration(max));
        reader.fault(entry.at, fault, "let `max` be no less than `min`");
        return None;
    }
    Some(Span { min, max })
}
