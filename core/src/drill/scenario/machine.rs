//! What happens to Tripline itself: its clock, its network, its process, its configuration, its mail.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::stretch::{moment, stretch};
use super::{Refused, Reload};
use crate::config::Config;
use crate::config::reader::{Entry, Names, Reader};
use crate::config::words::seconds;
use crate::model::ReceiverId;
use crate::model::unit::{parse_duration, show_duration};

const CLOCK_KEYS: &[&str] = &["at", "by"];
const STRETCH_KEYS: &[&str] = &["from", "until"];
const RELOAD_KEYS: &[&str] = &["at", "config"];
const REFUSED_KEYS: &[&str] = &["from", "until", "receiver"];

/// The farthest that a clock is set.
const FARTHEST_STEP: Duration = seconds(366 * 86_400);

/// A step of the wall clock, in milliseconds.
pub(super) fn step(reader: &mut Reader<'_>, entry: Entry<'_>, end: Duration) -> Option<(Duration, i64)> {
    let example = "write `- {at: 10m, by: -30s}`";
    let table = reader.table(entry, CLOCK_KEYS, example)?;
    let at = moment(reader, &table, end, example);
    let by = reader.need(&table, "by", example).and_then(|entry| signed(reader, entry));
    Some((at?, by?))
}

/// A duration with a sign, in milliseconds.
fn signed(reader: &mut Reader<'_>, entry: Entry<'_>) -> Option<i64> {
    let text = reader.word(entry)?;
    let (sign, length) = match text.value.strip_prefix('-') {
        Some(length) => (-1, length),
        None => (1, text.value.strip_prefix('+').unwrap_or(&text.value)),
    };
    match parse_duration(length) {
        Ok(length) if length <= FARTHEST_STEP => i64::try_from(length.as_millis()).ok().map(|millis| sign * millis),
        Ok(_) => {
            let fault = format!("`{}` is {}", entry.name, text.show());
            reader.fault(
                text.place,
                fault,
                format!("it must be at most {} either way", show_duration(FARTHEST_STEP)),
            );
            None
        }
        Err(why) => {
            reader.fault(text.place, why.fault, "write it like 30s, or -30s to set the clock back");
            None
        }
    }
}

/// A time without network.
pub(super) fn away(reader: &mut Reader<'_>, entry: Entry<'_>, end: Duration) -> Option<(Duration, Duration)> {
    let table = reader.table(entry, STRETCH_KEYS, "write `- {from: 10m, until: 12m}`")?;
    stretch(reader, &table, end)
}

/// The times in which the process is stopped, in their order. `restarts` must not lie in one of them.
pub(super) fn suspended(
    reader: &mut Reader<'_>,
    entries: Vec<Entry<'_>>,
    end: Duration,
    restarts: &[Duration],
) -> Vec<(Duration, Duration)> {
    let mut found: Vec<(Duration, Duration)> = Vec::new();
    for entry in entries {
        let Some(table) = reader.table(entry, STRETCH_KEYS, "write `- {from: 10m, until: 12m}`") else { continue };
        let Some((from, until)) = stretch(reader, &table, end) else { continue };
        if let Some((other, _)) = found.iter().find(|(other, ended)| *other < until && from < *ended) {
            let fault = format!("the process is stopped already by the time from {} on", show_duration(*other));
            reader.fault(table.at, fault, "make one time of the two, or let the first end before the second begins");
            continue;
        }
        if let Some(restart) = restarts.iter().find(|restart| from <= **restart && **restart < until) {
            let fault = format!("the daemon is restarted at {} and stopped meanwhile", show_duration(*restart));
            reader.fault(table.at, fault, "let it end before the restart, or begin after it");
            continue;
        }
        found.push((from, until));
    }
    found.sort_unstable();
    found
}

/// A reload; `load` loads its configuration, or says in one line why there is none.
pub(super) fn reload(
    reader: &mut Reader<'_>,
    entry: Entry<'_>,
    end: Duration,
    load: &dyn Fn(&str) -> Result<Arc<Config>, String>,
) -> Option<Reload> {
    let example = "write `- {at: 10m, config: after.yaml}`";
    let table = reader.table(entry, RELOAD_KEYS, example)?;
    let at = moment(reader, &table, end, example);
    let path = reader.need(&table, "config", example).and_then(|entry| reader.text(entry))?;
    match load(&path.value) {
        Ok(config) => Some(Reload { at: at?, path: path.value, config }),
        Err(why) => {
            reader.fault(path.place, why, "name a configuration, as seen from the scenario's folder");
            None
        }
    }
}

/// A time in which mail is refused.
pub(super) fn refused(
    reader: &mut Reader<'_>,
    entry: Entry<'_>,
    end: Duration,
    configs: &[Arc<Config>],
) -> Option<Refused> {
    let table = reader.table(entry, REFUSED_KEYS, "write `- {from: 10m, until: 12m, receiver: oncall}`")?;
    let stretch = stretch(reader, &table, end);
    let receiver = match table.get("receiver") {
        Some(_) if configs.is_empty() => None,
        Some(entry) => {
            let all: BTreeSet<&str> =
                configs.iter().flat_map(|config| config.receivers.keys()).map(ReceiverId::as_str).collect();
            let names = Names { what: "receiver", all: all.into_iter().collect(), needed: false };
            Some(ReceiverId::from(reader.reference(entry, &names)?.value))
        }
        None => None,
    };
    let (from, until) = stretch?;
    Some(Refused { from, until, receiver })
}
