//! From text to meaning: a scenario as a whole.

use std::sync::Arc;
use std::time::Duration;

use super::{Act, Answer, Blips, Fault, Noise, Scenario, expect, fault};
use crate::config::problem::{Place, Problem};
use crate::config::raw::tree::{self, Value};
use crate::config::reader::{Entry, Reader, Table};
use crate::config::words::{seconds, shown_name};
use crate::config::{Config, Outside, Problems};
use crate::model::unit::{parse_duration, show_duration};
use crate::model::{ActionKind, FailureClass, Ratio, Secrets, Timestamp};

const KEYS: &[&str] = &[
    "name", "config", "start", "length", "seed", "noise", "faults", "restarts", "clock", "offline", "acts", "expect",
];
const NOISE_KEYS: &[&str] = &["share", "failure", "status", "blips"];
const BLIPS_KEYS: &[&str] = &["every", "for", "failure", "status"];
const CLOCK_KEYS: &[&str] = &["at", "by"];
const OFFLINE_KEYS: &[&str] = &["from", "until"];
const ACT_KEYS: &[&str] = &["at", "do", "by"];

/// 2025-01-01T00:00:00Z.
const START: Timestamp = Timestamp::from_millis(1_735_689_600_000);
/// The longest drill.
const LONGEST_DRILL: Duration = seconds(366 * 86_400);
/// The farthest that a clock is set.
const FARTHEST_STEP: Duration = seconds(366 * 86_400);

/// What loads the configuration that a scenario names, or says in one line why there is none.
pub type Configs<'a> = &'a dyn Fn(Option<&str>) -> Result<Arc<Config>, String>;

/// Reads a scenario. `file` is its name as problems show it; `config` loads the configuration that it names.
///
/// # Errors
/// With every problem that the text has, in the order of the file. Where the config cannot be had, what refers to it is
/// not judged.
pub fn read(
    file: &str,
    text: &str,
    outside: &dyn Outside,
    config: Configs<'_>,
) -> Result<(Scenario, Arc<Config>), Problems> {
    let start = Place { line: 1, column: 1, length: 1 };
    let refuse = |problem| Problems::new(file, text, vec![problem], &Secrets::default());
    let root = tree::parse(text).map_err(refuse)?;
    if !matches!(root.value, Value::Map(_)) {
        let problem = Problem::new(start, "a scenario is a map of keys", "start with `name: The database is down`");
        return Err(refuse(problem));
    }
    let mut reader = Reader::new(outside);
    let read = whole(&mut reader, Entry { name: "the file", at: start, node: &root }, config);
    let (problems, secrets) = reader.finish();
    match read {
        Some(read) if problems.is_empty() => Ok(read),
        _ => Err(Problems::new(file, text, problems, &secrets)),
    }
}

fn whole(reader: &mut Reader<'_>, entry: Entry<'_>, config: Configs<'_>) -> Option<(Scenario, Arc<Config>)> {
    let table = reader.table(entry, KEYS, "start with `name: …`")?;
    let name = reader
        .need(&table, "name", "say what is rehearsed: `name: The database is down`")
        .and_then(|entry| shown_name(reader, entry));
    let config = configuration(reader, &table, config);
    let start = match table.get("start") {
        Some(entry) => moment(reader, entry),
        None => Some(START),
    };
    let length = reader
        .need(&table, "length", "say how long the drill goes on: `length: 30m`")
        .and_then(|entry| reader.duration(entry, seconds(1), LONGEST_DRILL));
    let seed = match table.get("seed") {
        Some(entry) => reader.whole(entry, 0, u64::MAX),
        None => Some(1),
    };
    let noise = match table.get("noise") {
        Some(entry) => noise(reader, entry),
        None => Some(Noise::none()),
    };
    // A length that cannot be read is told once.
    let end = length.unwrap_or(LONGEST_DRILL);
    let faults = items(reader, &table, "faults", "list faults: `- {from: 5m, until: 10m, failure: server_error}`");
    let faults: Vec<Fault> =
        faults.into_iter().filter_map(|entry| fault::read(reader, entry, end, config.as_deref())).collect();
    let restarts = items(reader, &table, "restarts", "list times: `restarts: [12m]`");
    let restarts = restarts.into_iter().filter_map(|entry| reader.duration(entry, Duration::ZERO, end)).collect();
    let clock = items(reader, &table, "clock", "list steps: `- {at: 10m, by: -30s}`");
    let clock = clock.into_iter().filter_map(|entry| step(reader, entry, end)).collect();
    let offline = items(reader, &table, "offline", "list times: `- {from: 10m, until: 12m}`");
    let offline = offline.into_iter().filter_map(|entry| away(reader, entry, end)).collect();
    let acts = items(reader, &table, "acts", "list acts: `- {at: 12m, do: acknowledge, by: ada}`");
    let acts = acts.into_iter().filter_map(|entry| act(reader, entry, end)).collect();
    let expect = reader
        .need(&table, "expect", "say what should come of it: `expect: {incidents: 1}`")
        .and_then(|entry| expect::read(reader, entry, config.as_deref()));
    let (name, start, length, seed, noise, expect) = (name?, start?, length?, seed?, noise?, expect?);
    let scenario = Scenario { name, start, length, seed, noise, faults, restarts, clock, offline, acts, expect };
    Some((scenario, config?))
}

fn configuration(reader: &mut Reader<'_>, table: &Table<'_>, config: Configs<'_>) -> Option<Arc<Config>> {
    let named = match table.get("config") {
        Some(entry) => Some((reader.text(entry)?, entry)),
        None => None,
    };
    match config(named.as_ref().map(|(path, _)| path.value.as_str())) {
        Ok(config) => Some(config),
        Err(why) => {
            let place = named.map_or(table.at, |(path, _)| path.place);
            let remedy =
                "`config: probes.yaml` names it, as seen from the scenario's folder; so does `--config FILE`";
            reader.fault(place, why, remedy);
            None
        }
    }
}

/// The items of a list that may be left out or empty.
fn items<'n>(reader: &mut Reader<'_>, table: &Table<'n>, name: &str, example: &str) -> Vec<Entry<'n>> {
    match table.get(name) {
        Some(entry) if matches!(&entry.node.value, Value::List(items) if items.is_empty()) => Vec::new(),
        Some(entry) => reader.list(entry, example).unwrap_or_default(),
        None => Vec::new(),
    }
}

fn moment(reader: &mut Reader<'_>, entry: Entry<'_>) -> Option<Timestamp> {
    let text = reader.text(entry)?;
    match text.value.parse::<jiff::Timestamp>() {
        Ok(moment) => Some(Timestamp::from(moment)),
        Err(_) => {
            let fault = format!("`{}` is no moment", text.show());
            reader.fault(text.place, fault, "write it with its offset, like 2025-02-11T15:31:00Z");
            None
        }
    }
}

impl Noise {
    fn none() -> Self {
        Self { share: Ratio::default(), answer: Answer::Failure(FailureClass::ServerError), blips: None }
    }
}

/// `0.2%`, or a map.
fn noise(reader: &mut Reader<'_>, entry: Entry<'_>) -> Option<Noise> {
    let none = Noise::none();
    if !matches!(entry.node.value, Value::Map(_)) {
        return reader.ratio(entry).map(|share| Noise { share, ..none });
    }
    let table = reader.table(entry, NOISE_KEYS, "write `noise: 0.2%`")?;
    let share = match table.get("share") {
        Some(entry) => reader.ratio(entry),
        None => Some(none.share),
    };
    let answer = answer(reader, &table, none.answer);
    let blips = match table.get("blips") {
        Some(entry) => Some(blips(reader, entry)?),
        None => None,
    };
    Some(Noise { share: share?, answer: answer?, blips })
}

fn blips(reader: &mut Reader<'_>, entry: Entry<'_>) -> Option<Blips> {
    let example = "write `blips: {every: 1h, for: 2s, failure: connect}`";
    let table = reader.table(entry, BLIPS_KEYS, example)?;
    let every =
        reader.need(&table, "every", example).and_then(|entry| reader.duration(entry, seconds(1), LONGEST_DRILL));
    let most = every.unwrap_or(LONGEST_DRILL);
    let length =
        reader.need(&table, "for", example).and_then(|entry| reader.duration(entry, Duration::from_millis(1), most));
    let answer = answer(reader, &table, Answer::Failure(FailureClass::Connect));
    Some(Blips { every: every?, length: length?, answer: answer? })
}

/// `failure` or `status`, of which there is one at most.
fn answer(reader: &mut Reader<'_>, table: &Table<'_>, otherwise: Answer) -> Option<Answer> {
    match (table.get("failure"), table.get("status")) {
        (Some(_), Some(status)) => {
            reader.fault(status.at, "`status` does not go with `failure`", "remove one of the two");
            None
        }
        (Some(entry), None) => fault::class(reader, entry).map(Answer::Failure),
        (None, Some(entry)) => fault::status(reader, entry).map(Answer::Status),
        (None, None) => Some(otherwise),
    }
}

fn step(reader: &mut Reader<'_>, entry: Entry<'_>, end: Duration) -> Option<(Duration, i64)> {
    let example = "write `- {at: 10m, by: -30s}`";
    let table = reader.table(entry, CLOCK_KEYS, example)?;
    let at = reader.need(&table, "at", example).and_then(|entry| reader.duration(entry, Duration::ZERO, end));
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

fn away(reader: &mut Reader<'_>, entry: Entry<'_>, end: Duration) -> Option<(Duration, Duration)> {
    let table = reader.table(entry, OFFLINE_KEYS, "write `- {from: 10m, until: 12m}`")?;
    fault::stretch(reader, &table, end)
}

fn act(reader: &mut Reader<'_>, entry: Entry<'_>, end: Duration) -> Option<Act> {
    let example = "write `- {at: 12m, do: acknowledge, by: ada}`";
    let table = reader.table(entry, ACT_KEYS, example)?;
    let at = reader.need(&table, "at", example).and_then(|entry| reader.duration(entry, Duration::ZERO, end));
    let kinds = [("acknowledge", ActionKind::Acknowledge), ("resolve", ActionKind::Resolve)];
    let kind = reader.need(&table, "do", example).and_then(|entry| reader.choice(entry, &kinds));
    let by = match table.get("by") {
        Some(entry) => shown_name(reader, entry),
        None => Some("oncall".to_owned()),
    };
    Some(Act { at: at?, kind: kind?, by: by? })
}
