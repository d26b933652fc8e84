//! Floor 1: probes.yaml, from text to meaning.
//!
//! [`load`] reads the text into a tree in which every value knows its place (`raw`), reads what is meant out of
//! the tree (`load` and the files named after its parts) and notes each problem on the way (`problem`), so that
//! all of them are told in one go. What comes from outside is asked of [`Outside`].
//!
//! The keys of each map are listed once, beside what reads them (`raw/keyed.rs`): from there come the keys that the
//! loader knows, and the [`schema`] for editors.

mod canaries;
mod components;
mod defaults;
pub(crate) mod encoded;
mod expect;
mod formerly;
mod kinds;
mod load;
mod maintenance;
mod probes;
pub(crate) mod problem;
pub(crate) mod raw;
pub(crate) mod reader;
mod receivers;
mod retry;
pub(crate) mod rules;
mod smtp;
pub(crate) mod text;
mod tls;
pub(crate) mod words;
pub mod written;

#[cfg(test)]
mod keys_tests;

pub use encoded::encodings;
pub use load::load;
pub use problem::nearest;
pub use problem::{Problem, Problems};
pub use text::{Outside, as_it_is, for_url, percent_encoded};
pub use written::schema;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::model::{
    Component, ComponentId, Formerly, LabelName, LabelValue, Location, Maintenance, ProbeId, ProbeIndex, Probes,
    Receiver, ReceiverId, Rule, Secrets,
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
    /// The probes, expanded, in the order in which they were written; then the canaries.
    pub probes: Probes,
    /// The rules; ours when none were written. Last, where it can be told, the one that we cannot see.
    pub rules: Vec<Rule>,
    /// The receivers.
    pub receivers: BTreeMap<ReceiverId, Receiver>,
    /// What had another id before.
    pub formerly: Formerly,
    /// An incident that comes back within this time of its end is the same one.
    pub reopen_within: Duration,
    /// When not to speak, in the order in which it was written.
    pub maintenance: Vec<Maintenance>,
    /// What must not be shown.
    pub secrets: Secrets,
    /// What is allowed but dangerous, to be said loudly: `dashboard does not verify certificates`.
    pub warnings: Vec<String>,
}

impl Config {
    /// The index of the probe with this id, be it its own or a former one.
    #[must_use]
    pub fn probe_index(&self, id: &ProbeId) -> Option<ProbeIndex> {
        self.probes.index_of(id).or_else(|| self.probes.index_of(&self.formerly.probe(id)?))
    }

    /// The receiver with this id, be it its own or a former one.
    #[must_use]
    pub fn receiver(&self, id: &ReceiverId) -> Option<&Receiver> {
        self.receivers.get(id).or_else(|| self.receivers.get(self.formerly.receivers.get(id)?))
    }

    /// The component's name for people.
    #[must_use]
    pub fn component_name<'a>(&'a self, id: &'a ComponentId) -> &'a str {
        self.components.iter().find(|component| component.id == *id).map_or(id.as_str(), |component| &component.name)
    }
}

/// The keys of the kinds of question, in the order in which the docs have them.
#[must_use]
pub fn kinds() -> Vec<&'static str> {
    kinds::Probe::KINDS.iter().map(|(key, _)| *key).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A config with nothing in it.
    pub(crate) fn empty() -> Config {
        Config {
            name: "Forge".into(),
            url: None,
            location: Location::local(),
            cohorts: BTreeMap::new(),
            components: vec![],
            probes: Probes::default(),
            rules: vec![],
            receivers: BTreeMap::new(),
            maintenance: vec![],
            formerly: Formerly::default(),
            reopen_within: Duration::from_secs(900),
            secrets: Secrets::default(),
            warnings: vec![],
        }
    }
}
