//! Rules: which checks, what counts as bad, over what window, above what threshold.

use std::collections::BTreeSet;
use std::time::Duration;

use super::condition::Condition;
use super::id::{ComponentId, LabelName, ProbeName, ReceiverId, RuleId};
use super::incident::Severity;
use super::outcome::FailureClass;
use super::probe::{Labels, Probe, Role};
use super::unit::Ratio;

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
    /// So many failures of one probe in a row.
    Consecutive(Consecutive),
    /// Built in, under the id [`OFFLINE`]: Tripline itself cannot see. It judges no probe.
    Offline,
}

/// The id of the built-in rule that says that Tripline itself cannot see.
pub const OFFLINE: &str = "offline";

/// The share of bad checks in a sliding window.
#[derive(Clone, Debug)]
pub struct ErrorRate {
    /// What counts as bad.
    pub bad: Bad,
    /// Breached when the share of bad checks is more than this.
    pub above: Ratio,
    /// The length of the window.
    pub within: Duration,
    /// ... and at least so many checks were bad.
    pub at_least: u32,
    /// Judged for the whole, and for each value and each combination of values of these labels.
    pub per: Vec<LabelName>,
    /// When a breach is over.
    pub clear: Clear,
}

/// When a breach of an error-rate rule is over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Clear {
    /// The share of bad checks is less than this ...
    pub below: Ratio,
    /// ... for so long.
    pub hold: Duration,
}

/// So many failures of one probe in a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Consecutive {
    /// How many.
    pub count: u32,
    /// A breach is over when the probe has not failed for so long, and succeeded at least once.
    pub clear_after: Duration,
}

/// What counts as bad.
#[derive(Clone, Debug)]
pub enum Bad {
    /// Every failed check.
    Failed,
    /// Checks that failed in this way: `failure == "not_found"`.
    Class(FailureClass),
    /// Checks of which this holds.
    When(Condition),
}

impl Bad {
    /// What a condition may name: `failure` (text, empty for a success), `status` (number, 0 when there was none),
    /// `component`, `probe`, `kind` (texts), `labels` (by name) and `timing` (`dns`, `connect`, `tls`, `first_byte`,
    /// `transfer`, `total`).
    pub const VARIABLES: [&str; 7] = ["failure", "status", "component", "probe", "kind", "labels", "timing"];
}
