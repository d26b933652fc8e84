//! `change`: how often a rule that knows what is usual may be wrong.

use std::time::Duration;

use super::bad::what_is_bad;
use super::companions::hold;
use super::{Kind, Part, Surroundings};
use crate::config::raw::keyed::keyed;
use crate::config::reader::{Entry, Reader, Table};
use crate::config::words::seconds;
use crate::model::unit::parse_duration;
use crate::model::{self, Bad, FalseAlarms, RuleKind};

keyed! {
    /// How often a rule that knows what is usual may be wrong.
    pub struct Change {
        /// The false alarms that it may raise, over everything that it watches: `2 per 30d`. Default: 1 per 90d.
        pub false_alarms: Option<String>,
    }
}

pub(super) const KIND: Kind = Kind { companions: &["bad", "clear"], read, suits: None };

/// How often a change rule may be wrong unless it says.
pub(super) const FALSE_ALARMS: FalseAlarms = FalseAlarms { count: 1, per: seconds(90 * 86_400) };
/// How long no more than usual must fail unless the rule says.
pub(super) const CLEAR_HOLD: Duration = seconds(30);

/// Budgets are per hour at the shortest and per ten years at the longest.
const SHORTEST_BUDGET: Duration = seconds(3_600);
const LONGEST_BUDGET: Duration = seconds(3_650 * 86_400);

fn read(reader: &mut Reader<'_>, rule: &Table<'_>, entry: Entry<'_>, _: &Surroundings<'_>) -> Option<Vec<Part>> {
    let own = reader.table(entry, Change::KEYS, "write `change: {false_alarms: 1 per 90d}`")?;
    let false_alarms = match own.get("false_alarms") {
        Some(entry) => budget(reader, entry),
        None => Some(FALSE_ALARMS),
    };
    let bad = what_is_bad(reader, rule);
    let clear_hold = hold(reader, rule).map(|given| given.unwrap_or(CLEAR_HOLD));
    let change = model::Change { bad: bad?, false_alarms: false_alarms?, clear_hold: clear_hold? };
    Some(Part::whole(RuleKind::Change(change)))
}

/// `1 per 90d`.
fn budget(reader: &mut Reader<'_>, entry: Entry<'_>) -> Option<FalseAlarms> {
    let text = reader.text(entry)?;
    let parsed = text.value.split_once(" per ").and_then(|(count, per)| {
        let count = count.trim().parse().ok().filter(|count| (1..=1_000_000).contains(count))?;
        let per = parse_duration(per).ok().filter(|per| (SHORTEST_BUDGET..=LONGEST_BUDGET).contains(per))?;
        Some(FalseAlarms { count, per })
    });
    if parsed.is_none() {
        let fault = format!("`{}` is no number of false alarms in a time between 1h and 3650d", text.value);
        reader.fault(entry.node.place, fault, "write it like `1 per 90d` or `2 per 30d`");
    }
    parsed
}

/// Every failed check counts, and one alarm in 90 days may be false.
pub(super) const BUILT_IN: model::Change =
    model::Change { bad: Bad::Failed, false_alarms: FALSE_ALARMS, clear_hold: CLEAR_HOLD };
