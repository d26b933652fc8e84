//! `latency`: when checks take too long.

use std::time::Duration;

use super::companions::{Clear, at_least, slices};
use super::{Kind, LONGEST_WINDOW, Part, Surroundings};
use crate::config::raw::keyed::keyed;
use crate::config::reader::{Entry, Reader, Table};
use crate::config::words::seconds;
use crate::model::unit::show_duration;
use crate::model::{self, Phase, Ratio, RuleKind};

keyed! {
    /// A quantile of how long checks take.
    pub struct Latency {
        /// Which quantile, by nearest rank. Default: 95%.
        pub quantile: Option<String>,
        /// dns, connect, tls, first_byte, transfer or total. Default: total.
        pub of: Option<String>,
        /// Breached when the quantile is more than this: `2s`.
        pub above: String,
    }
}

pub(super) const KIND: Kind = Kind { companions: &["within", "at_least", "per", "clear"], read, suits: None };

const QUANTILE: Ratio = Ratio::from_percent(95);
const WITHIN: Duration = seconds(300);
const AT_LEAST: u32 = 10;
const SHORTEST_CHECK: Duration = Duration::from_millis(1);
/// As long as a check may take.
const LONGEST_CHECK: Duration = seconds(86_400);

fn read(reader: &mut Reader<'_>, rule: &Table<'_>, entry: Entry<'_>, around: &Surroundings<'_>) -> Option<Vec<Part>> {
    let example = "write `latency: {quantile: 95%, of: first_byte, above: 2s}`";
    let table = reader.table(entry, Latency::KEYS, example)?;
    let quantile = match table.get("quantile") {
        Some(entry) => quantile(reader, entry),
        None => Some(QUANTILE),
    };
    let of = match table.get("of") {
        Some(entry) => reader.choice(entry, &Phase::ALL.map(|phase| (phase.as_str(), phase))),
        None => Some(Phase::Total),
    };
    let above = reader
        .need(&table, "above", "say from how long on: `above: 2s`")
        .and_then(|entry| reader.duration(entry, SHORTEST_CHECK, LONGEST_CHECK));
    let within = match rule.get("within") {
        Some(entry) => reader.duration(entry, seconds(1), LONGEST_WINDOW),
        None => Some(WITHIN),
    };
    let at_least = at_least(reader, rule, AT_LEAST);
    let per = slices(reader, rule, around);
    let clear = match rule.get("clear") {
        Some(entry) => Some(reader.table(entry, Clear::KEYS, "write `clear: {below: 1s, for: 5m}`")?),
        None => None,
    };
    let below = match clear.as_ref().and_then(|clear| clear.get("below")) {
        Some(entry) => below(reader, entry, above),
        None => above,
    };
    let hold = match clear.as_ref().and_then(|clear| clear.get("for")) {
        Some(entry) => reader.duration(entry, Duration::ZERO, LONGEST_WINDOW),
        None => within,
    };
    let latency = model::Latency {
        quantile: quantile?,
        of: of?,
        above: above?,
        within: within?,
        at_least: at_least?,
        per: per?,
        below: below?,
        hold: hold?,
    };
    Some(Part::whole(RuleKind::Latency(latency)))
}

fn quantile(reader: &mut Reader<'_>, entry: Entry<'_>) -> Option<Ratio> {
    let quantile = reader.ratio(entry)?;
    if quantile.ppm() == 0 {
        reader.fault(entry.node.place, "there is no quantile of 0%", "write `quantile: 50%` for the median");
        return None;
    }
    Some(quantile)
}

fn below(reader: &mut Reader<'_>, entry: Entry<'_>, above: Option<Duration>) -> Option<Duration> {
    let below = reader.duration(entry, SHORTEST_CHECK, LONGEST_CHECK)?;
    if above.is_some_and(|above| below > above) {
        let fault = format!("`below` is {}, which is more than `above`", show_duration(below));
        reader.fault(entry.node.place, fault, "a breach is over below the time at which it starts, not above");
        return None;
    }
    Some(below)
}
