//! A scenario: what is rehearsed, as meant. All times are counted from the drill's start.

mod act;
mod answer;
mod expect;
mod fault;
mod machine;
mod noise;
mod stretch;
mod read;

use std::sync::Arc;
use std::time::Duration;

pub use act::DEEDS;
pub use expect::{Expectations, ExpectedFactor, ExpectedIncident, ExpectedMessage, Range, Span};
pub use read::{Configs, Wanted, read};

use crate::config::Config;
use crate::model::{ActionKind, FailureClass, Ratio, ReceiverId, Scope, Timestamp};

/// What is rehearsed.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Its name.
    pub name: String,
    /// The moment at which it starts.
    pub start: Timestamp,
    /// How long it goes on.
    pub length: Duration,
    /// The seed of its chances, unless another is asked for.
    pub seed: u64,
    /// Failures outside of the faults.
    pub noise: Noise,
    /// What goes wrong, in the order in which it was written. The first that hits a check decides.
    pub faults: Vec<Fault>,
    /// When Tripline is killed and started again.
    pub restarts: Vec<Duration>,
    /// When the wall clock is set, and by how many milliseconds.
    pub clock: Vec<(Duration, i64)>,
    /// When the machine of Tripline itself has no network.
    pub offline: Vec<(Duration, Duration)>,
    /// When Tripline's process is stopped: none of them overlap, and they are in the order of time.
    pub suspended: Vec<(Duration, Duration)>,
    /// When the configuration is replaced, in the order of time.
    pub reloads: Vec<Reload>,
    /// When mail is refused for good.
    pub refused: Vec<Refused>,
    /// What people do.
    pub acts: Vec<Act>,
    /// What should come of it.
    pub expect: Expectations,
}

/// Failures that have nothing to do with the faults.
#[derive(Clone, Debug)]
pub struct Noise {
    /// The share of checks that fail, each by itself.
    pub share: Ratio,
    /// How they fail.
    pub answer: Answer,
    /// Moments in which much fails at once. The first that hits a check decides.
    pub blips: Vec<Blips>,
}

/// Moments in which everything of a part fails, each at random within its stretch of time.
#[derive(Clone, Debug)]
pub struct Blips {
    /// One in each stretch of this length.
    pub every: Duration,
    /// How long each is.
    pub length: Duration,
    /// The probes that it can hit.
    pub over: Scope,
    /// How checks fail in it.
    pub answer: Answer,
}

/// Something that goes wrong.
#[derive(Clone, Debug)]
pub struct Fault {
    /// From then on.
    pub from: Duration,
    /// Until then.
    pub until: Duration,
    /// The probes that it can hit.
    pub over: Scope,
    /// What it does to a check.
    pub answer: Answer,
    /// The share of checks that it hits at its beginning and at its end; between them it grows evenly.
    pub share: (Ratio, Ratio),
    /// On for so long, then off for so long, again and again.
    pub flap: Option<(Duration, Duration)>,
}

/// What a check comes to that is hit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    /// It fails in this way, with the status that usually goes with it.
    Failure(FailureClass),
    /// It fails with this status.
    Status(u16),
    /// The answer comes so much later; beyond the probe's timeout that is a timeout.
    Latency(Duration),
    /// The certificate that is shown runs out so long after the drill's start.
    Certificate(Duration),
    /// The check does not come at all.
    Missing,
}

/// What a person does to every incident that is open then.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Act {
    /// When.
    pub at: Duration,
    /// What.
    pub kind: ActionKind,
    /// Who.
    pub by: String,
    /// What they write with it; empty when they say nothing.
    pub text: String,
}

/// The configuration is replaced.
#[derive(Clone, Debug)]
pub struct Reload {
    /// When.
    pub at: Duration,
    /// The file, as the scenario names it.
    pub path: String,
    /// What is in it.
    pub config: Arc<Config>,
}

/// Messages that become owed then are refused for good.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refused {
    /// From then on.
    pub from: Duration,
    /// Until then.
    pub until: Duration,
    /// Those to this receiver; those to anybody without.
    pub receiver: Option<ReceiverId>,
}

impl Scenario {
    /// The configurations, in the order in which they are in force; the drill begins with `first`.
    pub fn configs<'a>(&'a self, first: &'a Arc<Config>) -> impl Iterator<Item = &'a Arc<Config>> {
        std::iter::once(first).chain(self.reloads.iter().map(|reload| &reload.config))
    }

    /// The configuration that is in force at this time; the drill begins with `first`.
    #[must_use]
    pub fn config_at<'a>(&'a self, first: &'a Arc<Config>, at: Duration) -> &'a Arc<Config> {
        self.reloads.iter().rfind(|reload| reload.at <= at).map_or(first, |reload| &reload.config)
    }
}

impl Fault {
    /// Whether it is on at this time, and flaps or not.
    #[must_use]
    pub fn is_on(&self, at: Duration) -> bool {
        self.from <= at && at < self.until
    }
}
