//! What was heard of an incident that became part of another, and what stays apart from what, as JSON.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::finding::NamedRow;
use super::names::one_of;
use crate::model::{Apart, Heard, NotificationKind, Severity, Timestamp};

#[derive(Serialize, Deserialize)]
pub(super) struct HeardRow {
    at: i64,
    kind: String,
    severity: String,
    named: Vec<NamedRow>,
}

impl HeardRow {
    pub(super) fn of(heard: &Heard) -> Self {
        let Heard { at, kind, severity, named } = heard;
        Self {
            at: at.as_millis(),
            kind: kind.as_str().into(),
            severity: severity.as_str().into(),
            named: named.iter().map(NamedRow::of).collect(),
        }
    }

    pub(super) fn meant(self) -> Result<Heard, String> {
        Ok(Heard {
            at: Timestamp::from_millis(self.at),
            kind: one_of(&NotificationKind::ALL, NotificationKind::as_str, &self.kind)?,
            severity: one_of(&Severity::ALL, Severity::as_str, &self.severity)?,
            named: self.named.into_iter().map(NamedRow::meant).collect::<Result<_, _>>()?,
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct ApartRow {
    components: BTreeSet<String>,
    rules: BTreeSet<String>,
}

impl ApartRow {
    pub(super) fn of(apart: &Apart) -> Self {
        Self {
            components: apart.components.iter().map(ToString::to_string).collect(),
            rules: apart.rules.iter().map(ToString::to_string).collect(),
        }
    }

    pub(super) fn meant(self) -> Apart {
        Apart {
            components: self.components.into_iter().map(Into::into).collect(),
            rules: self.rules.into_iter().map(Into::into).collect(),
        }
    }
}
