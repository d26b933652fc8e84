//! `noise`: failures that have nothing to do with the faults.

use std::time::Duration;

use super::answer::failure_or_status;
use super::fault::over;
use super::{Answer, Blips, Noise};
use crate::config::Config;
use crate::config::raw::tree::Value;
use crate::config::reader::{Entry, Reader};
use crate::config::words::seconds;
use crate::model::{FailureClass, Ratio};

const KEYS: &[&str] = &["share", "failure", "status", "blips"];
const BLIPS_KEYS: &[&str] = &["every", "for", "over", "failure", "status"];
const BLIPS: &str = "write `blips: {every: 1h, for: 2s, failure: connect}`";
/// The longest stretch in which there is one blip.
const LONGEST_STRETCH: Duration = seconds(366 * 86_400);

impl Noise {
    /// None at all.
    pub(super) fn none() -> Self {
        Self { share: Ratio::default(), answer: Answer::Failure(FailureClass::ServerError), blips: Vec::new() }
    }
}

/// `0.2%`, or a map.
pub(super) fn read(reader: &mut Reader<'_>, entry: Entry<'_>, config: Option<&Config>) -> Option<Noise> {
    let none = Noise::none();
    if !matches!(entry.node.value, Value::Map(_)) {
        return reader.ratio(entry).map(|share| Noise { share, ..none });
    }
    let table = reader.table(entry, KEYS, "write `noise: 0.2%`")?;
    let share = match table.get("share") {
        Some(entry) => reader.ratio(entry),
        None => Some(none.share),
    };
    let answer = failure_or_status(reader, &table, none.answer);
    let all = match table.get("blips") {
        Some(entry) if matches!(entry.node.value, Value::List(_)) => reader.list(entry, BLIPS)?,
        Some(entry) => vec![entry],
        None => Vec::new(),
    };
    let all: Vec<Option<Blips>> = all.into_iter().map(|entry| blips(reader, entry, config)).collect();
    Some(Noise { share: share?, answer: answer?, blips: all.into_iter().collect::<Option<_>>()? })
}

fn blips(reader: &mut Reader<'_>, entry: Entry<'_>, config: Option<&Config>) -> Option<Blips> {
    let table = reader.table(entry, BLIPS_KEYS, BLIPS)?;
    let every =
        reader.need(&table, "every", BLIPS).and_then(|entry| reader.duration(entry, seconds(1), LONGEST_STRETCH));
    let most = every.unwrap_or(LONGEST_STRETCH);
    let length =
        reader.need(&table, "for", BLIPS).and_then(|entry| reader.duration(entry, Duration::from_millis(1), most));
    let over = over(reader, &table, config);
    let answer = failure_or_status(reader, &table, Answer::Failure(FailureClass::Connect));
    Some(Blips { every: every?, length: length?, over: over?, answer: answer? })
}
