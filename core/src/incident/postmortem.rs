//! A draft of the review of an incident, in Markdown: what is known is filled in, what people must think about is asked.

use std::time::Duration;

use crate::config::Config;
use crate::model::unit::show_about;
use crate::model::{Bad, CheckResult, Incident, IncidentChange, IncidentEvent, NotificationKind, Rule, Timestamp};

use super::impact::{Count, Impact};
use super::lifecycle;
use super::markdown::{fenced, inline};
use super::summary;

/// One delivery of a notification of the incident, and what became of it.
#[derive(Clone, Debug)]
pub struct Sent {
    /// What kind of news.
    pub kind: NotificationKind,
    /// Whom it went to.
    pub to: String,
    /// Since when it was owed.
    pub owed: Timestamp,
    /// When it was delivered.
    pub delivered: Option<Timestamp>,
    /// How many attempts were made.
    pub attempts: usize,
    /// Where it stands when it was not.
    pub state: String,
}

/// What a rule of today makes of the stored results.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// The rule.
    pub rule: String,
    /// Whether it would have noticed.
    pub noticed: Noticed,
}

/// Whether a rule would have noticed an incident.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Noticed {
    /// At this time, and why; it may have been in breach before the incident began.
    At(Timestamp, String),
    /// It judged the results, and would not have.
    Never,
    /// Results do not tell: [`UNJUDGED`].
    NotJudged,
}

/// Why stored results do not tell what a rule about missing checks would have done.
pub const UNJUDGED: &str = "what did not come leaves no result to judge by";

/// All that a draft is made of.
pub struct Review<'a> {
    /// The incident.
    pub incident: &'a Incident,
    /// Its events.
    pub events: &'a [IncidentEvent],
    /// The names of its components.
    pub config: &'a Config,
    /// What its results say.
    pub impact: &'a Impact<'a>,
    /// The deliveries.
    pub sent: &'a [Sent],
    /// What each rule of today would have done; empty when it cannot be said.
    pub verdicts: &'a [Verdict],
    /// Failures with evidence.
    pub failures: &'a [CheckResult],
}

/// A table has at most so many rows ...
const MOST_ROWS: usize = 20;
/// ... and a body so many characters.
const LONGEST_BODY: usize = 1_500;

/// Writes the draft.
#[must_use]
pub fn draft(review: &Review<'_>) -> String {
    let title = summary::title(&review.incident.finding, Some(review.config));
    let mut text = match &review.incident.corrected.false_alarm {
        Some(alarm) => {
            format!("**A false alarm, says {}: {}** It is no outage.\n\n", inline(&alarm.by), inline(&alarm.why))
        }
        None => String::new(),
    };
    text.push_str(&format!("# Post-incident review: {}, {}\n\n", inline(&review.config.name), inline(&title)));
    text.push_str(&format!(
        "*A draft by Tripline from what it stored. Incident {}, {}, {}. All times are UTC.*\n\n",
        review.incident.id,
        review.incident.severity,
        if review.incident.unwatched.is_some() { "no longer watched" } else { review.incident.state.as_str() },
    ));
    text.push_str(&summarise(review));
    text.push_str(&impact(review));
    text.push_str("## Root cause\n\n");
    text.push_str(&causes(review));
    text.push_str("*What failed, and why? What changed before? Why was it possible? Why were these customers hit, and not the others?*\n\n");
    text.push_str("## Remedial actions and next steps\n\n*What prevents it, what makes it smaller, what would have shown it sooner? For each: who does it, and until when. Which drill rehearses it?*\n\n");
    text.push_str(&timeline(review));
    text.push_str(&detection(review));
    text.push_str(&evidence(review));
    text
}

/// What people said that the cause is, while it went on.
fn causes(review: &Review<'_>) -> String {
    let mut text = String::new();
    for event in review.events {
        if let IncidentChange::Identified { by, cause } = &event.change {
            text.push_str(&format!("{} at {}: {}\n\n", capital(&inline(by)), event.at.show(), inline(cause)));
        }
    }
    text
}

fn summarise(review: &Review<'_>) -> String {
    let incident = review.incident;
    let headline = inline(&summary::headline(&incident.finding, Some(review.config)));
    let mut text = format!("## Summary\n\nFrom {}", incident.since.show());
    let last = last_bad(review);
    text.push_str(&match (incident.resolved, last) {
        (Some(resolved), _) if incident.unwatched.is_some() => format!(
            " until at least {}, when it was no longer watched because the configuration changed: {headline}.\n\n",
            resolved.show()
        ),
        (Some(_), Some(last)) => format!(" until {}: {headline}.\n\n", last.show()),
        (Some(resolved), None) => format!(", resolved at {}: {headline}.\n\n", resolved.show()),
        (None, _) => format!(" and still: {headline}.\n\n"),
    });
    let mut rows = Vec::new();
    if let (Some(last), Some(_), None) = (last, incident.resolved, &incident.unwatched) {
        rows.push(("Duration, from the first bad check to the last", show_about(last.since(incident.since))));
    }
    rows.push(("Time to detect", show_about(incident.detected().since(incident.since))));
    if let Some(delivered) = first_delivery(review) {
        rows.push(("Time to the first delivery", show_about(delivered.since(incident.since))));
    }
    if let Some((by, at)) = &incident.acknowledged {
        rows.push(("Time to acknowledge", format!("{}, by {}", show_about(at.since(incident.since)), inline(by))));
    }
    rows.push(match incident.resolved {
        Some(_) if let Some(into) = incident.corrected.merged_into => {
            ("Time to resolve", format!("not known: it goes on as part of incident {}", into.short()))
        }
        Some(resolved) if incident.unwatched.is_some() => {
            let watched = show_about(resolved.since(incident.since));
            ("Time to resolve", format!("not known: after {watched} it was no longer watched"))
        }
        Some(resolved) => ("Time to resolve", show_about(resolved.since(incident.since))),
        None => ("Time to resolve", "it is still open".into()),
    });
    text.push_str("| | |\n|---|---|\n");
    for (name, value) in rows {
        text.push_str(&format!("| {name} | {value} |\n"));
    }
    if let Some(sure) = summary::sureness(&incident.finding) {
        text.push_str(&format!("\nHow sure that these customers were hit and not others: {}.\n", inline(&sure)));
    }
    text.push_str("\n*In two or three sentences for customers: what could they not do?*\n\n");
    text
}

/// When the last bad check ended, if the stored results tell: all are there, and what was bad were failures.
fn last_bad(review: &Review<'_>) -> Option<Timestamp> {
    let failures = |rule: &Rule| rule.kind.bad().is_some_and(|bad| !matches!(bad, Bad::When(_)));
    let incident = review.incident;
    let rules = review.config.rules.iter();
    let mut its = rules.filter(|rule| incident.breaches.iter().any(|breach| breach.rule == rule.id));
    let tells = incident.finding.what.is_none() && its.all(failures) && review.impact.missing().is_none();
    review.impact.last_bad.filter(|_| tells)
}

fn first_delivery(review: &Review<'_>) -> Option<Timestamp> {
    let opening = review.sent.iter().filter(|sent| sent.kind == NotificationKind::Opened);
    let times = lifecycle::times(review.events);
    opening.filter_map(|sent| moments(sent, review.events, &times).1).min()
}

/// When a message was owed and delivered, by the clock as it went at the last of the events, whose times by it these are.
fn moments(sent: &Sent, events: &[IncidentEvent], times: &[Timestamp]) -> (Timestamp, Option<Timestamp>) {
    // The event that made it owed is of the same moment.
    let same = events.iter().zip(times).find(|(event, _)| event.at == sent.owed);
    let owed = same.map_or(sent.owed, |(_, at)| *at);
    let back = sent.owed.since(owed);
    // Delivered before it was owed: the clock had been set back by then.
    let delivered = sent.delivered.map(|at| if at < sent.owed { at } else { at - back });
    (owed, delivered)
}

fn share(count: Count) -> String {
    let whole = count.looked.max(1);
    let tenths = (u128::from(count.failed) * 1_000 + u128::from(whole) / 2) / u128::from(whole);
    format!("{} | {} | {}.{}%", count.failed, count.looked, tenths / 10, tenths % 10)
}

fn impact(review: &Review<'_>) -> String {
    let (impact, finding) = (review.impact, &review.incident.finding);
    let mut text = "## Impact\n\n".to_owned();
    if let Some(missing) = impact.missing() {
        text.push_str(&format!(
            "**Not all results are there.** {missing} The counts by component, customer and failure are left out, because \
             they would be wrong. When the record was last updated, {} of {} checks were bad, on {}.\n\n",
            finding.bad,
            finding.looked,
            inline(&summary::components(finding, Some(review.config))),
        ));
        return text;
    }
    text.push_str(&format!("{} of {} checks failed in this time.\n\n", impact.total.failed, impact.total.looked));
    let factor = finding.factor.as_ref().map(|factor| inline(&summary::show_factor(factor, Some(review.config))));
    let beside = factor.as_ref().map(|factor| format!(" Failed for {factor} | Checks | Share |")).unwrap_or_default();
    text.push_str(&format!(
        "### By component\n\n| Component | Failed | Checks | Share |{beside}\n|---|---:|---:|---:|"
    ));
    text.push_str(if factor.is_some() { "---:|---:|---:|\n" } else { "\n" });
    let mut well = Vec::new();
    for component in &review.config.components {
        let Some((all, with)) = impact.components.get(&component.id) else { continue };
        if all.failed == 0 {
            well.push(inline(&component.name));
            continue;
        }
        let beside = factor.as_ref().map(|_| format!(" {} |", share(*with))).unwrap_or_default();
        text.push_str(&format!("| {} | {} |{beside}\n", inline(&component.name), share(*all)));
    }
    if !well.is_empty() {
        text.push_str(&format!("\nNo check failed on {}.\n", well.join(", ")));
    }
    for label in review.config.cohorts.keys() {
        let mut rows: Vec<_> = impact.cohorts.iter().filter(|((name, _), _)| name == label).collect();
        if rows.is_empty() {
            continue;
        }
        rows.sort_by_key(|((_, value), count)| {
            (std::cmp::Reverse(count.failed * 1_000_000 / count.looked.max(1)), value.clone())
        });
        text.push_str(&format!("\n### By {}, on the components that were hit\n\n| {} | Failed | Checks | Share |\n|---|---:|---:|---:|\n", inline(label.as_str()), inline(label.as_str())));
        for ((_, value), count) in rows.iter().take(MOST_ROWS) {
            text.push_str(&format!("| {} | {} |\n", inline(value.as_str()), share(**count)));
        }
        if rows.len() > MOST_ROWS {
            text.push_str(&format!("\n... and {} more, with shares no larger.\n", rows.len() - MOST_ROWS));
        }
    }
    let all: u64 = impact.classes.values().sum();
    text.push_str("\n### By failure\n\n| Failure | Status | Checks | Of all failures |\n|---|---|---:|---:|\n");
    for ((class, status), failed) in &impact.classes {
        let status = status.map_or_else(|| "none".to_owned(), |status| status.to_string());
        let of = share(Count { failed: *failed, looked: all });
        let percent = of.rsplit(" | ").next().unwrap_or_default().to_owned();
        text.push_str(&format!("| {} | {status} | {failed} | {percent} |\n", inline(class.title())));
    }
    if impact.unknown > 0 {
        text.push_str(&format!("\n{} checks are of probes that the configuration does not have any more; they are not in these counts.\n", impact.unknown));
    }
    text.push('\n');
    text
}

fn timeline(review: &Review<'_>) -> String {
    let incident = review.incident;
    let mut lines: Vec<(Timestamp, u8, String)> = vec![(incident.since, 0, "First bad check ended".into())];
    let times = lifecycle::times(review.events);
    for (event, at) in review.events.iter().zip(&times) {
        let said = match &event.change {
            // The deliveries say when they were owed, and more.
            IncidentChange::Told { .. } => continue,
            IncidentChange::Opened { .. } => format!("Detected: {}", event.change),
            change => capital(&change.to_string()),
        };
        lines.push((*at, 2, inline(&said)));
    }
    for sent in review.sent {
        let (owed, delivered) = moments(sent, review.events, &times);
        let tries = format!("{} attempt{}", sent.attempts, if sent.attempts == 1 { "" } else { "s" });
        let fate = match delivered {
            Some(at) => format!("delivered at {} ({tries})", at.show_clock()),
            None => format!("{} ({tries})", inline(&sent.state)),
        };
        let line = format!("Notification \"{}\" to {}: {fate}", sent.kind.as_str(), inline(&sent.to));
        lines.push((owed, 3, line));
    }
    if let Some(last) = review.impact.last_bad.filter(|_| review.impact.missing().is_none()) {
        lines.push((last, 1, "Last failed check ended".into()));
    }
    lines.sort_by_key(|(at, rank, _)| (*at, *rank));
    let mut text = "## Timeline\n\n| UTC | |\n|---|---|\n".to_owned();
    for (at, _, said) in lines {
        text.push_str(&format!("| {} | {said} |\n", at.show().trim_end_matches(" UTC")));
    }
    text.push_str("\n*Add what people did: what they saw, tried, and when customers were told.*\n\n");
    text
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn detection(review: &Review<'_>) -> String {
    let incident = review.incident;
    let mut text = "## Detection\n\n".to_owned();
    if let Some(breach) = incident.first_found() {
        text.push_str(&format!(
            "Rule {} noticed it for {} after {}: {}.\n\n",
            inline(breach.rule.as_str()),
            inline(&breach.slice.to_string()),
            show_about(breach.found.since(incident.since)),
            inline(&breach.reason)
        ));
    }
    if review.verdicts.is_empty() {
        text.push_str("What today's rules would have done cannot be said, because not all results are there.\n\n");
    } else {
        text.push_str("Today's rules on the same results:\n\n| Rule | After | Why |\n|---|---:|---|\n");
        for Verdict { rule, noticed } in review.verdicts {
            let (after, why) = match noticed {
                Noticed::At(at, why) if *at < incident.since => ("before it began".into(), inline(why)),
                Noticed::At(at, why) => (show_about(at.since(incident.since)), inline(why)),
                Noticed::Never => ("never".into(), "it would not have noticed".into()),
                Noticed::NotJudged => ("not judged here".into(), UNJUDGED.into()),
            };
            text.push_str(&format!("| {} | {after} | {why} |\n", inline(rule)));
        }
        text.push('\n');
    }
    text.push_str("*Was that soon enough? Did a customer notice before? Which check was missing?*\n\n");
    text
}

fn evidence(review: &Review<'_>) -> String {
    let mut text = "## Evidence\n\n".to_owned();
    for failure in review.failures {
        let Some(evidence) = &failure.evidence else { continue };
        text.push_str(&format!("{}, probe {}:\n\n", failure.finished().show(), inline(failure.probe.as_str())));
        let mut lines = vec![evidence.request.clone(), evidence.fault.clone()];
        lines.extend(evidence.address.map(|address| format!("address {address}")));
        lines.extend(evidence.headers.iter().take(MOST_ROWS).map(|(name, value)| format!("{name}: {value}")));
        let body: String = evidence.body.chars().take(LONGEST_BODY).collect();
        if !body.trim().is_empty() {
            lines.extend([String::new(), body]);
        }
        text.push_str(&fenced(&lines.join("\n")));
        text.push('\n');
    }
    if text.ends_with("## Evidence\n\n") {
        text.push_str("None is stored any more.\n");
    }
    text
}

/// How much before an incident its results are looked at, so that rules have full windows, at the most.
pub const LONGEST_LEAD: Duration = Duration::from_secs(86_400);

#[cfg(test)]
mod tests;
