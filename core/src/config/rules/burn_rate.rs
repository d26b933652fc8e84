//! `burn_rate`: when the error budget of an objective is used up too fast.

use std::time::Duration;

use super::bad::what_is_bad;
use super::companions::{at_least, hold, slices};
use super::{Kind, LONGEST_WINDOW, Part, Surroundings};
use crate::config::raw::keyed::keyed;
use crate::config::raw::word::Word;
use crate::config::reader::{Entry, Reader, Table};
use crate::config::words::seconds;
use crate::model::unit::show_duration;
use crate::model::{self, Ratio, RuleKind, Severity};

keyed! {
    /// How fast an error budget is used up.
    pub struct BurnRate {
        /// The share of checks that shall be good: `99.9%`.
        pub objective: String,
        /// The period of the objective, 1d to 90d. Default: 30d.
        pub over: Option<String>,
        /// Pairs of windows. Default, over 30d: 14.4 over 1h and 5m, 6 over 6h and 30m, 1 over 3d and 6h (minor).
        #[schemars(length(min = 1, max = 10))]
        pub windows: Option<Vec<BurnWindow>>,
    }
}

keyed! {
    /// A pair of windows, both of which must burn the budget faster than the factor.
    pub struct BurnWindow {
        /// The window that tells that it matters, 1m to 30d.
        pub long: String,
        /// The window that tells that it goes on, shorter than the long one.
        pub short: String,
        /// The burn rate: 1 uses up the budget in exactly the objective's period.
        pub factor: Word,
        /// minor, major or critical. Default: that of the rule.
        pub severity: Option<String>,
    }
}

pub(super) const KIND: Kind = Kind { companions: &["bad", "at_least", "per", "clear"], read, suits: None };

const OVER: Duration = seconds(30 * 86_400);
const AT_LEAST: u32 = 3;
/// More pairs than this say nothing that these do not.
const MOST_WINDOWS: usize = 10;

/// A pair of windows, as meant.
struct Pair {
    long: Duration,
    short: Duration,
    /// In thousandths.
    factor: u32,
    severity: Option<Severity>,
}

fn read(reader: &mut Reader<'_>, rule: &Table<'_>, entry: Entry<'_>, around: &Surroundings<'_>) -> Option<Vec<Part>> {
    let table = reader.table(entry, BurnRate::KEYS, "write `burn_rate: {objective: 99.9%}`")?;
    let objective = reader
        .need(&table, "objective", "say which share of the checks shall be good: `objective: 99.9%`")
        .and_then(|entry| Some((entry, objective(reader, entry)?)));
    let over = match table.get("over") {
        Some(entry) => reader.duration(entry, seconds(86_400), seconds(90 * 86_400)),
        None => Some(OVER),
    };
    let pairs = match table.get("windows") {
        Some(entry) => windows(reader, entry),
        None => over.map(usual),
    };
    let bad = what_is_bad(reader, rule);
    let at_least = at_least(reader, rule, AT_LEAST);
    let per = slices(reader, rule, around);
    let held = hold(reader, rule);
    let ((at, objective), bad, at_least, per, held) = (objective?, bad?, at_least?, per?, held?);
    let mut parts = Vec::new();
    for pair in pairs? {
        let burn = model::BurnRate {
            bad: bad.clone(),
            objective,
            factor: pair.factor,
            long: pair.long,
            short: pair.short,
            at_least,
            per: per.clone(),
            hold: held.unwrap_or(pair.short),
        };
        if !burn.is_exceeded_by(1, 1) {
            let factor = f64::from(pair.factor) / 1_000.0;
            let fault = format!("with an objective of {objective} nothing burns {factor} times too fast");
            reader.fault(at.node.place, fault, "even if all checks are bad: write `windows` with smaller factors");
            return None;
        }
        let suffix = format!("[{}]", show_duration(pair.long));
        parts.push(Part { suffix, kind: RuleKind::BurnRate(burn), severity: pair.severity });
    }
    Some(parts)
}

/// The pairs of "The Site Reliability Workbook", chapter 5, table 5-8, for an objective over 30 days: 14.4 over 1h and
/// 5m, 6 over 6h and 30m, and, a ticket there, 1 over 3d and 6h. They stand for 2%, 5% and 10% of the budget. So that
/// they do for another period too, the windows are the same parts of it.
fn usual(over: Duration) -> Vec<Pair> {
    let pair =
        |long: u32, short: u32, factor, severity| Pair { long: over / long, short: over / short, factor, severity };
    vec![pair(720, 8_640, 14_400, None), pair(120, 1_440, 6_000, None), pair(10, 120, 1_000, Some(Severity::Minor))]
}

fn objective(reader: &mut Reader<'_>, entry: Entry<'_>) -> Option<Ratio> {
    let objective = reader.ratio(entry)?;
    if objective == Ratio::ONE {
        let fault = "an objective of 100% leaves no budget to burn";
        reader.fault(entry.node.place, fault, "write a smaller one: `99.99%`, or a rule with `above: 0%`");
        return None;
    }
    Some(objective)
}

fn windows(reader: &mut Reader<'_>, entry: Entry<'_>) -> Option<Vec<Pair>> {
    let example = "write `windows: [{long: 1h, short: 5m, factor: 14.4}]`";
    let items = reader.list(entry, example)?;
    if items.len() > MOST_WINDOWS {
        let fault = format!("`windows` has {} pairs", items.len());
        reader.fault(entry.at, fault, format!("write at most {MOST_WINDOWS}"));
        return None;
    }
    let count = items.len();
    let mut pairs: Vec<Pair> = Vec::new();
    for item in items {
        let Some(pair) = pair(reader, item, example) else { continue };
        if pairs.iter().any(|other| other.long == pair.long) {
            let fault = format!("two pairs have the long window {}", show_duration(pair.long));
            reader.fault(item.at, fault, "keep one of them: the pairs are told apart by it");
            continue;
        }
        pairs.push(pair);
    }
    (pairs.len() == count).then_some(pairs)
}

fn pair(reader: &mut Reader<'_>, entry: Entry<'_>, example: &str) -> Option<Pair> {
    let table = reader.table(entry, BurnWindow::KEYS, example)?;
    let long = reader
        .need(&table, "long", "say over which window it matters: `long: 1h`")
        .and_then(|entry| reader.duration(entry, seconds(60), LONGEST_WINDOW));
    let short = reader.need(&table, "short", "say over which window it goes on: `short: 5m`").and_then(|entry| {
        let short = reader.duration(entry, seconds(1), LONGEST_WINDOW)?;
        if long.is_some_and(|long| short >= long) {
            let fault = format!("`short` is {}, which is not shorter than `long`", show_duration(short));
            reader.fault(entry.node.place, fault, "write a twelfth of the long one: `5m` for `1h`");
            return None;
        }
        Some(short)
    });
    let factor = reader
        .need(&table, "factor", "say from which burn rate on: `factor: 14.4`")
        .and_then(|entry| factor(reader, entry));
    let severity = match table.get("severity") {
        Some(entry) => Some(reader.choice(entry, &Severity::ALL.map(|severity| (severity.as_str(), severity)))?),
        None => None,
    };
    Some(Pair { long: long?, short: short?, factor: factor?, severity })
}

/// A burn rate between a thousandth and a million, to the thousandth.
fn factor(reader: &mut Reader<'_>, entry: Entry<'_>) -> Option<u32> {
    let text = reader.word(entry)?;
    let number = text.value.trim().parse::<f64>().ok().filter(|number| (0.001..=1_000_000.0).contains(number));
    if number.is_none() {
        let fault = format!("`{}` is {}", entry.name, text.show());
        reader.fault(text.place, fault, "it must be a number above 0, like 14.4, and at most 1000000");
    }
    // In range: a thousand million fits.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    number.map(|number| (number * 1_000.0).round() as u32)
}
