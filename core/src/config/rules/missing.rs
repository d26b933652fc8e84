//! `missing`: when nothing is seen of a probe.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{Kind, LONGEST_WINDOW, Part, Surroundings};
use crate::config::raw::keyed::keyed;
use crate::config::raw::tree::Value;
use crate::config::reader::{Entry, Reader, Table};
use crate::config::words::seconds;
use crate::model::unit::show_duration;
use crate::model::{self, Cadence, Probe, RuleKind};

/// How long: `10m`, or `{for: 10m}`.
#[derive(schemars::JsonSchema)]
#[schemars(untagged)]
pub enum Missing {
    /// So long.
    Text(String),
    /// As a map.
    Map(MissingFor),
}

keyed! {
    /// How long.
    pub struct MissingFor {
        /// So long, 1s to 30d.
        pub r#for: String,
    }
}

pub(super) const KIND: Kind = Kind { companions: &[], read, suits: Some(outlasts_pauses) };

const SHORTEST_SILENCE: Duration = seconds(1);

/// `missing: 10m`, or the same as a map: `missing: {for: 10m}`.
fn read(reader: &mut Reader<'_>, _: &Table<'_>, entry: Entry<'_>, _: &Surroundings<'_>) -> Option<Vec<Part>> {
    let example = "write `missing: 10m`";
    let entry = match &entry.node.value {
        Value::Map(_) => {
            let table = reader.table(entry, MissingFor::KEYS, example)?;
            reader.need(&table, "for", example)?
        }
        _ => entry,
    };
    let after = reader.duration(entry, SHORTEST_SILENCE, LONGEST_WINDOW)?;
    Some(Part::whole(RuleKind::Missing(model::Missing { after })))
}

/// A calendar that pauses for longer would be missed each time.
fn outlasts_pauses(reader: &mut Reader<'_>, entry: Entry<'_>, parts: &[Part], probes: &[&Probe]) -> Option<()> {
    let [Part { kind: RuleKind::Missing(missing), .. }] = parts else { return Some(()) };
    let mut seen = BTreeSet::new();
    for probe in probes.iter().filter(|probe| seen.insert(&probe.name)) {
        let Cadence::At(calendar) = &probe.cadence else { continue };
        let pause = calendar.longest_pause();
        if pause >= missing.after {
            let (name, after, pause) = (&probe.name, show_duration(missing.after), show_duration(pause));
            let fault =
                format!("`{name}` pauses for {pause} by its `cron`, and would be missed after {after} each time");
            reader.fault(entry.at, fault, format!("make it longer than {pause}, or leave `{name}` out with `over`"));
            return None;
        }
    }
    Some(())
}
