//! Heartbeats: when a job should have called, and what its calls and its silence mean.
//!
//! A job is expected one interval after its last call, or at the next time of its calendar, and has its grace on top.
//! Only what could have been heard counts: where the time at which a call was expected lies in a time in which nobody
//! listened, because Tripline was down or the machine slept, the job gets a new turn instead of a failure.

mod told;

use std::sync::Arc;
use std::time::Duration;

pub use told::Told;

use super::STEP;
use crate::model::kind::heartbeat::Ping;
use crate::model::{Cadence, Calendar, Probe, Timestamp};

/// How much later than a deadline it may be looked at before it says nothing any more.
const LATE: Duration = Duration::from_secs(5);
/// How far back it is looked for the last call of a job, at most: one that calls more rarely gets a new turn.
const LAST_CALLS: Duration = Duration::from_secs(8 * 86_400);
/// How much earlier than its calendar says a job may call; its clock is not ours.
const EARLY: Duration = Duration::from_secs(5);

/// One job that is listened for.
#[derive(Clone, Debug)]
pub struct Beat {
    cadence: Cadence,
    grace: Duration,
    state: BeatState,
    latest: Timestamp,
}

/// What is known of a job; with it another [`Beat`] goes on where one has ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BeatState {
    /// The next call is counted from here: the last call, or the last time at which one was expected in vain.
    pub since: Timestamp,
    /// Since when a run is under way that has not ended.
    pub running: Option<Timestamp>,
}

/// What a call, or silence, comes to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Heard {
    /// A run ended well; it began then, if it said so.
    Well {
        /// When it began; when it called, if it did not say that it began.
        started: Timestamp,
    },
    /// A run said that it failed.
    Bad {
        /// When it began; when it called, if it did not say that it began.
        started: Timestamp,
        /// Its exit code, if it gave one.
        code: Option<u8>,
    },
    /// Nothing came in time.
    Missing {
        /// When it was expected.
        expected: Timestamp,
    },
    /// A run began and did not end in time.
    Stuck {
        /// When it began.
        started: Timestamp,
    },
}

impl Beat {
    /// Listens for this probe from now on, with what was known of it before. `None` if it is no heartbeat.
    #[must_use]
    pub fn new(probe: &Probe, known: Option<BeatState>, now: Timestamp) -> Option<Self> {
        let heartbeat = probe.kind.heartbeat()?;
        let state = known.unwrap_or(BeatState { since: now, running: None });
        let mut beat = Self { cadence: probe.cadence.clone(), grace: heartbeat.grace, state, latest: now };
        beat.resume(now);
        Some(beat)
    }

    /// What is known now.
    #[must_use]
    pub fn state(&self) -> BeatState {
        self.state
    }

    /// When silence will mean something; `None` if never.
    #[must_use]
    pub fn deadline(&self) -> Option<Timestamp> {
        Some(self.state.running.or_else(|| self.expected())? + self.grace)
    }

    /// The job called.
    pub fn hear(&mut self, ping: Ping, now: Timestamp) -> Option<Heard> {
        self.latest = self.latest.max(now);
        if ping == Ping::Start {
            // Of runs that overlap the first one counts: a job that hangs is not saved by the next that starts.
            self.state.running.get_or_insert(now);
            return None;
        }
        let started = self.state.running.map_or(now, |started| started.min(now));
        self.state = BeatState { since: now, running: None };
        Some(match ping {
            Ping::Bad(code) => Heard::Bad { started, code },
            Ping::Start | Ping::Well => Heard::Well { started },
        })
    }

    /// Time has passed. To be called once a second at least, or at the [`deadline`](Self::deadline); what should have
    /// come while it was not is not missed.
    pub fn pass(&mut self, now: Timestamp) -> Option<Heard> {
        if now + STEP < self.latest {
            // The clock was set back; nothing is to wait for the old time to come again.
            self.state.since = self.state.since.min(now);
            self.state.running = self.state.running.map(|started| started.min(now));
        }
        self.latest = now;
        let deadline = self.deadline().filter(|deadline| *deadline <= now)?;
        if now.since(deadline) > LATE {
            self.resume(now);
            return None;
        }
        if let Some(started) = self.state.running.take() {
            self.state.since = started;
            return Some(Heard::Stuck { started });
        }
        let expected = self.expected()?;
        self.state.since = expected;
        Some(Heard::Missing { expected })
    }

    /// Nobody listened until now: a turn that has come meanwhile cannot be judged.
    fn resume(&mut self, now: Timestamp) {
        if self.state.running.is_some_and(|started| started + self.grace <= now) {
            self.state = BeatState { since: now, running: None };
        }
        if self.state.since > now || self.expected().is_some_and(|expected| expected <= now) {
            self.state.since = now;
        }
    }

    fn expected(&self) -> Option<Timestamp> {
        match &self.cadence {
            Cadence::Every(interval) => Some(self.state.since + *interval),
            Cadence::At(calendar) => next_after(calendar, self.state.since, self.grace),
        }
    }
}

/// How far back a start looks for the last calls of these jobs.
#[must_use]
pub fn lookback<'a>(jobs: impl IntoIterator<Item = &'a Probe>) -> Duration {
    let longest = jobs.into_iter().map(|probe| probe.interval().unwrap_or(LAST_CALLS)).max();
    longest.unwrap_or_default().min(LAST_CALLS)
}

fn next_after(calendar: &Arc<Calendar>, since: Timestamp, grace: Duration) -> Option<Timestamp> {
    calendar.next_after(since + EARLY.min(grace))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{HeartbeatTarget, ProbeKind, Token};

    /// 2025-02-11T12:00:00Z.
    const NOON: Timestamp = Timestamp::from_millis(1_739_275_200_000);

    fn minutes(count: u64) -> Duration {
        Duration::from_secs(60 * count)
    }

    fn probe(cadence: Cadence) -> Probe {
        let token = Token::parse("0123456789abcdef").unwrap();
        let kind = ProbeKind::Heartbeat(HeartbeatTarget { token, grace: minutes(5) });
        Probe { kind, cadence, ..crate::model::tests::probe("backup") }
    }

    fn hourly(known: Option<BeatState>, now: Timestamp) -> Beat {
        Beat::new(&probe(Cadence::Every(minutes(60))), known, now).unwrap()
    }

    fn last(since: Timestamp) -> Option<BeatState> {
        Some(BeatState { since, running: None })
    }

    #[test]
    fn what_does_not_come_within_its_grace_is_missing_once_for_each_turn() {
        let mut beat = hourly(None, NOON);
        assert_eq!(beat.hear(Ping::Well, NOON + minutes(10)), Some(Heard::Well { started: NOON + minutes(10) }));
        assert_eq!(beat.pass(NOON + minutes(75) - Duration::from_millis(1)), None);
        let missing = |expected| Some(Heard::Missing { expected });
        assert_eq!(beat.pass(NOON + minutes(75)), missing(NOON + minutes(70)));
        assert_eq!(beat.pass(NOON + minutes(76)), None);
        assert_eq!(beat.pass(NOON + minutes(135)), missing(NOON + minutes(130)), "and the next hour again");
        assert!(beat.hear(Ping::Well, NOON + minutes(140)).is_some());
        assert_eq!(beat.deadline(), Some(NOON + minutes(205)));
    }

    #[test]
    fn a_job_that_says_that_it_failed_has_failed_and_one_that_does_not_end_is_stuck() {
        let mut beat = hourly(None, NOON);
        assert_eq!(beat.hear(Ping::Start, NOON + minutes(1)), None);
        let bad = Heard::Bad { started: NOON + minutes(1), code: Some(3) };
        assert_eq!(beat.hear(Ping::Bad(Some(3)), NOON + minutes(2)), Some(bad));
        assert_eq!(beat.hear(Ping::Start, NOON + minutes(60)), None);
        assert_eq!(beat.hear(Ping::Start, NOON + minutes(64)), None, "the first one counts");
        assert_eq!(beat.pass(NOON + minutes(65)), Some(Heard::Stuck { started: NOON + minutes(60) }));
        assert_eq!(beat.deadline(), Some(NOON + minutes(125)), "the next run is expected as if it had ended");
    }

    #[test]
    fn what_came_shortly_before_a_restart_counts_and_what_should_have_come_meanwhile_is_not_missed() {
        let back = hourly(last(NOON), NOON + minutes(50));
        assert_eq!(back.deadline(), Some(NOON + minutes(65)), "it was down before the call was expected");
        let back = hourly(last(NOON), NOON + minutes(62));
        assert_eq!(back.deadline(), Some(NOON + minutes(127)), "the call may have come while it was down");
        let running = Some(BeatState { since: NOON, running: Some(NOON + minutes(1)) });
        let back = hourly(running, NOON + minutes(3));
        assert_eq!(back.deadline(), Some(NOON + minutes(6)));
        assert_eq!(hourly(running, NOON + minutes(10)).state().running, None);
        let ahead = hourly(last(NOON + minutes(600)), NOON);
        assert_eq!(ahead.deadline(), Some(NOON + minutes(65)), "a call of the future waits for no future");
    }

    #[test]
    fn a_machine_that_slept_and_a_clock_that_was_set_back_make_nothing_missing() {
        let mut beat = hourly(last(NOON), NOON);
        assert_eq!(beat.pass(NOON + minutes(300)), None);
        assert_eq!(beat.deadline(), Some(NOON + minutes(365)));
        let mut beat = hourly(last(NOON), NOON);
        assert_eq!(beat.pass(NOON - minutes(60)), None);
        assert_eq!(beat.deadline(), Some(NOON + minutes(5)), "an hour from the new now, not two");
    }

    #[test]
    fn by_a_calendar_a_call_stands_for_the_time_that_it_belongs_to() {
        let daily = Cadence::At(Arc::new(Calendar::parse("0 13 * * *", "UTC").unwrap()));
        let mut beat = Beat::new(&probe(daily), None, NOON).unwrap();
        assert_eq!(beat.deadline(), Some(NOON + minutes(65)));
        assert!(beat.hear(Ping::Well, NOON + minutes(60) - Duration::from_secs(2)).is_some());
        assert_eq!(beat.deadline(), Some(NOON + minutes(24 * 60 + 65)), "two seconds early is not a day late");
    }
}
