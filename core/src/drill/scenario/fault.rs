//! `faults`: what goes wrong.

use std::time::Duration;

use super::answer::{class, status};
use super::stretch::stretch;
use super::{Answer, Fault};
use crate::config::Config;
use crate::config::raw::tree::Value;
use crate::config::reader::{Entry, Reader, Table};
use crate::config::rules;
use crate::config::words::seconds;
use crate::model::{Ratio, Scope};

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
    let over = over(reader, &table, config);
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

/// `over`, which is everything unless given.
pub(super) fn over(reader: &mut Reader<'_>, table: &Table<'_>, config: Option<&Config>) -> Option<Scope> {
    match (table.get("over"), config) {
        (Some(entry), Some(config)) => rules::over(reader, entry, config),
        _ => Some(Scope::default()),
    }
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
