//! What failing checks have in common, as expected and as found.

use std::collections::BTreeSet;

use crate::drill::scenario::ExpectedFactor;
use crate::model::{FailureClass, Finding, LabelName, LabelValue, Named};

/// What failing checks have in common, be it of an incident or as a message named it.
#[derive(Clone, Copy)]
pub(super) struct Shared<'a> {
    label: Option<(&'a LabelName, &'a BTreeSet<LabelValue>)>,
    failure: Option<FailureClass>,
}

impl<'a> Shared<'a> {
    pub(super) fn of(finding: &'a Finding) -> Self {
        let label = finding.factor.as_ref().map(|factor| (&factor.label, &factor.values));
        Self { label, failure: finding.failure }
    }

    pub(super) fn named(named: &'a Named) -> Self {
        Self { label: named.factor.as_ref().map(|(label, values)| (label, values)), failure: named.failure }
    }

    /// Whether it is as expected.
    pub(super) fn is(self, expected: &ExpectedFactor) -> bool {
        let wanted = expected.label.as_ref();
        wanted.is_none_or(|wanted| wanted.as_ref().map(|(label, values)| (label, values)) == self.label)
            && expected.failure.is_none_or(|class| self.failure == Some(class))
    }

    pub(super) fn show(self) -> String {
        let label = self.label.map_or_else(no_label, |(label, values)| show_label(label, values));
        let failure = self.failure.map(|class| format!(" {class}")).unwrap_or_default();
        format!("{label}{failure}")
    }
}

/// What is expected, in one line.
pub(super) fn show_expected(expected: &ExpectedFactor) -> String {
    let label = expected
        .label
        .as_ref()
        .map(|label| label.as_ref().map_or_else(no_label, |(label, values)| show_label(label, values)));
    let parts: Vec<String> = label.into_iter().chain(expected.failure.map(|class| class.to_string())).collect();
    parts.join(" ")
}

/// What failing checks have in common, in one line: `workspace=globex not_found`.
#[must_use]
pub fn show_factor(finding: &Finding) -> String {
    Shared::of(finding).show()
}

fn show_label(label: &LabelName, values: &BTreeSet<LabelValue>) -> String {
    let values: Vec<&str> = values.iter().map(LabelValue::as_str).collect();
    format!("{label}={}", values.join(", "))
}

fn no_label() -> String {
    "no label".to_owned()
}
