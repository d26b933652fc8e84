//! A drill as a person reads it: what happened when, then what was expected.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::script::script;
use crate::config::Config;
use crate::drill::{Owed, Report, Scenario, Spread, Summary};
use crate::incident::summary::{headline, unwatched};
use crate::model::IncidentChange;
use crate::model::unit::{show_about, show_duration};

/// More lines of a timeline than this are not shown, unless more is asked for.
const MOST_LINES: usize = 40;

/// One run: its timeline and what was expected.
pub(super) fn one(file: &Path, scenario: &Scenario, config: &Arc<Config>, report: &Report, verbose: bool) -> String {
    let counts = report.counts;
    let mut text = format!(
        "{} ({})\n  {} checks in {}, {} failed{}{}{}; {}\n\n",
        scenario.name,
        file.display(),
        counts.checks,
        show_duration(scenario.length),
        counts.failed,
        some(counts.again, "retried"),
        some(counts.void, "void"),
        some(report.missing, "did not come"),
        again(report),
    );
    let mut lines = script(scenario, report.take.shift);
    lines.extend(happened(scenario, config, report, verbose));
    lines.sort_by_key(|(at, _)| *at);
    let most = if verbose { usize::MAX } else { MOST_LINES };
    for (at, line) in lines.iter().take(most) {
        text.push_str(&format!("  {:>9}  {line}\n", clock(*at)));
    }
    if let Some(more) = lines.len().checked_sub(most).filter(|more| *more > 0) {
        text.push_str(&format!("  {:>9}  and {more} more lines; -v shows them all\n", "..."));
    }
    text.push('\n');
    text.push_str(&verdicts(report));
    text.push('\n');
    text
}

/// Many runs in a few lines, and what the first of them missed that missed something.
pub(super) fn many(file: &Path, scenario: &Scenario, summary: &Summary, missed: Option<&Report>) -> String {
    let mut text = format!("{} ({}): {} runs\n", scenario.name, file.display(), summary.runs);
    text.push_str(&format!("  time to detect   {}\n", spread(summary.detected(), summary.runs)));
    text.push_str(&format!("  time to resolve  {}\n", spread(summary.resolved(), summary.runs)));
    text.push_str(&format!(
        "  {} checks: {} incidents, {} false alarms, {} faults missed, {} messages\n",
        summary.checks, summary.incidents, summary.false_alarms, summary.missed, summary.notifications,
    ));
    let mark = if summary.met == summary.runs { "✓" } else { "✗" };
    text.push_str(&format!("  {mark} {} of {} runs met every expectation\n", summary.met, summary.runs));
    if let Some(report) = missed {
        text.push_str(&format!("\n  the first that did not ({}):\n{}", again(report), verdicts(report)));
    }
    text.push('\n');
    text
}

/// What repeats the run.
pub(super) fn again(report: &Report) -> String {
    let shift = report.take.shift;
    let shift = if shift.is_zero() { String::new() } else { format!(" --shift {}", show_duration(shift)) };
    format!("--seed {}{shift}", report.take.seed)
}

fn verdicts(report: &Report) -> String {
    let wide = |text: &str| text.chars().count();
    let about = report.verdicts.iter().map(|verdict| wide(&verdict.about)).max().unwrap_or_default();
    let expected = report.verdicts.iter().map(|verdict| wide(&verdict.expected)).max().unwrap_or_default();
    let line = |verdict: &crate::drill::Verdict| {
        let mark = if verdict.met { "✓" } else { "✗" };
        format!(
            "  {mark} {:<about$}  expected {:<expected$}  found {}\n",
            verdict.about, verdict.expected, verdict.found
        )
    };
    if report.verdicts.is_empty() {
        "  nothing was expected\n".to_owned()
    } else {
        report.verdicts.iter().map(line).collect()
    }
}

/// What the engine made of it; the inner workings only where more is asked for.
fn happened(scenario: &Scenario, config: &Arc<Config>, report: &Report, verbose: bool) -> Vec<(Duration, String)> {
    let mut lines = Vec::new();
    for event in &report.events {
        let short = event.what.incident.short();
        let at = event.at.since(scenario.start);
        let config = scenario.config_at(config, at.saturating_sub(report.take.shift));
        let line = match &event.what.change {
            change @ IncidentChange::Opened { breach, finding } => {
                let told = format!("INCIDENT  {short} {}: {}", breach.severity, headline(finding, Some(config)));
                if verbose { format!("{told}\n{:>23}{change}", "") } else { told }
            }
            IncidentChange::Resolved { finding, unwatched: true, .. } => {
                format!("UNWATCHED {short} {}", unwatched(finding, Some(config)))
            }
            IncidentChange::Resolved { finding, .. } => {
                format!("RESOLVED  {short} {}", headline(finding, Some(config)))
            }
            IncidentChange::Told { notification, receiver, kind, .. } => {
                let owed = report.notifications.iter().find(|owed| owed.what.id == *notification);
                let refused = if owed.is_some_and(|owed| owed.refused) { " (refused)" } else { "" };
                let told = format!("NOTIFIED  {short} {receiver}: {}{refused}", kind.as_str());
                let subject = |owed: &Owed| format!("{told}\n{:>23}{}", "", owed.what.message.title());
                owed.filter(|_| verbose).map_or_else(|| told.clone(), subject)
            }
            change @ IncidentChange::Reopened { .. } => format!("REOPENED  {short} {change}"),
            IncidentChange::Assessed { worse: false, .. }
            | IncidentChange::Joined { .. }
            | IncidentChange::Cleared { .. }
                if !verbose =>
            {
                continue;
            }
            other => format!("          {short} {other}"),
        };
        lines.push((at, line));
    }
    lines
}

fn spread(spread: Option<Spread>, runs: u64) -> String {
    match spread {
        None => "never".to_owned(),
        Some(spread) => {
            let [best, median, p99, worst] = [spread.best, spread.median, spread.p99, spread.worst].map(show_about);
            let seen = if u64::try_from(spread.runs) == Ok(runs) {
                String::new()
            } else {
                format!(", in {} of {runs} runs", spread.runs)
            };
            format!("best {best}, median {median}, p99 {p99}, worst {worst}{seen}")
        }
    }
}

/// `, 3 void`, or nothing.
fn some(count: u64, what: &str) -> String {
    if count == 0 { String::new() } else { format!(", {count} {what}") }
}

/// A time of the drill: `1:02:03`.
fn clock(at: Duration) -> String {
    let seconds = at.as_secs();
    format!("{}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}
