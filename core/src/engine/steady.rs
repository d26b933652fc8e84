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
    /// The last time that was given out.
    given: Timestamp,
}

/// Results that end together are handed over in any order: so far back, time is taken to stand still.
const JITTER: Duration = Duration::from_secs(2);

impl SteadyClock {
    /// The steady time at this wall time.
    pub(super) fn advance(&mut self, wall: Timestamp) -> Timestamp {
        self.follow(wall);
        self.given = self.latest;
        self.latest
    }

    /// The steady time of something that ended at this wall time and is handed in now.
    ///
    /// What comes late, after a stalled disk say, is no sign of a clock that was set back: only `now` is.
    pub(super) fn place(&mut self, ended: Timestamp, now: Timestamp) -> Timestamp {
        self.follow(now);
        self.given = (ended + self.ahead).min(self.latest).max(self.given);
        self.given
    }

    /// The steady time of something that ended at this wall time and is handed in now, to be judged later: time does
    /// not go on for what is judged until then.
    pub(super) fn look(&mut self, ended: Timestamp, now: Timestamp) -> Timestamp {
        self.follow(now);
        (ended + self.ahead).min(self.latest)
    }

    /// Looks at the wall clock, and says by how much it was set back since it was last looked at.
    pub(super) fn follow(&mut self, wall: Timestamp) -> Duration {
        let steady = wall + self.ahead;
        let back = if steady + JITTER < self.latest { self.latest.since(steady) } else { Duration::ZERO };
        self.ahead += back;
        self.latest = self.latest.max(steady);
        back
    }

    /// The last time that was given out.
    pub(super) fn given(self) -> Timestamp {
        self.given
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_that_come_late_do_not_make_time_run() {
        let at = |seconds: i64| Timestamp::from_millis(seconds * 1_000);
        let mut clock = SteadyClock::default();
        clock.advance(at(1_000));
        // After a stall of a minute its results come in turns with timers, each of them at the true time.
        for second in 0..60 {
            assert!(clock.place(at(1_000 + second), at(1_060)) <= at(1_060));
            assert_eq!(clock.advance(at(1_060)), at(1_060));
        }
        assert_eq!(clock.place(at(1_061), at(1_061)), at(1_061));
        // A clock that is set back still is one.
        assert_eq!(clock.place(at(461), at(461)), at(1_061));
        assert_eq!(clock.place(at(462), at(462)), at(1_062));
    }

    #[test]
    fn a_result_that_was_judged_late_is_no_sign_of_a_clock_that_was_set_back_but_one_that_was_judged_earlier_is() {
        let at = |seconds: i64| Timestamp::from_millis(seconds * 1_000);
        let mut clock = SteadyClock::default();
        let mut steady = |ended: i64, judged: i64| clock.place(at(ended), at(judged));
        // Each turn of a host with two addresses: the dead one ends 22 s after the other, and both are judged then.
        for turn in (1_000..2_000).step_by(20) {
            assert_eq!(steady(turn + 22, turn + 22), at(turn + 22));
            assert_eq!(steady(turn, turn + 22), at(turn + 22), "time stands still");
        }
        let last = at(1_980 + 22);
        assert_eq!(steady(402, 402), last, "set back by an hour, less or more");
        assert_eq!(steady(412, 412), last + Duration::from_secs(10));
    }
}
