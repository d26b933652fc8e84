//! Expectations, held against what was found.

use std::collections::BTreeSet;

use super::pairs;
use super::report::{Played, Report, count};
use super::scenario::{Expectations, ExpectedFactor, ExpectedIncident, Range};
use super::verdict::Verdict;
use crate::model::unit::show_duration;
use crate::model::{Finding, Incident, LabelValue, Severity};

pub(super) fn judge(expect: &Expectations, report: &Report) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    let mut say = |about: &str, expected: String, found: String, met: bool| {
        verdicts.push(Verdict { about: about.to_owned(), expected, found, met });
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
    let mut about_one = |place: &str, expected: &ExpectedIncident, found: Option<&Incident>| {
        let mut verdict = |about, (expected, found, met)| say(&format!("{place}{about}"), expected, found, met);
        if let Some(expected) = expected.severity {
            verdict("severity", severity(expected, found));
        }
        if let Some(expected) = &expected.factor {
            verdict("factor", factor(expected, found));
        }
        if let Some(expected) = &expected.components {
            let found = found.map(|incident| list(incident.finding.components.iter().map(|id| id.as_str())));
            let expected = list(expected.iter().map(|id| id.as_str()));
            let met = found.as_deref() == Some(&*expected);
            verdict("components", (expected, found.unwrap_or_else(none), met));
        }
    };
    about_one("", &expect.first, report.incidents.first().map(|played| &played.incident));
    for (index, expected, found) in paired(&expect.each, &report.incidents) {
        about_one(&format!("incident {}: ", index + 1), expected, found);
    }
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

/// Each expected incident with the one that was found for it: as many as can be are as expected, the others are paired in
/// order.
fn paired<'a>(
    expected: &'a [ExpectedIncident],
    found: &'a [Played],
) -> Vec<(usize, &'a ExpectedIncident, Option<&'a Incident>)> {
    let fits = |wanted: usize, place: usize| {
        let pair = expected.get(wanted).zip(found.get(place));
        pair.is_some_and(|(expected, played)| expected.fits(&played.incident))
    };
    let mut pairs = pairs::pairs(expected.len(), found.len(), fits);
    let taken: BTreeSet<usize> = pairs.values().copied().collect();
    let mut rest = (0..found.len()).filter(|place| !taken.contains(place));
    let pair = expected.iter().enumerate().map(|(index, expected)| {
        let place = pairs.remove(&index).or_else(|| rest.next());
        (index, expected, place.and_then(|place| found.get(place)).map(|played| &played.incident))
    });
    pair.collect()
}

impl ExpectedIncident {
    fn fits(&self, incident: &Incident) -> bool {
        self.severity.is_none_or(|expected| severity(expected, Some(incident)).2)
            && self.factor.as_ref().is_none_or(|expected| factor(expected, Some(incident)).2)
            && self.components.as_ref().is_none_or(|expected| *expected == incident.finding.components)
    }
}

fn severity(expected: Severity, found: Option<&Incident>) -> (String, String, bool) {
    let found = found.map(|incident| incident.severity);
    (expected.to_string(), found.map_or_else(none, |found| found.to_string()), found == Some(expected))
}

fn factor(expected: &ExpectedFactor, found: Option<&Incident>) -> (String, String, bool) {
    let finding = found.map(|incident| &incident.finding);
    let met = finding.is_some_and(|finding| {
        let label = finding.factor.as_ref().map(|factor| (&factor.label, &factor.values));
        let wanted = expected.label.as_ref();
        wanted.is_none_or(|wanted| wanted.as_ref().map(|(label, values)| (label, values)) == label)
            && expected.failure.is_none_or(|class| finding.failure == Some(class))
    });
    let mut parts = Vec::new();
    match &expected.label {
        Some(Some((label, values))) => parts.push(format!("{label}={}", list(values.iter().map(LabelValue::as_str)))),
        Some(None) => parts.push("no label".to_owned()),
        None => {}
    }
    parts.extend(expected.failure.map(|class| class.to_string()));
    (parts.join(" "), finding.map_or_else(none, show_factor), met)
}

/// What failing checks have in common, in one line: `workspace=globex not_found`.
#[must_use]
pub fn show_factor(finding: &Finding) -> String {
    let label = match &finding.factor {
        Some(factor) => format!("{}={}", factor.label, list(factor.values.iter().map(LabelValue::as_str))),
        None => "no label".to_owned(),
    };
    let failure = finding.failure.map(|class| format!(" {class}")).unwrap_or_default();
    format!("{label}{failure}")
}

fn show_range(range: Range) -> String {
    match range {
        Range { min, max: Some(max) } if min == max => max.to_string(),
        Range { min: 0, max: Some(max) } => format!("at most {max}"),
        Range { min, max: Some(max) } => format!("{min} to {max}"),
        Range { min, max: None } => format!("at least {min}"),
    }
}

fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.collect();
    names.join(", ")
}

fn none() -> String {
    "no incident".to_owned()
}
