//! Corrections: what people said of an incident that no rule can know.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::id::{ComponentId, IncidentId, ReceiverId, RuleId};

/// What people corrected of an incident.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Corrected {
    /// The incidents that were merged into it.
    pub merged: BTreeMap<IncidentId, Merged>,
    /// The incident into which it was merged: there it goes on.
    pub merged_into: Option<IncidentId>,
    /// The incident from which it was split, and who did that.
    pub split_from: Option<(IncidentId, String)>,
    /// The incidents from which it is kept apart, and what is theirs.
    pub apart: BTreeMap<IncidentId, Apart>,
    /// That it was a false alarm.
    pub false_alarm: Option<FalseAlarm>,
}

/// An incident that was merged into another.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Merged {
    /// What it was.
    pub what: String,
    /// Who merged it.
    pub by: String,
    /// Why; empty when nothing was said.
    pub why: String,
}

/// What is of the other incident, after a split.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Apart {
    /// The bad checks of these components.
    pub components: BTreeSet<ComponentId>,
    /// The breaches of these rules.
    pub rules: BTreeSet<RuleId>,
}

/// By their names: `api, website-slow`.
impl fmt::Display for Apart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let components = self.components.iter().map(ComponentId::as_str);
        let names: Vec<&str> = components.chain(self.rules.iter().map(RuleId::as_str)).collect();
        f.write_str(&names.join(", "))
    }
}

/// Somebody says that nothing was wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FalseAlarm {
    /// Who.
    pub by: String,
    /// Why.
    pub why: String,
    /// Who was notified of the incident, and not yet of this.
    pub untold: BTreeSet<ReceiverId>,
}
