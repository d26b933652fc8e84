//! `missing`: when nothing is seen of a probe.

use std::collections::BTreeSet;
use std::time::Duration;

use super::LONGEST;
use crate::config::raw::tree::Value;
use crate::config::reader::{Entry, Reader};
use crate::config::words::seconds;
use crate::model::unit::show_duration;
use crate::model::{Cadence, Missing, Probe};

pub(in crate::config) const KEYS: &[&str] = &["for"];

const SHORTEST: Duration = seconds(1);

/// `missing: 10m`, or the same as a map: `missing: {for: 10m}`.
pub(super) fn read(reader: &mut Reader<'_>, entry: Entry<'_>) -> Option<Missing> {
    let example = "write `missing: 10m`";
    let entry = match &entry.node.value {
        Value::Map(_) => {
            let table = reader.table(entry, KEYS, example)?;
            reader.need(&table, "for", example)?
        }
        _ => entry,
    };
    Some(Missing { after: reader.duration(entry, SHORTEST, LONGEST)? })
}

/// A calendar that pauses for longer would be missed each time.
pub(super) fn outlasts_pauses<'p>(
    reader: &mut Reader<'_>,
    entry: Entry<'_>,
    missing: Missing,
    probes: impl Iterator<Item = &'p Probe>,
) -> Option<()> {
    let mut seen = BTreeSet::new();
    for probe in probes.filter(|probe| seen.insert(&probe.name)) {
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
