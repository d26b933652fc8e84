//! Rules: which checks, what counts as bad, over what window, above what threshold. One file per kind.

mod bad;
mod burn_rate;
mod change;
mod consecutive;
mod error_rate;
mod expiry;
mod latency;
mod missing;
mod offline;

use std::collections::BTreeSet;
use std::time::Duration;

use super::id::{ComponentId, ProbeName, ReceiverId, RuleId, stable_hash};
use super::probe::{Labels, Probe, Role};
use super::severity::Severity;

pub use bad::Bad;
pub use burn_rate::BurnRate;
pub use change::{Change, FalseAlarms};
pub use consecutive::Consecutive;
pub use error_rate::{Clear, ErrorRate};
pub use expiry::Expiry;
pub use latency::Latency;
pub use missing::Missing;
pub use offline::{OFFLINE, TELL_AFTER};

/// When to raise an incident.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its id in the config.
    pub id: RuleId,
    /// The checks that it judges.
    pub over: Scope,
    /// How it judges them.
    pub kind: RuleKind,
    /// How grave a breach of it is.
    pub severity: Severity,
    /// Who is told. Never empty unless there are no receivers: none named means all.
    pub tell: Vec<ReceiverId>,
    /// Whether it is one of our own, used because the config has no rules.
    pub built_in: bool,
}

impl Rule {
    /// What it judges and how, as a number: rules of which it is the same differ by their ids, severities and receivers
    /// at most. Breaches keep it, so that a rule is known again under another id. It is made of how a kind shows what is
    /// configured; where a release shows that otherwise, `formerly` still says it.
    #[must_use]
    pub fn meaning(&self) -> u64 {
        self.meaning_with(ProbeName::clone)
    }

    /// As [`meaning`](Self::meaning), if its probes were called so.
    #[must_use]
    pub fn meaning_with(&self, called: impl FnMut(&ProbeName) -> ProbeName) -> u64 {
        let over = Scope { probes: self.over.probes.iter().map(called).collect(), ..self.over.clone() };
        stable_hash(&[&format!("{:?}", self.kind), &format!("{over:?}")])
    }
}

/// Some of the probes. An empty list does not narrow; those that are given must all hold.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Scope {
    /// Of one of these components.
    pub components: BTreeSet<ComponentId>,
    /// From one of these definitions.
    pub probes: BTreeSet<ProbeName>,
    /// With all of these labels.
    pub labels: Labels,
}

impl Scope {
    /// Whether the probe is one of those meant. A canary never is.
    #[must_use]
    pub fn covers(&self, probe: &Probe) -> bool {
        probe.role == Role::Service
            && (self.components.is_empty() || self.components.contains(&probe.component))
            && (self.probes.is_empty() || self.probes.contains(&probe.name))
            && self.labels.iter().all(|(name, value)| probe.labels.get(name) == Some(value))
    }
}

/// The kinds of rule.
#[derive(Clone, Debug)]
pub enum RuleKind {
    /// The share of bad checks in a sliding window.
    ErrorRate(ErrorRate),
    /// More checks of a slice fail than usually do.
    Change(Change),
    /// So many failures of one probe in a row.
    Consecutive(Consecutive),
    /// A quantile of how long checks take, in a sliding window.
    Latency(Latency),
    /// How fast the error budget of an objective is used up.
    BurnRate(BurnRate),
    /// A certificate that expires soon.
    Expiry(Expiry),
    /// A probe of which nothing was seen for too long.
    Missing(Missing),
    /// Built in, under the id [`OFFLINE`]: Tripline itself cannot see. It judges no probe.
    Offline,
}

/// What each kind says of itself, in its own file.
trait Judgement {
    /// What breaches it, in a few words: `3 in a row`.
    fn describe(&self) -> String;

    /// What of it to change, by the keys of the config, so that less of what is over soon breaches it.
    fn patience(&self) -> &'static str;

    /// What counts as bad, where that is for a single check to show by what it came to.
    fn bad(&self) -> Option<&Bad> {
        None
    }

    /// Whether it judges what checks came to, so that stored results show what it makes of them.
    fn judges_results(&self) -> bool {
        true
    }

    /// Whether a breach goes on for long after what made it is over.
    fn lingers(&self) -> bool {
        false
    }

    /// Fewer bad checks than this within so long are never a breach, where it has such a window.
    fn least_bad(&self) -> Option<(u32, Duration)> {
        None
    }

    /// The lengths of time that are longer for probes that are asked more rarely.
    fn spans(&mut self) -> Vec<&mut Duration> {
        Vec::new()
    }
}

impl RuleKind {
    /// What breaches the rule, in a few words: `3 in a row`.
    #[must_use]
    pub fn describe(&self) -> String {
        self.judgement().describe()
    }

    /// What of it to change, by the keys of the config, so that less of what is over soon breaches it.
    #[must_use]
    pub fn patience(&self) -> &'static str {
        self.judgement().patience()
    }

    /// What counts as bad; nothing where a check need not fail in any way to be bad.
    #[must_use]
    pub fn bad(&self) -> Option<&Bad> {
        self.judgement().bad()
    }

    /// Whether it judges what checks came to, so that stored results show what it makes of them. What does not come leaves
    /// none.
    #[must_use]
    pub fn judges_results(&self) -> bool {
        self.judgement().judges_results()
    }

    /// Whether it judges probes: all rules but the one that says that Tripline itself cannot see.
    #[must_use]
    pub fn judges_probes(&self) -> bool {
        !matches!(self, Self::Offline)
    }

    /// Whether a breach goes on for long after what made it is over: a budget stays overdrawn until the short window has
    /// forgotten.
    #[must_use]
    pub fn lingers(&self) -> bool {
        self.judgement().lingers()
    }

    /// Fewer bad checks than this within so long are never a breach, where it has such a window.
    #[must_use]
    pub fn least_bad(&self) -> Option<(u32, Duration)> {
        self.judgement().least_bad()
    }

    /// The lengths of time that are longer for probes that are asked more rarely: windows, and how long an end takes.
    pub fn spans(&mut self) -> Vec<&mut Duration> {
        match self {
            Self::ErrorRate(rule) => rule.spans(),
            Self::Change(rule) => rule.spans(),
            Self::Consecutive(rule) => rule.spans(),
            Self::Latency(rule) => rule.spans(),
            Self::BurnRate(rule) => rule.spans(),
            Self::Expiry(rule) => rule.spans(),
            Self::Missing(rule) => rule.spans(),
            Self::Offline => Vec::new(),
        }
    }

    fn judgement(&self) -> &dyn Judgement {
        match self {
            Self::ErrorRate(rule) => rule,
            Self::Change(rule) => rule,
            Self::Consecutive(rule) => rule,
            Self::Latency(rule) => rule,
            Self::BurnRate(rule) => rule,
            Self::Expiry(rule) => rule,
            Self::Missing(rule) => rule,
            Self::Offline => &offline::Offline,
        }
    }
}
