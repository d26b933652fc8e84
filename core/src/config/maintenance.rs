//! `maintenance`: when not to speak.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::probes::calendar;
use super::reader::{Entry, Reader, Table};
use super::rules::{Surroundings, scope_in};
use super::text::Text;
use super::words::seconds;
use crate::config::raw::keyed::keyed;
use crate::config::raw::word::{Word, Words};
use crate::model::{self, Timestamp, Window, Windows};

keyed! {
    /// Planned work on some of the probes (all of them unless narrowed), again and again by `cron` or once by `from`.
    pub struct Maintenance {
        /// On probes of one of these components.
        pub components: Option<Words>,
        /// On probes from one of these definitions.
        pub probes: Option<Words>,
        /// On probes with all of these labels.
        pub labels: Option<BTreeMap<String, Word>>,
        /// When a window begins: a cron expression of 5, 6 (seconds first) or 7 (year last) fields. Needs `for`.
        pub cron: Option<String>,
        /// The time zone of `cron`: `Europe/Berlin`. Default: UTC.
        pub timezone: Option<String>,
        /// Instead of `cron`: when the only window begins, in RFC 3339: `2026-12-01T02:00:00Z`.
        pub from: Option<String>,
        /// When the only window ends, in RFC 3339. Or give `for`.
        pub until: Option<String>,
        /// How long a window is, 1m to 30d.
        pub r#for: Option<String>,
    }
}

const EXAMPLE: &str = "write `upgrade: {components: [api], cron: \"0 2 * * SUN\", for: 1h}`";
const FROM: &str = "write it in RFC 3339, with its offset from UTC: `2026-12-01T02:00:00Z`";

/// The shortest and the longest window.
const SHORTEST_WORK: Duration = seconds(60);
const LONGEST_WORK: Duration = seconds(30 * 86_400);

/// When so many windows run into each other, no message would ever be sent.
const RUN_TOGETHER: u32 = 2_000;

pub(super) fn read(reader: &mut Reader<'_>, table: &Table<'_>, around: &Surroundings<'_>) -> Vec<model::Maintenance> {
    let entries = table.get("maintenance").and_then(|entry| reader.ids(entry, EXAMPLE)).unwrap_or_default();
    entries.into_iter().filter_map(|entry| maintenance(reader, entry, around)).collect()
}

fn maintenance(reader: &mut Reader<'_>, entry: Entry<'_>, around: &Surroundings<'_>) -> Option<model::Maintenance> {
    let table = reader.table(entry, Maintenance::KEYS, EXAMPLE)?;
    let over = scope_in(reader, &table, entry, around);
    let length = table.get("for").map(|entry| reader.duration(entry, SHORTEST_WORK, LONGEST_WORK));
    if let Some(entry) = table.get("timezone").filter(|_| table.get("cron").is_none()) {
        reader.fault(entry.at, "`timezone` means nothing without `cron`", "add `cron`, or remove it");
    }
    let when = match (table.get("cron"), table.get("from")) {
        (Some(cron), None) => again_and_again(reader, &table, cron, length),
        (None, Some(from)) => once(reader, &table, from, length),
        (Some(_), Some(from)) => {
            reader.fault(from.at, "both `cron` and `from` are given", "keep one of them, or make two of it");
            None
        }
        (None, None) => {
            let remedy = "give it `cron: \"0 2 * * SUN\"` and `for: 1h`, or `from` and `until`";
            reader.fault(entry.at, format!("nothing says when `{}` is", entry.name), remedy);
            None
        }
    };
    Some(model::Maintenance { id: entry.name.into(), over: over?, when: when? })
}

/// `length` is `for` as it was read: absent, in vain, or well.
fn again_and_again(
    reader: &mut Reader<'_>,
    table: &Table<'_>,
    cron: Entry<'_>,
    length: Option<Option<Duration>>,
) -> Option<Windows> {
    if let Some(entry) = table.get("until") {
        reader.fault(entry.at, "`until` does not go with `cron`", "say how long each window is: `for: 1h`");
    }
    let calendar = calendar(reader, cron, table.get("timezone"));
    let Some(length) = length else {
        reader.fault(cron.at, "nothing says how long a window is", "give it `for: 1h`");
        return None;
    };
    let windows = Windows::At(Arc::new(calendar?), length?);
    if windows.run_together(RUN_TOGETHER) {
        let remedy = "make `for` shorter than the time between two beginnings, or `cron` rarer";
        reader.fault(cron.node.place, "each window runs into the next: nobody would ever be told", remedy);
        return None;
    }
    Some(windows)
}

fn once(
    reader: &mut Reader<'_>,
    table: &Table<'_>,
    from: Entry<'_>,
    length: Option<Option<Duration>>,
) -> Option<Windows> {
    let begins = moment(reader, from);
    match (table.get("until"), length) {
        (Some(until), None) => {
            let (ends, place) = moment(reader, until)?;
            let (from, _) = begins?;
            if ends <= from {
                let fault = "the window ends before it begins";
                reader.fault(place.place, fault, "give `until` a later time than `from`");
                return None;
            }
            Some(Windows::Once(Window { from, until: ends }))
        }
        (None, Some(length)) => {
            let (from, _) = begins?;
            Some(Windows::Once(Window { from, until: from + length? }))
        }
        (Some(until), Some(_)) => {
            reader.fault(until.at, "both `until` and `for` are given", "keep one of them");
            None
        }
        (None, None) => {
            reader.fault(from.at, "nothing says when the window ends", "give it `until`, or `for: 1h`");
            None
        }
    }
}

fn moment(reader: &mut Reader<'_>, entry: Entry<'_>) -> Option<(Timestamp, Text)> {
    let text = reader.text(entry)?;
    match text.value.parse::<jiff::Timestamp>() {
        Ok(moment) => Some((moment.into(), text)),
        Err(_) => {
            reader.fault(text.place, format!("`{}` is no moment", text.show()), FROM);
            None
        }
    }
}
