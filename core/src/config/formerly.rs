//! `formerly`: the ids that something had before, so that what is known under them goes on.

use std::collections::BTreeMap;

use super::problem::Place;
use super::raw::tree::Value;
use super::reader::{Entry, Reader, Table, is_id};
use super::words::shown;

/// What the things of one kind say that they were called before.
pub(super) struct Claims {
    /// What they are: `probe`.
    what: &'static str,
    all: Vec<Claim>,
}

struct Claim {
    former: String,
    place: Place,
    by: String,
}

impl Claims {
    pub(super) fn new(what: &'static str) -> Self {
        Self { what, all: Vec::new() }
    }

    /// Takes down what the table of the thing with this id says.
    pub(super) fn read(&mut self, reader: &mut Reader<'_>, table: &Table<'_>, by: Entry<'_>) {
        let Some(entry) = table.get("formerly") else { return };
        let items = match &entry.node.value {
            Value::List(_) => reader.list(entry, "name the ids that it had, or remove the key").unwrap_or_default(),
            _ => vec![entry],
        };
        for item in items {
            let Some(text) = reader.word(item).and_then(|text| shown(reader, text)) else { continue };
            if !is_id(&text.value) {
                let remedy = format!("write the id that the {} had, without labels", self.what);
                reader.fault(text.place, format!("`{}` is no id", text.show()), remedy);
                continue;
            }
            self.all.push(Claim { former: text.value, place: text.place, by: by.name.to_owned() });
        }
    }

    /// Each former id with the one that goes on for it. `ids`: those that there are.
    pub(super) fn settle(self, reader: &mut Reader<'_>, ids: &[&str]) -> BTreeMap<String, String> {
        let what = self.what;
        let mut settled: BTreeMap<String, String> = BTreeMap::new();
        for Claim { former, place, by } in self.all {
            if ids.contains(&former.as_str()) {
                let remedy =
                    format!("`formerly` names an id that is gone: give that {what} another, or remove it here");
                reader.fault(place, format!("there still is a {what} `{former}`"), remedy);
                continue;
            }
            if let Some(other) = settled.get(&former) {
                let fault = format!("`{other}` was formerly `{former}` already");
                reader.fault(place, fault, format!("one {what} goes on for it: name it once"));
                continue;
            }
            settled.insert(former, by);
        }
        settled
    }
}
