//! Incident events as JSON: mirrors of the model's types, with names and plain numbers in them.
//!
//! Fields may be added with a default; none is renamed or given another meaning, for old rows are read for ever.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{of_json, to_json};
use crate::model::{
    Breach, BreachId, Factor, FailureClass, Finding, IncidentChange, IncidentEvent, IncidentId, NotificationId,
    NotificationKind, Severity, Slice, Timestamp, Unseen, WithheldFor,
};
use crate::model::{Example, Marks, Named};
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

/// A finding, as the listing of incidents keeps it.
pub(in crate::store) fn finding_json(finding: &Finding) -> Result<String, StoreError> {
    to_json(&FindingRow::of(finding))
}

/// A finding as it was stored.
pub(in crate::store) fn finding_of_json(json: &str) -> Result<Finding, StoreError> {
    const ROW: &str = "the finding of an incident";
    of_json::<FindingRow>(ROW, json)?.meant().map_err(|cause| StoreError::unreadable(ROW, cause))
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", content = "body", rename_all = "snake_case")]
enum Change {
    Opened {
        breach: BreachRow,
        finding: FindingRow,
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
    ClockSetBack {
        by_ms: u64,
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
    },
    Told {
        notification: String,
        receiver: String,
        kind: String,
        reason: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        named: Option<NamedRow>,
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
                Self::Opened { breach: BreachRow::of(&breach), finding: FindingRow::of(&finding) }
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
            IncidentChange::ClockSetBack { by } => {
                Self::ClockSetBack { by_ms: u64::try_from(by.as_millis()).unwrap_or(u64::MAX) }
            }
            IncidentChange::Acknowledged { by } => Self::Acknowledged { by },
            IncidentChange::Noted { by, text } => Self::Noted { by, text },
            IncidentChange::Identified { by, cause } => Self::Identified { by, cause },
            IncidentChange::Mended { by, text } => Self::Mended { by, text },
            IncidentChange::Resolved { by, reason, finding } => {
                Self::Resolved { by, reason, finding: FindingRow::of(&finding) }
            }
            IncidentChange::Told { notification, receiver, kind, reason, named } => Self::Told {
                notification: notification.to_string(),
                receiver: receiver.to_string(),
                kind: kind.as_str().into(),
                reason,
                named: named.as_ref().map(NamedRow::of),
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
            Self::ClockSetBack { by_ms } => IncidentChange::ClockSetBack { by: Duration::from_millis(by_ms) },
            Self::Acknowledged { by } => IncidentChange::Acknowledged { by },
            Self::Noted { by, text } => IncidentChange::Noted { by, text },
            Self::Identified { by, cause } => IncidentChange::Identified { by, cause },
            Self::Mended { by, text } => IncidentChange::Mended { by, text },
            Self::Resolved { by, reason, finding } => {
                IncidentChange::Resolved { by, reason, finding: finding.meant()? }
            }
            Self::Told { notification, receiver, kind, reason, named } => IncidentChange::Told {
                notification: NotificationId::from_bytes(id(&notification)?),
                receiver: receiver.into(),
                kind: one_of(&NotificationKind::ALL, NotificationKind::as_str, &kind)?,
                reason,
                named: named.map(NamedRow::meant).transpose()?,
            },
            Self::Withheld { receiver, cause, reason } => IncidentChange::Withheld {
                receiver: receiver.map(Into::into),
                cause: one_of(&WithheldFor::ALL, WithheldFor::as_str, &cause)?,
                reason,
            },
        })
    }
}

#[derive(Serialize, Deserialize)]
struct BreachRow {
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
    cleared: Option<i64>,
}

impl BreachRow {
    fn of(breach: &Breach) -> Self {
        let Breach { id, rule, slice, severity, since, found, reason, marks, cleared } = breach;
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
            cleared: cleared.map(Timestamp::as_millis),
        }
    }

    fn meant(self) -> Result<Breach, String> {
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
            cleared: self.cleared.map(Timestamp::from_millis),
        })
    }
}

#[derive(Serialize, Deserialize)]
struct FindingRow {
    bad: u32,
    looked: u32,
    factor: Option<FactorRow>,
    failure: Option<String>,
    status: Option<u16>,
    components: BTreeSet<String>,
    example: Option<ExampleRow>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unseen: Option<UnseenRow>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    what: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct UnseenRow {
    since: i64,
    until: Option<i64>,
    checks: u32,
    hosts: u32,
    canaries: u32,
}

#[derive(Serialize, Deserialize)]
struct FactorRow {
    label: String,
    values: BTreeSet<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    and: Option<(String, String)>,
    bad: u32,
    looked: u32,
    bad_elsewhere: u32,
    looked_elsewhere: u32,
}

#[derive(Serialize, Deserialize)]
struct ExampleRow {
    probe: String,
    at: i64,
    request: String,
    fault: String,
}

#[derive(Serialize, Deserialize)]
struct NamedRow {
    components: BTreeSet<String>,
    factor: Option<(String, BTreeSet<String>)>,
    failure: Option<String>,
    everywhere: bool,
}

impl NamedRow {
    fn of(named: &Named) -> Self {
        let Named { components, factor, failure, everywhere } = named;
        Self {
            components: components.iter().map(ToString::to_string).collect(),
            factor: factor
                .as_ref()
                .map(|(label, values)| (label.to_string(), values.iter().map(ToString::to_string).collect())),
            failure: failure.map(|class| class.as_str().into()),
            everywhere: *everywhere,
        }
    }

    fn meant(self) -> Result<Named, String> {
        Ok(Named {
            components: self.components.into_iter().map(Into::into).collect(),
            factor: self.factor.map(|(label, values)| (label.into(), values.into_iter().map(Into::into).collect())),
            failure: self.failure.map(|name| class(&name)).transpose()?,
            everywhere: self.everywhere,
        })
    }
}

impl FindingRow {
    fn of(finding: &Finding) -> Self {
        let Finding { bad, looked, factor, failure, status, components, example, unseen, what } = finding;
        Self {
            bad: *bad,
            looked: *looked,
            factor: factor.as_ref().map(|factor| FactorRow {
                label: factor.label.to_string(),
                values: factor.values.iter().map(ToString::to_string).collect(),
                and: factor.and.as_ref().map(|(label, value)| (label.to_string(), value.to_string())),
                bad: factor.bad,
                looked: factor.looked,
                bad_elsewhere: factor.bad_elsewhere,
                looked_elsewhere: factor.looked_elsewhere,
            }),
            failure: failure.map(|class| class.as_str().into()),
            status: *status,
            components: components.iter().map(ToString::to_string).collect(),
            example: example.as_ref().map(|example| ExampleRow {
                probe: example.probe.to_string(),
                at: example.at.as_millis(),
                request: example.request.clone(),
                fault: example.fault.clone(),
            }),
            what: what.clone(),
            unseen: unseen.map(|unseen| UnseenRow {
                since: unseen.since.as_millis(),
                until: unseen.until.map(Timestamp::as_millis),
                checks: unseen.checks,
                hosts: unseen.hosts,
                canaries: unseen.canaries,
            }),
        }
    }

    fn meant(self) -> Result<Finding, String> {
        Ok(Finding {
            bad: self.bad,
            looked: self.looked,
            factor: self.factor.map(|factor| Factor {
                label: factor.label.into(),
                values: factor.values.into_iter().map(Into::into).collect(),
                and: factor.and.map(|(label, value)| (label.into(), value.into())),
                bad: factor.bad,
                looked: factor.looked,
                bad_elsewhere: factor.bad_elsewhere,
                looked_elsewhere: factor.looked_elsewhere,
            }),
            failure: self.failure.map(|name| class(&name)).transpose()?,
            status: self.status,
            components: self.components.into_iter().map(Into::into).collect(),
            example: self.example.map(|example| Example {
                probe: example.probe.into(),
                at: Timestamp::from_millis(example.at),
                request: example.request,
                fault: example.fault,
            }),
            what: self.what,
            unseen: self.unseen.map(|unseen| Unseen {
                since: Timestamp::from_millis(unseen.since),
                until: unseen.until.map(Timestamp::from_millis),
                checks: unseen.checks,
                hosts: unseen.hosts,
                canaries: unseen.canaries,
            }),
        })
    }
}

fn id(text: &str) -> Result<[u8; 16], String> {
    uuid::Uuid::parse_str(text).map(uuid::Uuid::into_bytes).map_err(|_| format!("`{text}` is no id"))
}

fn class(name: &str) -> Result<FailureClass, String> {
    FailureClass::from_name(name).ok_or_else(|| format!("`{name}` is not known"))
}

fn one_of<T: Copy>(all: &[T], name_of: fn(T) -> &'static str, name: &str) -> Result<T, String> {
    all.iter().copied().find(|value| name_of(*value) == name).ok_or_else(|| format!("`{name}` is not known"))
}
