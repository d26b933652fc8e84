//! Expectations, held against what was found.

mod components;
mod factor;
mod incident;
mod messages;

use std::collections::BTreeSet;

pub use factor::show_factor;

use super::pairs;
use super::played::Played;
use super::report::{Report, count};
use super::scenario::{Expectations, ExpectedIncident, Range};
use super::verdict::Verdict;
use crate::model::unit::show_duration;

pub(super) fn judge(expect: &Expectations, report: &Report) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    let mut say = |about: &str, expected: String, found: String, met: bool| {
        verdicts.push(Verdict::new(about, expected, found, met));
    };
    let opened = count(report.incidents.iter());
    if let Some(expected) = expect.incidents {
        say("incidents", expected.to_string(), opened.to_string(), opened == expected);
    }
    for (about, expected, found) in [
        ("false_alarms", expect.false_alarms, report.false_alarms),
        ("missed", expect.missed, count(report.missed.iter())),
    ] {
        if let Some(expected) = expected {
            say(about, expected.to_string(), found.to_string(), found == expected);
        }
    }
    if let Some(most) = expect.detected_within {
        let found = report.detected.map_or("never".into(), show_duration);
        let met = report.detected.is_some_and(|found| found <= most);
        say("detected_within", show_duration(most), found, met);
    }
    verdicts.extend(incident::judge("", &expect.first, report.incidents.first(), report));
    for (index, expected, found) in paired(&expect.each, report) {
        verdicts.extend(incident::judge(&format!("incident {}: ", index + 1), expected, found, report));
    }
    let mut say = |about: &str, expected: String, found: String, met: bool| {
        verdicts.push(Verdict::new(about, expected, found, met));
    };
    if let Some(most) = expect.resolved_within {
        let mut real = report.incidents.iter().filter(|played| !played.faults.is_empty()).peekable();
        let early = real.peek().is_some() && real.all(|played| played.resolved.is_some());
        let never = if early { "before the fault's end" } else { "never" };
        let found = report.resolved.map_or(never.into(), show_duration);
        let met = report.resolved.is_some_and(|found| found <= most);
        say("resolved_within", show_duration(most), found, met);
    }
    if let Some(range) = expect.notifications {
        let found = count(report.notifications.iter());
        let met = range.min <= found && range.max.is_none_or(|max| found <= max);
        say("notifications", show_range(range), found.to_string(), met);
    }
    verdicts
}

/// Each expected incident with the one that was found for it: as many as can be are as expected in all, and each of the
/// others gets the one of the rest that is as expected in most.
fn paired<'a>(
    expected: &'a [ExpectedIncident],
    report: &'a Report,
) -> Vec<(usize, &'a ExpectedIncident, Option<&'a Played>)> {
    let found = &report.incidents;
    let judged = |expected, played| incident::judge("", expected, Some(played), report);
    let fits = |wanted: usize, place: usize| {
        let pair = expected.get(wanted).zip(found.get(place));
        pair.is_some_and(|(expected, played)| judged(expected, played).iter().all(|verdict| verdict.met))
    };
    let mut pairs = pairs::pairs(expected.len(), found.len(), fits);
    let mut rest: BTreeSet<usize> = (0..found.len()).collect();
    rest.retain(|place| !pairs.values().any(|taken| taken == place));
    for (index, expected) in
        expected.iter().enumerate().filter(|(index, _)| !pairs.contains_key(index)).collect::<Vec<_>>()
    {
        let met = |place: &usize| {
            let verdicts = found.get(*place).map(|played| judged(expected, played)).unwrap_or_default();
            verdicts.iter().filter(|verdict| verdict.met).count()
        };
        // Of equals the first.
        let Some(place) = rest.iter().rev().copied().max_by_key(|place| met(place)) else { break };
        rest.remove(&place);
        pairs.insert(index, place);
    }
    let pair = expected
        .iter()
        .enumerate()
        .map(|(index, expected)| (index, expected, pairs.get(&index).and_then(|place| found.get(*place))));
    pair.collect()
}

fn show_range(range: Range) -> String {
    match range {
        Range { min, max: Some(max) } if min == max => max.to_string(),
        Range { min: 0, max: Some(max) } => format!("at most {max}"),
        Range { min, max: Some(max) } => format!("{min} to {max}"),
        Range { min, max: None } => format!("at least {min}"),
    }
}
