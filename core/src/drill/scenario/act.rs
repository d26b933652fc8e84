//! `acts`: what people do.

use std::time::Duration;

use super::Act;
use super::stretch::moment;
use crate::config::reader::{Entry, Reader};
use crate::config::words::shown_name;
use crate::model::ActionKind;

const KEYS: &[&str] = &["at", "do", "by", "text"];

/// What people can do: its word, what it is, and how a timeline says that somebody does it. Two words may mean one thing.
pub const DEEDS: [(&str, ActionKind, &str); 7] = [
    ("acknowledge", ActionKind::Acknowledge, "acknowledges"),
    ("note", ActionKind::Note, "notes something on"),
    ("identify", ActionKind::Identify, "identifies"),
    ("monitor", ActionKind::Watch, "monitors"),
    ("watch", ActionKind::Watch, "monitors"),
    ("resolve", ActionKind::Resolve, "resolves"),
    ("false-alarm", ActionKind::FalseAlarm, "says that nothing was wrong in"),
];

/// Reads one act. `end` is the drill's.
pub(super) fn read(reader: &mut Reader<'_>, entry: Entry<'_>, end: Duration) -> Option<Act> {
    let example = "write `- {at: 12m, do: acknowledge, by: ada}`";
    let table = reader.table(entry, KEYS, example)?;
    let at = moment(reader, &table, end, example);
    let kinds = DEEDS.map(|(word, kind, _)| (word, kind));
    let kind = reader.need(&table, "do", example).and_then(|entry| reader.choice(entry, &kinds));
    let by = match table.get("by") {
        Some(entry) => shown_name(reader, entry),
        None => Some("oncall".to_owned()),
    };
    let text = match (table.get("text"), kind) {
        (Some(entry), _) => reader.text(entry).map(|text| text.value),
        (None, Some(ActionKind::Note)) => {
            reader.fault(table.at, "the note says nothing", "say what is noted: `text: the database is slow`");
            None
        }
        (None, Some(ActionKind::Identify)) => {
            reader.fault(table.at, "the cause is not said", "say what it is: `text: the database is full`");
            None
        }
        (None, Some(ActionKind::FalseAlarm)) => {
            reader.fault(
                table.at,
                "why it is a false alarm is not said",
                "say it: `text: a test of the load balancer`",
            );
            None
        }
        (None, _) => Some(String::new()),
    };
    Some(Act { at: at?, kind: kind?, by: by?, text: text? })
}
