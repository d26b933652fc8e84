//! Incident events as JSON: mirrors of the model's types, with names and plain numbers in them.
//!
//! Fields may be added with a default; none is renamed or given another meaning, for old rows are read for ever.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::breach::BreachRow;
use super::finding::{FindingRow, NamedRow};
use super::heard::{ApartRow, HeardRow};
use super::names::{id, one_of};
use super::{of_json, to_json};
use crate::model::{
    BreachId, IdOf, IncidentChange, IncidentEvent, IncidentId, NotificationId, NotificationKind, Severity, Timestamp,
    WithheldFor,
};
use crate::store::StoreError;

/// What the columns of an event hold beside its key and time.
#[derive(Debug)]
pub(in crate::store) struct EventRow {
    pub(in crate::store) kind: String,
    pub(in crate::store) body: String,
}

impl EventRow {
    pub(in crate::store) fn of(event: &IncidentEvent) -> Result<Self, StoreError> {
        let tagged = serde_json::to_value(Change::of(&event.change))
            .map_err(|error| StoreError::Conflict(format!("no JSON of an event: {error}")))?;
        let (Some(kind), Some(body)) = (tagged.get("kind").and_then(|kind| kind.as_str()), tagged.get("body")) else {
            return Err(StoreError::Conflict("no JSON of an event: it has no kind".into()));
        };
        Ok(Self { kind: kind.into(), body: to_json(body)? })
    }

    pub(in crate::store) fn event(
        self,
        incident: IncidentId,
        seq: u32,
        at: Timestamp,
    ) -> Result<IncidentEvent, StoreError> {
        let row = format!("event {seq} of incident {}", incident.short());
        let body: serde_json::Value = of_json(&row, &self.body)?;
        let tagged = serde_json::json!({ "kind": self.kind, "body": body });
        let change: Change = serde_json::from_value(tagged).map_err(|error| StoreError::unreadable(&row, error))?;
        let change = change.meant().map_err(|cause| StoreError::unreadable(&row, cause))?;
        Ok(IncidentEvent { incident, seq, at, change })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", content = "body", rename_all = "snake_case")]
enum Change {
    Opened {
        breach: BreachRow,
        finding: Box<FindingRow>,
    },
    Joined {
        breach: BreachRow,
        reason: String,
    },
    Cleared {
        breach: String,
        reason: String,
    },
    Assessed {
        finding: FindingRow,
        reason: String,
        worse: bool,
    },
    Raised {
        severity: String,
        reason: String,
    },
    Watched {
        until: i64,
        reason: String,
    },
    Reopened {
        breach: BreachRow,
        reason: String,
    },
    SeeAlso {
        other: String,
        what: String,
    },
    ClockSetBack {
        by_ms: u64,
    },
    Renamed {
        what: String,
        from: String,
        to: String,
    },
    Acknowledged {
        by: String,
    },
    Noted {
        by: String,
        text: String,
    },
    Identified {
        by: String,
        cause: String,
    },
    Mended {
        by: String,
        text: String,
    },
    Resolved {
        by: Option<String>,
        reason: String,
        finding: FindingRow,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        unwatched: bool,
    },
    Merged {
        other: String,
        what: String,
        severity: String,
        breaches: Vec<BreachRow>,
        stretch: usize,
        finding: FindingRow,
        told: BTreeMap<String, HeardRow>,
        know: BTreeSet<String>,
        by: String,
        why: String,
    },
    MergedInto {
        into: String,
        by: String,
        why: String,
    },
    Split {
        other: String,
        breaches: Vec<String>,
        theirs: ApartRow,
        finding: FindingRow,
        by: String,
        why: String,
    },
    SplitFrom {
        other: String,
        theirs: ApartRow,
        by: String,
        why: String,
    },
    FalseAlarm {
        by: String,
        why: String,
    },
    Told {
        notification: String,
        receiver: String,
        kind: String,
        reason: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        named: Option<NamedRow>,
    },
    Undelivered {
        notification: String,
        receiver: String,
        address: String,
        why: String,
    },
    Withheld {
        receiver: Option<String>,
        cause: String,
        reason: String,
    },
}

impl Change {
    fn of(change: &IncidentChange) -> Self {
        match change.clone() {
            IncidentChange::Opened { breach, finding } => {
                Self::Opened { breach: BreachRow::of(&breach), finding: Box::new(FindingRow::of(&finding)) }
            }
            IncidentChange::Joined { breach, reason } => Self::Joined { breach: BreachRow::of(&breach), reason },
            IncidentChange::Cleared { breach, reason } => Self::Cleared { breach: breach.to_string(), reason },
            IncidentChange::Assessed { finding, reason, worse } => {
                Self::Assessed { finding: FindingRow::of(&finding), reason, worse }
            }
            IncidentChange::Raised { severity, reason } => {
                Self::Raised { severity: severity.as_str().into(), reason }
            }
            IncidentChange::Watched { until, reason } => Self::Watched { until: until.as_millis(), reason },
            IncidentChange::Reopened { breach, reason } => Self::Reopened { breach: BreachRow::of(&breach), reason },
            IncidentChange::SeeAlso { other, what } => Self::SeeAlso { other: other.to_string(), what },
            IncidentChange::ClockSetBack { by } => {
                Self::ClockSetBack { by_ms: u64::try_from(by.as_millis()).unwrap_or(u64::MAX) }
            }
            IncidentChange::Renamed { what, from, to } => Self::Renamed { what: what.as_str().into(), from, to },
            IncidentChange::Acknowledged { by } => Self::Acknowledged { by },
            IncidentChange::Noted { by, text } => Self::Noted { by, text },
            IncidentChange::Identified { by, cause } => Self::Identified { by, cause },
            IncidentChange::Mended { by, text } => Self::Mended { by, text },
            IncidentChange::Resolved { by, reason, finding, unwatched } => {
                Self::Resolved { by, reason, finding: FindingRow::of(&finding), unwatched }
            }
            IncidentChange::Merged { other, what, severity, breaches, stretch, finding, told, know, by, why } => {
                Self::Merged {
                    other: other.to_string(),
                    what,
                    severity: severity.as_str().into(),
                    breaches: breaches.iter().map(|breach| BreachRow::of(breach)).collect(),
                    stretch,
                    finding: FindingRow::of(&finding),
                    told: told.iter().map(|(receiver, heard)| (receiver.to_string(), HeardRow::of(heard))).collect(),
                    know: know.iter().map(ToString::to_string).collect(),
                    by,
                    why,
                }
            }
            IncidentChange::MergedInto { into, by, why } => Self::MergedInto { into: into.to_string(), by, why },
            IncidentChange::Split { other, breaches, theirs, finding, by, why } => Self::Split {
                other: other.to_string(),
                breaches: breaches.iter().map(ToString::to_string).collect(),
                theirs: ApartRow::of(&theirs),
                finding: FindingRow::of(&finding),
                by,
                why,
            },
            IncidentChange::SplitFrom { other, theirs, by, why } => {
                Self::SplitFrom { other: other.to_string(), theirs: ApartRow::of(&theirs), by, why }
            }
            IncidentChange::FalseAlarm { by, why } => Self::FalseAlarm { by, why },
            IncidentChange::Told { notification, receiver, kind, reason, named } => Self::Told {
                notification: notification.to_string(),
                receiver: receiver.to_string(),
                kind: kind.as_str().into(),
                reason,
                named: named.as_ref().map(NamedRow::of),
            },
            IncidentChange::Undelivered { notification, receiver, address, why } => Self::Undelivered {
                notification: notification.to_string(),
                receiver: receiver.to_string(),
                address,
                why,
            },
            IncidentChange::Withheld { receiver, cause, reason } => Self::Withheld {
                receiver: receiver.map(|receiver| receiver.to_string()),
                cause: cause.as_str().into(),
                reason,
            },
        }
    }

    fn meant(self) -> Result<IncidentChange, String> {
        Ok(match self {
            Self::Opened { breach, finding } => {
                IncidentChange::Opened { breach: breach.meant()?, finding: finding.meant()? }
            }
            Self::Joined { breach, reason } => IncidentChange::Joined { breach: breach.meant()?, reason },
            Self::Cleared { breach, reason } => {
                IncidentChange::Cleared { breach: BreachId::from_bytes(id(&breach)?), reason }
            }
            Self::Assessed { finding, reason, worse } => {
                IncidentChange::Assessed { finding: finding.meant()?, reason, worse }
            }
            Self::Raised { severity, reason } => {
                IncidentChange::Raised { severity: one_of(&Severity::ALL, Severity::as_str, &severity)?, reason }
            }
            Self::Watched { until, reason } => {
                IncidentChange::Watched { until: Timestamp::from_millis(until), reason }
            }
            Self::Reopened { breach, reason } => IncidentChange::Reopened { breach: breach.meant()?, reason },
            Self::SeeAlso { other, what } => {
                IncidentChange::SeeAlso { other: IncidentId::from_bytes(id(&other)?), what }
            }
            Self::ClockSetBack { by_ms } => IncidentChange::ClockSetBack { by: Duration::from_millis(by_ms) },
            Self::Renamed { what, from, to } => {
                IncidentChange::Renamed { what: one_of(&IdOf::ALL, IdOf::as_str, &what)?, from, to }
            }
            Self::Acknowledged { by } => IncidentChange::Acknowledged { by },
            Self::Noted { by, text } => IncidentChange::Noted { by, text },
            Self::Identified { by, cause } => IncidentChange::Identified { by, cause },
            Self::Mended { by, text } => IncidentChange::Mended { by, text },
            Self::Resolved { by, reason, finding, unwatched } => {
                IncidentChange::Resolved { by, reason, finding: finding.meant()?, unwatched }
            }
            Self::Merged { other, what, severity, breaches, stretch, finding, told, know, by, why } => {
                let told = told.into_iter().map(|(receiver, heard)| Ok((receiver.into(), heard.meant()?)));
                IncidentChange::Merged {
                    other: IncidentId::from_bytes(id(&other)?),
                    what,
                    severity: one_of(&Severity::ALL, Severity::as_str, &severity)?,
                    breaches: breaches
                        .into_iter()
                        .map(|breach| Ok(Arc::new(breach.meant()?)))
                        .collect::<Result<_, String>>()?,
                    stretch,
                    finding: finding.meant()?,
                    told: told.collect::<Result<_, String>>()?,
                    know: know.into_iter().map(Into::into).collect(),
                    by,
                    why,
                }
            }
            Self::MergedInto { into, by, why } => {
                IncidentChange::MergedInto { into: IncidentId::from_bytes(id(&into)?), by, why }
            }
            Self::Split { other, breaches, theirs, finding, by, why } => {
                let breaches = breaches.iter().map(|breach| Ok(BreachId::from_bytes(id(breach)?)));
                IncidentChange::Split {
                    other: IncidentId::from_bytes(id(&other)?),
                    breaches: breaches.collect::<Result<_, String>>()?,
                    theirs: theirs.meant(),
                    finding: finding.meant()?,
                    by,
                    why,
                }
            }
            Self::SplitFrom { other, theirs, by, why } => {
                let other = IncidentId::from_bytes(id(&other)?);
                IncidentChange::SplitFrom { other, theirs: theirs.meant(), by, why }
            }
            Self::FalseAlarm { by, why } => IncidentChange::FalseAlarm { by, why },
            Self::Told { notification, receiver, kind, reason, named } => IncidentChange::Told {
                notification: NotificationId::from_bytes(id(&notification)?),
                receiver: receiver.into(),
                kind: one_of(&NotificationKind::ALL, NotificationKind::as_str, &kind)?,
                reason,
                named: named.map(NamedRow::meant).transpose()?,
            },
            Self::Undelivered { notification, receiver, address, why } => IncidentChange::Undelivered {
                notification: NotificationId::from_bytes(id(&notification)?),
                receiver: receiver.into(),
                address,
                why,
            },
            Self::Withheld { receiver, cause, reason } => IncidentChange::Withheld {
                receiver: receiver.map(Into::into),
                cause: one_of(&WithheldFor::ALL, WithheldFor::as_str, &cause)?,
                reason,
            },
        })
    }
}
