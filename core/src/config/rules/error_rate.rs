//! `above`: the share of bad checks in a sliding window.

use std::time::Duration;

use super::bad::what_is_bad;
use super::companions::{Clear, at_least, slices};
use super::{Kind, LONGEST_WINDOW, Part, Surroundings};
use crate::config::reader::{Entry, Reader, Table};
use crate::config::words::seconds;
use crate::model::{self, ErrorRate, Ratio, RuleKind};

pub(super) const KIND: Kind = Kind { companions: &["bad", "within", "at_least", "per", "clear"], read, suits: None };

const WITHIN: Duration = seconds(120);
const AT_LEAST: u32 = 3;

fn read(reader: &mut Reader<'_>, table: &Table<'_>, _: Entry<'_>, around: &Surroundings<'_>) -> Option<Vec<Part>> {
    let bad = what_is_bad(reader, table);
    let above = reader.need(table, "above", "say from which share of bad checks on: `above: 5%`").and_then(|entry| {
        let above = reader.ratio(entry)?;
        if above == Ratio::ONE {
            reader.fault(entry.node.place, "no share is above 100%", "write a smaller one: `99%`");
            return None;
        }
        Some(above)
    });
    let within = match table.get("within") {
        Some(entry) => reader.duration(entry, seconds(1), LONGEST_WINDOW),
        None => Some(WITHIN),
    };
    let at_least = at_least(reader, table, AT_LEAST);
    let per = slices(reader, table, around);
    let clear = clear(reader, table, above, within);
    let (bad, above, within) = (bad?, above?, within?);
    let rate = ErrorRate { bad, above, within, at_least: at_least?, per: per?, clear: clear? };
    Some(Part::whole(RuleKind::ErrorRate(rate)))
}

fn clear(
    reader: &mut Reader<'_>,
    table: &Table<'_>,
    above: Option<Ratio>,
    within: Option<Duration>,
) -> Option<model::Clear> {
    let table = match table.get("clear") {
        Some(entry) => Some(reader.table(entry, Clear::KEYS, "write `clear: {below: 1%, for: 2m}`")?),
        None => None,
    };
    let below = match table.as_ref().and_then(|table| table.get("below")) {
        Some(entry) => below(reader, entry, above),
        // Half of it; of 0% the smallest share that none at all is below.
        None => above.map(|above| Ratio::from_ppm((above.ppm() / 2).max(1))),
    };
    let hold = match table.as_ref().and_then(|table| table.get("for")) {
        Some(entry) => reader.duration(entry, Duration::ZERO, LONGEST_WINDOW),
        None => within,
    };
    Some(model::Clear { below: below?, hold: hold? })
}

fn below(reader: &mut Reader<'_>, entry: Entry<'_>, above: Option<Ratio>) -> Option<Ratio> {
    let below = reader.ratio(entry)?;
    if below.ppm() == 0 {
        reader.fault(entry.node.place, "no share is below 0%: the breach would never be over", "write `below: 0.1%`");
        return None;
    }
    if above.is_some_and(|above| above.ppm() > 0 && below > above) {
        let fault = format!("`below` is {below}, which is more than `above`");
        reader.fault(entry.node.place, fault, "a breach is over below the share at which it starts, not above");
        return None;
    }
    Some(below)
}
