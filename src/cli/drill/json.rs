//! A drill as JSON: one object for each scenario. Times are milliseconds from the drill's start.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::config::Config;
use crate::drill::{Report, Scenario, Spread, Summary};
use crate::incident::summary::title;
use crate::model::{ComponentId, LabelValue};

/// A scenario with its runs.
pub(super) fn drill(file: &Path, scenario: &Scenario, summary: &Summary, runs: Vec<Value>) -> Value {
    json!({
        "name": scenario.name,
        "file": file.display().to_string(),
        "met": summary.met == summary.runs,
        "summary": {
            "runs": summary.runs,
            "met": summary.met,
            "checks": summary.checks,
            "incidents": summary.incidents,
            "false_alarms": summary.false_alarms,
            "missed": summary.missed,
            "notifications": summary.notifications,
            "detected": spread(summary.detected()),
            "resolved": spread(summary.resolved()),
        },
        "runs": runs,
    })
}

/// One run.
pub(super) fn run(report: &Report, config: &Config) -> Value {
    let incidents: Vec<Value> = report
        .incidents
        .iter()
        .map(|played| {
            let incident = &played.incident;
            let factor = incident.finding.factor.as_ref().map(|factor| {
                json!({
                    "label": factor.label.as_str(),
                    "values": factor.values.iter().map(LabelValue::as_str).collect::<Vec<_>>(),
                })
            });
            json!({
                "id": incident.id.to_string(),
                "title": title(&incident.finding, Some(config)),
                "severity": incident.severity.as_str(),
                "since": millis(played.since),
                "opened": millis(played.opened),
                "resolved": played.resolved.map(millis),
                "factor": factor,
                "failure": incident.finding.failure.map(|class| class.as_str()),
                "components": incident.finding.components.iter().map(ComponentId::as_str).collect::<Vec<_>>(),
                "false_alarm": played.false_alarm,
                "faults": played.faults,
            })
        })
        .collect();
    let notifications = report.notifications.iter().map(|owed| {
        json!({
            "at": millis(owed.at.since(report.start)),
            "incident": owed.what.incident.to_string(),
            "receiver": owed.what.receiver.as_str(),
            "kind": owed.what.kind.as_str(),
            "subject": owed.what.message.title(),
        })
    });
    let verdicts = report.verdicts.iter().map(|verdict| {
        json!({
            "about": verdict.about,
            "expected": verdict.expected,
            "found": verdict.found,
            "met": verdict.met,
        })
    });
    json!({
        "seed": report.take.seed,
        "shift": millis(report.take.shift),
        "met": report.is_met(),
        "checks": {
            "made": report.counts.checks,
            "failed": report.counts.failed,
            "void": report.counts.void,
            "again": report.counts.again,
            "missing": report.missing,
        },
        "detected": report.detected.map(millis),
        "resolved": report.resolved.map(millis),
        "false_alarms": report.false_alarms,
        "missed": report.missed,
        "incidents": incidents,
        "notifications": notifications.collect::<Vec<_>>(),
        "expectations": verdicts.collect::<Vec<_>>(),
    })
}

fn spread(spread: Option<Spread>) -> Value {
    spread.map_or(Value::Null, |spread| {
        json!({
            "runs": spread.runs,
            "best": millis(spread.best),
            "median": millis(spread.median),
            "p99": millis(spread.p99),
            "worst": millis(spread.worst),
        })
    })
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
