//! What counts as bad.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::model::condition::{Fact, Verdict};
use crate::model::{Bad, CheckResult, Condition, Phases, Probe};

/// Whether the result is bad in this sense. A condition that cannot be worked out for a result does not hold of it.
pub(super) fn is_bad(bad: &Bad, probe: &Probe, result: &CheckResult) -> bool {
    match bad {
        Bad::Failed => result.outcome.failure().is_some(),
        Bad::Class(class) => result.outcome.failure() == Some(*class),
        Bad::When(condition) => holds(condition, probe, result),
    }
}

fn holds(condition: &Condition, probe: &Probe, result: &CheckResult) -> bool {
    let mut facts = Vec::new();
    for variable in Bad::VARIABLES {
        if condition.mentions(variable) {
            facts.push((variable, fact(variable, probe, result)));
        }
    }
    condition.judge(&facts) == Verdict::Holds
}

fn fact(variable: &str, probe: &Probe, result: &CheckResult) -> Fact {
    match variable {
        "failure" => text(result.outcome.failure().map_or("", |class| class.as_str())),
        "status" => Fact::Int(result.status.map_or(0, i64::from)),
        "component" => text(probe.component.as_str()),
        "probe" => text(probe.name.as_str()),
        "kind" => text(probe.kind.name()),
        "labels" => {
            Fact::Map(probe.labels.iter().map(|(name, value)| (name.to_string(), text(value.as_str()))).collect())
        }
        _ => timing(&result.phases),
    }
}

/// The phases as a condition sees them; a phase that was not reached took no time.
pub(crate) fn timing(phases: &Phases) -> Fact {
    let span = |duration: Option<Duration>| Fact::Span(duration.unwrap_or_default());
    let named = [
        ("dns", span(phases.dns)),
        ("connect", span(phases.connect)),
        ("tls", span(phases.tls)),
        ("first_byte", span(phases.first_byte)),
        ("transfer", span(phases.transfer)),
        ("total", span(Some(phases.total))),
    ];
    Fact::Map(named.into_iter().map(|(name, fact)| (name.to_owned(), fact)).collect::<BTreeMap<_, _>>())
}

fn text(text: &str) -> Fact {
    Fact::Text(Arc::from(text))
}
