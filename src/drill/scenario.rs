//! A scenario: what is rehearsed, as meant. All times are counted from the drill's start.

mod expect;
mod fault;
mod read;

use std::time::Duration;

pub use expect::{Expectations, ExpectedFactor, ExpectedIncident, Range};
pub use read::{Configs, read};

use crate::model::{ActionKind, FailureClass, Ratio, Scope, Timestamp};

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
    /// Moments in which everything fails.
    pub blips: Option<Blips>,
}

/// Moments in which everything fails, each at random within its stretch of time.
#[derive(Clone, Debug)]
pub struct Blips {
    /// One in each stretch of this length.
    pub every: Duration,
    /// How long each is.
    pub length: Duration,
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
}

impl Fault {
    /// Whether it is on at this time, and flaps or not.
    #[must_use]
    pub fn is_on(&self, at: Duration) -> bool {
        self.from <= at && at < self.until
    }
}
