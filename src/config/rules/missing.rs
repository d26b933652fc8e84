//! `missing`: when nothing is seen of a probe.

use std::time::Duration;

use super::LONGEST;
use crate::config::raw::tree::Value;
use crate::config::reader::{Entry, Reader};
use crate::config::words::seconds;
use crate::model::Missing;

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
