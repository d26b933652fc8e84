//! A drill as a person reads it: what happened when, then what was expected.

use std::path::Path;
use std::time::Duration;

use crate::config::Config;
use crate::drill::scenario::{Answer, Fault};
use crate::drill::{Report, Scenario, Spread, Summary};
use crate::incident::summary::headline;
use crate::model::unit::{show_about, show_duration};
use crate::model::{ActionKind, IncidentChange, Ratio, Scope};

/// More lines of a timeline than this are not shown, unless more is asked for.
const MOST_LINES: usize = 40;

/// One run: its timeline and what was expected.
pub(super) fn one(file: &Path, scenario: &Scenario, config: &Config, report: &Report, verbose: bool) -> String {
    let counts = report.counts;
    let mut text = format!(
        "{} ({})\n  {} checks in {}, {} failed{}{}{}; {}\n\n",
        scenario.name,
        file.display(),
        counts.checks,
        show_duration(scenario.length),
        counts.failed,
        some(counts.again, "tried again"),
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

/// What the scenario does.
fn script(scenario: &Scenario, shift: Duration) -> Vec<(Duration, String)> {
    let mut lines = Vec::new();
    for fault in &scenario.faults {
        lines.push((fault.from, format!("FAULT     {}", show_fault(fault))));
        if fault.until < scenario.length {
            lines.push((fault.until, format!("REPAIR    {}", show_answer(fault.answer))));
        }
    }
    lines.extend(scenario.restarts.iter().map(|at| (*at, "RESTART   the daemon is killed and started again".into())));
    for (at, by) in &scenario.clock {
        let way = if *by < 0 { "back" } else { "forth" };
        let by = show_duration(Duration::from_millis(by.unsigned_abs()));
        lines.push((*at, format!("CLOCK     is set {way} by {by}")));
    }
    for (from, until) in &scenario.offline {
        lines.push((*from, "OFFLINE   this machine has no network".to_owned()));
        lines.push((*until, "ONLINE    it has one again".to_owned()));
    }
    for act in &scenario.acts {
        let what = if act.kind == ActionKind::Resolve { "resolves" } else { "takes on" };
        lines.push((act.at, format!("ACT       {} {what} what is open", act.by)));
    }
    lines.into_iter().map(|(at, line)| (at + shift, line)).collect()
}

/// What the engine made of it; the inner workings only where more is asked for.
fn happened(scenario: &Scenario, config: &Config, report: &Report, verbose: bool) -> Vec<(Duration, String)> {
    let mut lines = Vec::new();
    for event in &report.events {
        let short = event.what.incident.short();
        let line = match &event.what.change {
            change @ IncidentChange::Opened { breach, finding } => {
                let told = format!("INCIDENT  {short} {}: {}", breach.severity, headline(finding, Some(config)));
                if verbose { format!("{told}\n{:>23}{change}", "") } else { told }
            }
            IncidentChange::Resolved { finding, .. } => {
                format!("RESOLVED  {short} {}", headline(finding, Some(config)))
            }
            IncidentChange::Told { notification, receiver, kind, .. } if verbose => {
                let owed = report.notifications.iter().find(|owed| owed.what.id == *notification);
                let subject = owed.map(|owed| owed.what.message.title()).unwrap_or_default();
                format!("TOLD      {short} {receiver}: {}\n{:>23}{subject}", kind.as_str(), "")
            }
            IncidentChange::Told { receiver, kind, .. } => format!("TOLD      {short} {receiver}: {}", kind.as_str()),
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
        lines.push((event.at.since(scenario.start), line));
    }
    lines
}

fn show_fault(fault: &Fault) -> String {
    let mut text = format!("{} for {}", show_answer(fault.answer), show_scope(&fault.over));
    match fault.share {
        (Ratio::ONE, Ratio::ONE) => {}
        (from, to) if from == to => text.push_str(&format!(", {from} of the checks")),
        (from, to) => text.push_str(&format!(", {from} to {to} of the checks")),
    }
    if let Some((on, off)) = fault.flap {
        text.push_str(&format!(", on for {}, off for {}", show_duration(on), show_duration(off)));
    }
    text
}

fn show_answer(answer: Answer) -> String {
    match answer {
        Answer::Failure(class) => class.to_string(),
        Answer::Status(status) => format!("status {status}"),
        Answer::Latency(late) => format!("{} slower", show_duration(late)),
        Answer::Certificate(left) => format!("a certificate that runs out after {}", show_duration(left)),
        Answer::Missing => "no checks".to_owned(),
    }
}

fn show_scope(scope: &Scope) -> String {
    let list = |names: Vec<&str>| names.join(", ");
    let mut parts = Vec::new();
    if !scope.labels.is_empty() {
        parts.push(crate::model::probe::show_labels(&scope.labels));
    }
    if !scope.components.is_empty() {
        parts.push(list(scope.components.iter().map(|id| id.as_str()).collect()));
    }
    if !scope.probes.is_empty() {
        parts.push(list(scope.probes.iter().map(|name| name.as_str()).collect()));
    }
    if parts.is_empty() { "everything".to_owned() } else { parts.join(" on ") }
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
