//! `expect`: what should come of a drill.

mod bounds;
mod components;
mod factor;
mod incident;
mod message;

use std::sync::Arc;
use std::time::Duration;

use bounds::{LONGEST_EXPECTED, MOST_COUNTED, is_empty, range};
pub use bounds::{Range, Span};
pub use factor::ExpectedFactor;
pub use incident::ExpectedIncident;
pub use message::ExpectedMessage;

use crate::config::Config;
use crate::config::raw::tree::Value;
use crate::config::reader::{Entry, Reader};

const KEYS: &[&str] = &[
    "incidents",
    "false_alarms",
    "missed",
    "detected_within",
    "severity",
    "factor",
    "components",
    "resolved_within",
    "notifications",
];

/// What should come of a drill. What is left out is not judged.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Expectations {
    /// How many incidents are opened.
    pub incidents: Option<u64>,
    /// What they are, in any order; as many as there are.
    pub each: Vec<ExpectedIncident>,
    /// How many of them are false alarms.
    pub false_alarms: Option<u64>,
    /// How many faults no incident is opened for.
    pub missed: Option<u64>,
    /// The longest time from the first fault to the first message.
    pub detected_within: Option<Duration>,
    /// What the first incident is.
    pub first: ExpectedIncident,
    /// The longest time from the last fault's end until no incident is open.
    pub resolved_within: Option<Duration>,
    /// How many messages become owed.
    pub notifications: Option<Range>,
}

/// Reads what is expected. Where there are no configs, what refers to them is not judged.
pub(super) fn read(reader: &mut Reader<'_>, entry: Entry<'_>, configs: &[Arc<Config>]) -> Option<Expectations> {
    const EXAMPLE: &str = "write `expect: {incidents: 1}`";
    let table = reader.table(entry, KEYS, EXAMPLE)?;
    if is_empty(entry) {
        reader.fault(entry.at, "nothing is expected, and that is always met", EXAMPLE);
    }
    let mut expect = Expectations::default();
    let whole =
        |reader: &mut Reader<'_>, name| table.get(name).and_then(|entry| reader.whole(entry, 0, MOST_COUNTED));
    expect.false_alarms = whole(reader, "false_alarms");
    expect.missed = whole(reader, "missed");
    let time = |reader: &mut Reader<'_>, name| {
        table.get(name).and_then(|entry| reader.duration(entry, Duration::ZERO, LONGEST_EXPECTED))
    };
    expect.detected_within = time(reader, "detected_within");
    expect.resolved_within = time(reader, "resolved_within");
    expect.notifications = table.get("notifications").and_then(|entry| range(reader, entry));
    expect.first = incident::in_the_end(reader, &table, configs);
    match table.get("incidents") {
        Some(entry) if matches!(entry.node.value, Value::List(_)) => {
            for entry in reader.list(entry, "write `incidents: 0` for none")? {
                expect.each.extend(incident::listed(reader, entry, configs));
            }
            expect.incidents = u64::try_from(expect.each.len()).ok();
        }
        Some(entry) => expect.incidents = reader.whole(entry, 0, MOST_COUNTED),
        None => {}
    }
    Some(expect)
}
