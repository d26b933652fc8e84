//! Findings as JSON, and what messages named: mirrors of the model's types, with names and plain numbers in them.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::names::class;
use super::{of_json, to_json};
use crate::model::{Example, Factor, Finding, Named, Part, Timestamp, Unseen};
use crate::store::StoreError;

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
pub(super) struct FindingRow {
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
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    parts: Vec<PartRow>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    earlier: Vec<PartRow>,
}

#[derive(Serialize, Deserialize)]
struct PartRow {
    component: String,
    bad: u32,
    looked: u32,
    first: i64,
    last: i64,
    fails: bool,
}

impl PartRow {
    pub(super) fn of(part: &Part) -> Self {
        let Part { component, bad, looked, first, last, fails } = part;
        let (first, last) = (first.as_millis(), last.as_millis());
        Self { component: component.to_string(), bad: *bad, looked: *looked, first, last, fails: *fails }
    }

    pub(super) fn meant(self) -> Part {
        let (first, last) = (Timestamp::from_millis(self.first), Timestamp::from_millis(self.last));
        let Self { component, bad, looked, fails, .. } = self;
        Part { component: component.into(), bad, looked, first, last, fails }
    }
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
pub(super) struct NamedRow {
    components: BTreeSet<String>,
    factor: Option<(String, BTreeSet<String>)>,
    failure: Option<String>,
    everywhere: bool,
}

impl NamedRow {
    pub(super) fn of(named: &Named) -> Self {
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

    pub(super) fn meant(self) -> Result<Named, String> {
        Ok(Named {
            components: self.components.into_iter().map(Into::into).collect(),
            factor: self.factor.map(|(label, values)| (label.into(), values.into_iter().map(Into::into).collect())),
            failure: self.failure.map(|name| class(&name)).transpose()?,
            everywhere: self.everywhere,
        })
    }
}

impl FindingRow {
    pub(super) fn of(finding: &Finding) -> Self {
        let Finding { bad, looked, factor, failure, status, components, example, unseen, what, parts, earlier } =
            finding;
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
            parts: parts.iter().map(PartRow::of).collect(),
            earlier: earlier.iter().map(PartRow::of).collect(),
            unseen: unseen.map(|unseen| UnseenRow {
                since: unseen.since.as_millis(),
                until: unseen.until.map(Timestamp::as_millis),
                checks: unseen.checks,
                hosts: unseen.hosts,
                canaries: unseen.canaries,
            }),
        }
    }

    pub(super) fn meant(self) -> Result<Finding, String> {
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
            parts: self.parts.into_iter().map(PartRow::meant).collect(),
            earlier: self.earlier.into_iter().map(PartRow::meant).collect(),
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
