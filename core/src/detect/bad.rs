//! What counts as bad.

use std::sync::Arc;

use super::history::Entry;
use crate::model::condition::{Fact, Verdict};
use crate::model::{Bad, CheckResult, Condition, Probe};

/// Whether the result is bad in this sense. A condition that cannot be worked out for a result does not hold of it.
pub(super) fn is_bad(bad: &Bad, probe: &Probe, result: &CheckResult) -> bool {
    match bad {
        Bad::Failed => result.outcome.failure().is_some(),
        Bad::Class(class) => result.outcome.failure() == Some(*class),
        Bad::When(condition) => holds(condition, probe, result),
    }
}

/// Whether an entry of the history that some rule calls bad is bad in this sense. What a condition said of a check is not
/// kept; that any rule called it bad must do.
pub(super) fn counts(bad: &Bad, entry: &Entry) -> bool {
    match bad {
        Bad::Failed => entry.class.is_some(),
        Bad::Class(class) => entry.class == Some(*class),
        Bad::When(_) => true,
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
        _ => Fact::timing(&result.phases),
    }
}

fn text(text: &str) -> Fact {
    Fact::Text(Arc::from(text))
}
