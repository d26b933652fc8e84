//! Former ids: what had another id in an earlier config, and goes on under its new one.

use std::collections::BTreeMap;

use super::id::{ProbeId, ProbeName, ReceiverId, RuleId};
use super::probe::Probe;

/// What is called by an id that a config may change.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum IdOf {
    /// A rule.
    Rule,
    /// A definition under `probes`, with all that it expands to.
    Probe,
    /// A receiver.
    Receiver,
}

impl IdOf {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Rule, Self::Probe, Self::Receiver];

    /// Its name in the record.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rule => "rule",
            Self::Probe => "probe",
            Self::Receiver => "receiver",
        }
    }
}

/// The former ids of a config, each with the id that goes on for it. No former id is one of the config's ids.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Formerly {
    /// Of rules.
    pub rules: BTreeMap<RuleId, RuleId>,
    /// Of definitions under `probes`.
    pub probes: BTreeMap<ProbeName, ProbeName>,
    /// Of receivers.
    pub receivers: BTreeMap<ReceiverId, ReceiverId>,
}

impl Formerly {
    /// What the probe with this former id is called now, with the same labels; `None` when it is no former id.
    #[must_use]
    pub fn probe(&self, id: &ProbeId) -> Option<ProbeId> {
        let from = ProbeName::from(id.name());
        id.renamed(&from, self.probes.get(&from)?)
    }

    /// All ids under which results of this probe may be stored: its own, and its former ones.
    pub fn ids_of<'a>(&'a self, probe: &'a Probe) -> impl Iterator<Item = ProbeId> + 'a {
        let former = self.probes.iter().filter(|(_, now)| **now == probe.name);
        let former = former.filter_map(|(before, now)| probe.id.renamed(now, before));
        std::iter::once(probe.id.clone()).chain(former)
    }
}
