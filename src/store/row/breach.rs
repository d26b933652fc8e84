//! Breaches as JSON.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::names::{class, id, one_of};
use crate::model::{Breach, BreachId, Marks, Ratio, Severity, Slice, Timestamp};

#[derive(Serialize, Deserialize)]
pub(super) struct BreachRow {
    id: String,
    rule: String,
    labels: BTreeMap<String, String>,
    probe: Option<String>,
    severity: String,
    since: i64,
    found: i64,
    reason: String,
    components: BTreeSet<String>,
    cohorts: BTreeSet<(String, String)>,
    classes: BTreeSet<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    usual_ppm: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    meaning: Option<u64>,
    cleared: Option<i64>,
}

impl BreachRow {
    pub(super) fn of(breach: &Breach) -> Self {
        let Breach { id, rule, slice, severity, since, found, reason, marks, usual, meaning, cleared } = breach;
        Self {
            id: id.to_string(),
            rule: rule.to_string(),
            labels: slice.labels.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect(),
            probe: slice.probe.as_ref().map(ToString::to_string),
            severity: severity.as_str().into(),
            since: since.as_millis(),
            found: found.as_millis(),
            reason: reason.clone(),
            components: marks.components.iter().map(ToString::to_string).collect(),
            cohorts: marks.cohorts.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect(),
            classes: marks.classes.iter().map(|class| class.as_str().into()).collect(),
            usual_ppm: usual.map(Ratio::ppm),
            meaning: *meaning,
            cleared: cleared.map(Timestamp::as_millis),
        }
    }

    pub(super) fn meant(self) -> Result<Breach, String> {
        Ok(Breach {
            id: BreachId::from_bytes(id(&self.id)?),
            rule: self.rule.into(),
            slice: Slice {
                labels: self.labels.into_iter().map(|(name, value)| (name.into(), value.into())).collect(),
                probe: self.probe.map(Into::into),
            },
            severity: one_of(&Severity::ALL, Severity::as_str, &self.severity)?,
            since: Timestamp::from_millis(self.since),
            found: Timestamp::from_millis(self.found),
            reason: self.reason,
            marks: Marks {
                components: self.components.into_iter().map(Into::into).collect(),
                cohorts: self.cohorts.into_iter().map(|(name, value)| (name.into(), value.into())).collect(),
                classes: self.classes.iter().map(|name| class(name)).collect::<Result<_, _>>()?,
            },
            usual: self.usual_ppm.map(Ratio::from_ppm),
            meaning: self.meaning,
            cleared: self.cleared.map(Timestamp::from_millis),
        })
    }
}
