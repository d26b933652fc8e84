//! `faults`: what goes wrong.

use std::time::Duration;

use super::{Answer, Fault};
use crate::config::Config;
use crate::config::problem::nearest;
use crate::config::raw::tree::Value;
use crate::config::reader::{Entry, Reader, Table};
use crate::config::rules;
use crate::config::words::seconds;
use crate::model::unit::show_duration;
use crate::model::{FailureClass, Ratio, Scope};

const KEYS: &[&str] =
    &["from", "until", "over", "failure", "status", "latency", "certificate", "missing", "share", "flap"];
const SHARE_KEYS: &[&str] = &["from", "to"];
const FLAP_KEYS: &[&str] = &["on", "off"];
/// The keys of which a fault has exactly one.
const ANSWERS: [&str; 5] = ["failure", "status", "latency", "certificate", "missing"];

const EXAMPLE: &str = "write `- {from: 5m, until: 10m, failure: server_error}`";
/// The farthest that a certificate's end lies ahead.
const FARTHEST_EXPIRY: Duration = seconds(3_650 * 86_400);

/// Reads one fault. `end` is the drill's.
pub(super) fn read(
    reader: &mut Reader<'_>,
    entry: Entry<'_>,
    end: Duration,
    config: Option<&Config>,
) -> Option<Fault> {
    let entry = Entry { name: "a fault", ..entry };
    let table = reader.table(entry, KEYS, EXAMPLE)?;
    let stretch = stretch(reader, &table, end);
    let over = match (table.get("over"), config) {
        (Some(entry), Some(config)) => rules::over(reader, entry, config),
        _ => Some(Scope::default()),
    };
    let answer = answer(reader, &table);
    let share = match table.get("share") {
        Some(entry) => share(reader, entry),
        None => Some((Ratio::ONE, Ratio::ONE)),
    };
    let flap = match table.get("flap") {
        Some(entry) => Some(flap(reader, entry)?),
        None => None,
    };
    let (from, until) = stretch?;
    Some(Fault { from, until, over: over?, answer: answer?, share: share?, flap })
}

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

fn answer(reader: &mut Reader<'_>, table: &Table<'_>) -> Option<Answer> {
    let given: Vec<Entry<'_>> = ANSWERS.into_iter().filter_map(|name| table.get(name)).collect();
    let entry = match given[..] {
        [entry] => entry,
        [] => {
            let remedy = "give it `failure`, `status`, `latency`, `certificate` or `missing`";
            reader.fault(table.at, "the fault does not say what goes wrong", remedy);
            return None;
        }
        [first, second, ..] => {
            let fault = format!("a fault does one thing, and `{}` does not go with `{}`", second.name, first.name);
            reader.fault(second.at, fault, "make two faults of it");
            return None;
        }
    };
    match entry.name {
        "failure" => class(reader, entry).map(Answer::Failure),
        "status" => status(reader, entry).map(Answer::Status),
        "latency" => reader.duration(entry, Duration::from_millis(1), seconds(3_600)).map(Answer::Latency),
        "certificate" => reader.duration(entry, Duration::ZERO, FARTHEST_EXPIRY).map(Answer::Certificate),
        _ => match reader.flag(entry)? {
            true => Some(Answer::Missing),
            false => {
                reader.fault(entry.at, "a fault that is not there does nothing", "write `missing: true`");
                None
            }
        },
    }
}

/// A failure class by its name.
pub(super) fn class(reader: &mut Reader<'_>, entry: Entry<'_>) -> Option<FailureClass> {
    let text = reader.word(entry)?;
    let class = FailureClass::from_name(&text.value);
    if class.is_none() {
        let remedy = nearest(&text.value, FailureClass::ALL.iter().map(|class| class.as_str()), "it is one of");
        reader.fault(text.place, format!("there is no failure class `{}`", text.show()), remedy);
    }
    class
}

/// An HTTP status.
pub(super) fn status(reader: &mut Reader<'_>, entry: Entry<'_>) -> Option<u16> {
    reader.whole(entry, 100, 599).and_then(|status| u16::try_from(status).ok())
}

/// `20%`, or a ramp.
fn share(reader: &mut Reader<'_>, entry: Entry<'_>) -> Option<(Ratio, Ratio)> {
    if !matches!(entry.node.value, Value::Map(_)) {
        return reader.ratio(entry).map(|share| (share, share));
    }
    let example = "write `share: {from: 0%, to: 100%}`";
    let table = reader.table(entry, SHARE_KEYS, example)?;
    let from = reader.need(&table, "from", example).and_then(|entry| reader.ratio(entry));
    let to = reader.need(&table, "to", example).and_then(|entry| reader.ratio(entry));
    Some((from?, to?))
}

fn flap(reader: &mut Reader<'_>, entry: Entry<'_>) -> Option<(Duration, Duration)> {
    let example = "write `flap: {on: 30s, off: 30s}`";
    let table = reader.table(entry, FLAP_KEYS, example)?;
    let mut length = |name| {
        let entry = reader.need(&table, name, example)?;
        reader.duration(entry, Duration::from_millis(1), seconds(86_400))
    };
    let (on, off) = (length("on"), length("off"));
    Some((on?, off?))
}
