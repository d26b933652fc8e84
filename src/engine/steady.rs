//! A time that never runs backwards, made of a wall clock that may.

use std::time::Duration;

use crate::model::Timestamp;

/// Wall-clock time plus whatever the wall clock was set back since.
///
/// Windows and timers live on steady time; people are shown wall time. When the clock is set forward, steady time
/// follows: the checks in between were not made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct SteadyClock {
    latest: Timestamp,
    ahead: Duration,
}

/// Results that end together are handed over in any order: so far back, time is taken to stand still.
const JITTER: Duration = Duration::from_secs(2);

impl SteadyClock {
    /// The steady time at this wall time.
    pub(super) fn advance(&mut self, wall: Timestamp) -> Timestamp {
        let steady = wall + self.ahead;
        if steady + JITTER < self.latest {
            self.ahead += self.latest.since(steady);
        }
        self.latest = self.latest.max(steady);
        self.latest
    }

    /// The steady time that stands for a wall time, as the wall clock goes now.
    pub(super) fn to_steady(self, wall: Timestamp) -> Timestamp {
        wall + self.ahead
    }

    /// The wall time that stands for a steady time, as the wall clock goes now.
    pub(super) fn to_wall(self, steady: Timestamp) -> Timestamp {
        steady - self.ahead
    }
}
