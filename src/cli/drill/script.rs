//! What a scenario does, as a person reads it.

use std::time::Duration;

use crate::drill::Scenario;
use crate::drill::scenario::{Answer, DEEDS, Fault};
use crate::model::unit::show_duration;
use crate::model::{Ratio, Scope};

/// What the scenario does, each with its time.
pub(super) fn script(scenario: &Scenario, shift: Duration) -> Vec<(Duration, String)> {
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
    for (from, until) in &scenario.suspended {
        lines.push((*from, "STOPPED   the process of Tripline is stopped".to_owned()));
        lines.push((*until, "GOES ON   the process of Tripline goes on".to_owned()));
    }
    for reload in &scenario.reloads {
        lines.push((reload.at, format!("RELOAD    the configuration is replaced by {}", reload.path)));
    }
    for refused in &scenario.refused {
        let to = refused.receiver.as_ref().map(|receiver| format!(" to {receiver}")).unwrap_or_default();
        lines.push((refused.from, format!("REFUSED   mail{to} is refused for good from now on")));
        lines.push((refused.until, format!("ACCEPTED  mail{to} is accepted again")));
    }
    for act in &scenario.acts {
        let known = DEEDS.iter().find(|(_, kind, _)| *kind == act.kind);
        let deed = known.map(|(_, _, deed)| *deed).unwrap_or_default();
        let text = if act.text.is_empty() { String::new() } else { format!(": {}", act.text) };
        lines.push((act.at, format!("ACT       {} {deed} what is open{text}", act.by)));
    }
    lines.into_iter().map(|(at, line)| (at + shift, line)).collect()
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
        Answer::Certificate(left) => format!("a certificate that expires after {}", show_duration(left)),
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
