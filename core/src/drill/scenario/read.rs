//! From text to meaning: a scenario as a whole.

use std::sync::Arc;
use std::time::Duration;

use super::stretch::items;
use super::{Act, Fault, Noise, Reload, Scenario, act, expect, fault, machine, noise};
use crate::config::problem::{Place, Problem};
use crate::config::raw::tree::{self, Value};
use crate::config::reader::{Entry, Reader, Table};
use crate::config::words::{seconds, shown_name};
use crate::config::{Config, Outside, Problems};
use crate::model::{Secrets, Timestamp};

const KEYS: &[&str] = &[
    "name",
    "config",
    "start",
    "length",
    "seed",
    "noise",
    "faults",
    "restarts",
    "reloads",
    "clock",
    "offline",
    "suspended",
    "refused",
    "acts",
    "expect",
];

/// 2025-01-01T00:00:00Z.
const START: Timestamp = Timestamp::from_millis(1_735_689_600_000);
/// The longest drill.
const LONGEST_DRILL: Duration = seconds(366 * 86_400);

/// A configuration that a scenario needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wanted<'a> {
    /// The one that it begins with, and the file that it names for that, if it does.
    First(Option<&'a str>),
    /// The one in this file, which replaces another.
    Next(&'a str),
}

/// What loads a configuration that a scenario needs, or says in one line why there is none.
pub type Configs<'a> = &'a dyn Fn(Wanted<'_>) -> Result<Arc<Config>, String>;

/// Reads a scenario. `file` is its name as problems show it; `configs` loads the configurations that it names.
///
/// # Errors
/// With every problem that the text has, in the order of the file. Where the config cannot be had, what refers to it is
/// not judged.
pub fn read(
    file: &str,
    text: &str,
    outside: &dyn Outside,
    configs: Configs<'_>,
) -> Result<(Scenario, Arc<Config>), Problems> {
    let start = Place { line: 1, column: 1, length: 1 };
    let refuse = |problem| Problems::new(file, text, vec![problem], &Secrets::default());
    let root = tree::parse(text).map_err(refuse)?;
    if !matches!(root.value, Value::Map(_)) {
        let problem = Problem::new(start, "a scenario is a map of keys", "start with `name: The database is down`");
        return Err(refuse(problem));
    }
    let mut reader = Reader::new(outside);
    let read = whole(&mut reader, Entry { name: "the file", at: start, node: &root }, configs);
    let (problems, secrets) = reader.finish();
    match read {
        Some(read) if problems.is_empty() => Ok(read),
        _ => Err(Problems::new(file, text, problems, &secrets)),
    }
}

fn whole(reader: &mut Reader<'_>, entry: Entry<'_>, configs: Configs<'_>) -> Option<(Scenario, Arc<Config>)> {
    let table = reader.table(entry, KEYS, "start with `name: …`")?;
    let name = reader
        .need(&table, "name", "say what is rehearsed: `name: The database is down`")
        .and_then(|entry| shown_name(reader, entry));
    let config = configuration(reader, &table, configs);
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
        Some(entry) => noise::read(reader, entry, config.as_deref()),
        None => Some(Noise::none()),
    };
    // A length that cannot be read is told once.
    let end = length.unwrap_or(LONGEST_DRILL);
    let faults = items(reader, &table, "faults", "list faults: `- {from: 5m, until: 10m, failure: server_error}`");
    let faults: Vec<Fault> =
        faults.into_iter().filter_map(|entry| fault::read(reader, entry, end, config.as_deref())).collect();
    let restarts = items(reader, &table, "restarts", "list times: `restarts: [12m]`");
    let restarts: Vec<Duration> =
        restarts.into_iter().filter_map(|entry| reader.duration(entry, Duration::ZERO, end)).collect();
    let reloads = items(reader, &table, "reloads", "list reloads: `- {at: 10m, config: after.yaml}`");
    let next = |path: &str| configs(Wanted::Next(path));
    let mut reloads: Vec<Reload> =
        reloads.into_iter().filter_map(|entry| machine::reload(reader, entry, end, &next)).collect();
    reloads.sort_by_key(|reload| reload.at);
    let known: Vec<Arc<Config>> = config
        .iter()
        .flat_map(|first| std::iter::once(first).chain(reloads.iter().map(|reload| &reload.config)).cloned())
        .collect();
    let clock = items(reader, &table, "clock", "list steps: `- {at: 10m, by: -30s}`");
    let clock = clock.into_iter().filter_map(|entry| machine::step(reader, entry, end)).collect();
    let offline = items(reader, &table, "offline", "list times: `- {from: 10m, until: 12m}`");
    let offline = offline.into_iter().filter_map(|entry| machine::away(reader, entry, end)).collect();
    let suspended = items(reader, &table, "suspended", "list times: `- {from: 10m, until: 12m}`");
    let suspended = machine::suspended(reader, suspended, end, &restarts);
    let refused = items(reader, &table, "refused", "list times: `- {from: 10m, until: 12m}`");
    let refused = refused.into_iter().filter_map(|entry| machine::refused(reader, entry, end, &known)).collect();
    let acts = items(reader, &table, "acts", "list acts: `- {at: 12m, do: acknowledge, by: ada}`");
    let acts: Vec<Act> = acts.into_iter().filter_map(|entry| act::read(reader, entry, end)).collect();
    let expect = reader
        .need(&table, "expect", "say what should come of it: `expect: {incidents: 1}`")
        .and_then(|entry| expect::read(reader, entry, &known));
    let (name, start, length, seed, noise, expect) = (name?, start?, length?, seed?, noise?, expect?);
    let scenario = Scenario {
        name,
        start,
        length,
        seed,
        noise,
        faults,
        restarts,
        clock,
        offline,
        suspended,
        reloads,
        refused,
        acts,
        expect,
    };
    Some((scenario, config?))
}

fn configuration(reader: &mut Reader<'_>, table: &Table<'_>, configs: Configs<'_>) -> Option<Arc<Config>> {
    let named = match table.get("config") {
        Some(entry) => Some(reader.text(entry)?),
        None => None,
    };
    match configs(Wanted::First(named.as_ref().map(|path| path.value.as_str()))) {
        Ok(config) => Some(config),
        Err(why) => {
            let place = named.map_or(table.at, |path| path.place);
            let remedy =
                "`config: probes.yaml` names it, as seen from the scenario's folder; so does `--config FILE`";
            reader.fault(place, why, remedy);
            None
        }
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
