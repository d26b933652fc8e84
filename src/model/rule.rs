//! Rules: which checks, what counts as bad, over what window, above what threshold.

use std::collections::BTreeSet;
use std::time::Duration;

use super::condition::Condition;
use super::id::{ComponentId, LabelName, ProbeName, ReceiverId, RuleId};
use super::outcome::FailureClass;
use super::probe::{Labels, Probe, Role};
use super::result::Phase;
use super::severity::Severity;
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
    /// More checks of a slice fail than usually do.
    Change(Change),
    /// So many failures of one probe in a row.
    Consecutive(Consecutive),
    /// A quantile of how long checks take, in a sliding window.
    Latency(Latency),
    /// How fast the error budget of an objective is used up.
    BurnRate(BurnRate),
    /// A certificate that runs out soon.
    Expiry(Expiry),
    /// A probe of which nothing was seen for too long.
    Missing(Missing),
    /// Built in, under the id [`OFFLINE`]: Tripline itself cannot see. It judges no probe.
    Offline,
}

/// More checks of a slice fail than usually do, by so much that it is no accident.
#[derive(Clone, Debug)]
pub struct Change {
    /// What counts as bad.
    pub bad: Bad,
    /// How often it may be wrong, over all its slices together.
    pub false_alarms: FalseAlarms,
    /// A breach is over when no more than usual has failed for so long.
    pub clear_hold: Duration,
}

/// How often a rule may be wrong: `1 per 90d`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FalseAlarms {
    /// So many times ...
    pub count: u32,
    /// ... in so long, on average.
    pub per: Duration,
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

/// A quantile of how long checks take, in a sliding window.
///
/// The quantile is that of the nearest rank: of n values in ascending order, the one with the number ceil(q * n)
/// (R. J. Hyndman, Y. Fan, "Sample quantiles in statistical packages", The American Statistician 50, 1996, type 1).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Latency {
    /// Which quantile; more than 0%.
    pub quantile: Ratio,
    /// Of what.
    pub of: Phase,
    /// Breached when the quantile is more than this.
    pub above: Duration,
    /// The length of the window.
    pub within: Duration,
    /// ... and at least so many checks had the phase.
    pub at_least: u32,
    /// Judged for the whole, and for each value and each combination of values of these labels.
    pub per: Vec<LabelName>,
    /// A breach is over when the quantile is less than this ...
    pub below: Duration,
    /// ... for so long.
    pub hold: Duration,
}

/// How fast the error budget of an objective is used up, judged over one pair of windows.
///
/// The burn rate is the share of bad checks, divided by the share that the objective allows: at 1 the budget lasts
/// exactly as long as the objective's period. From B. Beyer et al., "The Site Reliability Workbook", chapter 5,
/// "Alerting on SLOs". A rule of the config becomes one of these for each of its pairs.
#[derive(Clone, Debug)]
pub struct BurnRate {
    /// What counts as bad.
    pub bad: Bad,
    /// The share of checks that shall be good; less than 100%.
    pub objective: Ratio,
    /// Breached when the burn rate of both windows is more than this, in thousandths.
    pub factor: u32,
    /// The window that tells that it matters.
    pub long: Duration,
    /// The window that tells that it goes on.
    pub short: Duration,
    /// ... and at least so many checks were bad in the long window.
    pub at_least: u32,
    /// Judged for the whole, and for each value and each combination of values of these labels.
    pub per: Vec<LabelName>,
    /// A breach is over when the short window does not exceed the factor for so long.
    pub hold: Duration,
}

impl BurnRate {
    /// The share of bad checks at which the burn rate is the factor, in parts per thousand million; more than that
    /// many when no share reaches it.
    #[must_use]
    pub fn threshold(&self) -> u64 {
        u64::from(Ratio::ONE.ppm() - self.objective.ppm()) * u64::from(self.factor)
    }

    /// Whether so many bad checks of so many burn the budget faster than the factor.
    #[must_use]
    pub fn is_exceeded_by(&self, bad: u64, looked: u64) -> bool {
        u128::from(bad) * 1_000_000_000 > u128::from(self.threshold()) * u128::from(looked)
    }
}

/// A certificate that runs out soon.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Expiry {
    /// Breached when a shown certificate lasts no longer than this.
    pub within: Duration,
}

/// A probe of which nothing was seen for too long.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Missing {
    /// Breached when no check of it has looked for so long.
    pub after: Duration,
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
