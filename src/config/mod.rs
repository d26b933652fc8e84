//! Floor 1: probes.yaml, from text to meaning.

mod problem;
mod raw;

use std::collections::BTreeMap;

use crate::model::{
    Component, ComponentId, LabelName, LabelValue, Location, Probe, Receiver, ReceiverId, Rule, Secrets,
};

/// A whole configuration, as meant: every reference points somewhere, every expression is compiled.
#[derive(Clone, Debug)]
pub struct Config {
    /// The service's name, for subjects and the status page.
    pub name: String,
    /// Where the status page is, for links in mails.
    pub url: Option<url::Url>,
    /// Where checks are made from.
    pub location: Location,
    /// The cohort labels and their values, as written.
    pub cohorts: BTreeMap<LabelName, Vec<LabelValue>>,
    /// The components, in the order in which they were written.
    pub components: Vec<Component>,
    /// The probes, expanded, in the order in which they were written.
    pub probes: Vec<Probe>,
    /// The rules; ours when none were written.
    pub rules: Vec<Rule>,
    /// The receivers.
    pub receivers: BTreeMap<ReceiverId, Receiver>,
    /// What must not be shown.
    pub secrets: Secrets,
    /// What is allowed but dangerous, to be said loudly: `dashboard does not verify certificates`.
    pub warnings: Vec<String>,
}

impl Config {
    /// The component's name for people.
    #[must_use]
    pub fn component_name<'a>(&'a self, id: &'a ComponentId) -> &'a str {
        self.components.iter().find(|component| component.id == *id).map_or(id.as_str(), |component| &component.name)
    }
}
