//! One incident, held against what is expected of it.

use std::time::Duration;

use super::components::show_components;
use super::factor::{Shared, show_expected};
use super::messages;
use crate::drill::played::Played;
use crate::drill::report::Report;
use crate::drill::scenario::{ExpectedIncident, Span};
use crate::drill::verdict::Verdict;
use crate::model::unit::show_duration;

/// What each expectation came to; `of` stands before its key.
pub(super) fn judge(of: &str, expected: &ExpectedIncident, found: Option<&Played>, report: &Report) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    let mut say = |about: &str, expected: String, found: Option<String>, met: bool| {
        let found = found.unwrap_or_else(|| "no incident".to_owned());
        verdicts.push(Verdict::new(format!("{of}{about}"), expected, found, met));
    };
    if let Some(expected) = expected.severity {
        let found = found.map(|played| played.incident.severity);
        say("severity", expected.to_string(), found.map(|found| found.to_string()), found == Some(expected));
    }
    if let Some(expected) = &expected.factor {
        let found = found.map(|played| Shared::of(&played.incident.finding));
        let met = found.is_some_and(|found| found.is(expected));
        say("factor", show_expected(expected), found.map(Shared::show), met);
    }
    if let Some(expected) = &expected.components {
        let found = found.map(|played| &played.incident.finding.components);
        say("components", show_components(expected), found.map(show_components), found == Some(expected));
    }
    if let Some(expected) = expected.since {
        // As the scenario counts.
        let found = found.map(|played| played.since.saturating_sub(report.take.shift));
        let met = found.is_some_and(|found| expected.min <= found && expected.max.is_none_or(|max| found <= max));
        say("since", show_span(expected), found.map(show_duration), met);
    }
    if let Some(most) = expected.detected_within {
        let took = found.map(|played| played.detected.ok_or("never"));
        time("detected_within", most, took, found, &mut say);
    }
    if let Some(most) = expected.resolved_within {
        let took = found.map(|played| match (played.cause, played.resolved) {
            (_, None) => Err("never"),
            (Some((_, ended)), Some(resolved)) => resolved.checked_sub(ended).ok_or("before the fault's end"),
            (None, _) => Err("no fault that it is of"),
        });
        time("resolved_within", most, took, found, &mut say);
    }
    if let Some(expected) = &expected.messages {
        verdicts.extend(messages::judge(of, expected, found, report));
    }
    verdicts
}

type Say<'a> = &'a mut dyn FnMut(&str, String, Option<String>, bool);

/// How long something took at most; what was found says why there is no such time.
fn time(about: &str, most: Duration, took: Option<Result<Duration, &str>>, found: Option<&Played>, say: Say<'_>) {
    let took = took.map(|took| match found {
        Some(played) if played.cause.is_none() => Err("no fault that it is of"),
        _ => took,
    });
    let met = took.is_some_and(|took| took.is_ok_and(|took| took <= most));
    let shown = took.map(|took| took.map_or_else(str::to_owned, show_duration));
    say(about, show_duration(most), shown, met);
}

fn show_span(span: Span) -> String {
    match span {
        Span { min, max: Some(max) } if min.is_zero() => format!("{} at the latest", show_duration(max)),
        Span { min, max: Some(max) } => format!("{} to {}", show_duration(min), show_duration(max)),
        Span { min, max: None } => format!("{} at the soonest", show_duration(min)),
    }
}
