//! A drill as JSON: one object for each scenario. Times are milliseconds from the drill's start.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::config::Config;
use crate::drill::{Report, Scenario, Spread, Summary};
use crate::incident::summary::title;
use crate::model::{ComponentId, LabelName, LabelValue, Named};

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
pub(super) fn run(report: &Report, scenario: &Scenario, config: &Arc<Config>) -> Value {
    let incidents: Vec<Value> = report
        .incidents
        .iter()
        .map(|played| {
            let incident = &played.incident;
            let found = incident.finding.factor.as_ref();
            let known = scenario.config_at(config, played.opened.saturating_sub(report.take.shift));
            json!({
                "id": incident.id.to_string(),
                "title": title(&incident.finding, Some(known)),
                "severity": incident.severity.as_str(),
                "since": millis(played.since),
                "opened": millis(played.opened),
                "resolved": played.resolved.map(millis),
                "detected": played.detected.map(millis),
                "factor": found.map(|found| factor(&found.label, &found.values)),
                "failure": incident.finding.failure.map(|class| class.as_str()),
                "components": components(&incident.finding.components),
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
            "named": owed.named.as_ref().map(named),
            "refused": owed.refused,
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

/// What a message named, as it was sent.
fn named(named: &Named) -> Value {
    json!({
        "components": components(&named.components),
        "factor": named.factor.as_ref().map(|(label, values)| factor(label, values)),
        "failure": named.failure.map(|class| class.as_str()),
        "everywhere": named.everywhere,
    })
}

fn factor(label: &LabelName, values: &BTreeSet<LabelValue>) -> Value {
    json!({
        "label": label.as_str(),
        "values": values.iter().map(LabelValue::as_str).collect::<Vec<_>>(),
    })
}

fn components(components: &BTreeSet<ComponentId>) -> Vec<&str> {
    components.iter().map(ComponentId::as_str).collect()
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
