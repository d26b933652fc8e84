//! Floor 1: when which probe is due.
//!
//! A probe with an interval is due at the moments that leave the same rest when divided by the interval, counted in
//! milliseconds since the epoch. That rest is a hash of the probe's id: a thousand probes do not fire together, and
//! each fires at the same moments after a restart. A probe with a calendar is due when the calendar says so.
//!
//! Time is an argument and may do as it likes. If it leaps forward, or the machine slept, what was missed is not made
//! up for; if it steps back, all is planned anew from there, so that nothing waits for the old time to come again.

pub mod beat;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::model::id::stable_hash;
use crate::model::{Cadence, Calendar, PerProbe, Probe, ProbeIndex, Timestamp};

/// How late a check may start, at most; a shorter interval bounds it further. What is later is left out.
const GRACE: Duration = Duration::from_secs(5);

/// How far the clock may step back before all is planned anew.
const STEP: Duration = Duration::from_secs(1);

/// A probe's turn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Due {
    /// Which probe, of those that the schedule was made from.
    pub probe: ProbeIndex,
    /// When it was due; a little before the time at which it was taken.
    pub at: Timestamp,
    /// What to do.
    pub what: What,
}

/// What to do with a probe that is due.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum What {
    /// Check, and say [`Schedule::finished`] after that.
    Run,
    /// Nothing: its last check is still running. To be recorded as such.
    Overrun,
}

/// What is due when: one ordered queue for all probes.
#[derive(Debug)]
pub struct Schedule {
    turns: PerProbe<Turn>,
    /// The next due time of each probe that has one.
    queue: BTreeSet<(Timestamp, ProbeIndex)>,
    latest: Timestamp,
    skipped: u64,
}

#[derive(Debug)]
struct Turn {
    rhythm: Rhythm,
    running: bool,
}

#[derive(Debug)]
enum Rhythm {
    /// In milliseconds.
    Every {
        interval: i64,
        phase: i64,
    },
    At(Arc<Calendar>),
    Never,
}

impl Schedule {
    /// As [`new`](Self::new), without those that are not asked: their turns are for [`beat`] to know.
    #[must_use]
    pub fn asking(probes: &[Probe], now: Timestamp) -> Self {
        let mut schedule = Self::new(probes, now);
        for (turn, probe) in schedule.turns.values_mut().zip(probes) {
            if probe.kind.comes_by_itself() {
                turn.rhythm = Rhythm::Never;
            }
        }
        schedule.plan_all(now);
        schedule
    }

    /// Plans these probes; the first turn of each is after `now`.
    #[must_use]
    pub fn new(probes: &[Probe], now: Timestamp) -> Self {
        let turns = probes.iter().map(|probe| Turn { rhythm: Rhythm::of(probe), running: false }).collect();
        let mut schedule = Self { turns, queue: BTreeSet::new(), latest: now, skipped: 0 };
        schedule.plan_all(now);
        schedule
    }

    /// When something is next due; `None` when nothing ever is.
    #[must_use]
    pub fn next_wake(&self) -> Option<Timestamp> {
        self.queue.first().map(|(at, _)| *at)
    }

    /// Appends what is due at `now`, in the order of the due times: each probe at most once.
    ///
    /// A due time that is 5 s ago, or a whole interval if that is shorter, is left out: the probe waits for its
    /// next one. If `now` is more than a second before the latest time seen, all is planned anew from `now`.
    pub fn take_due(&mut self, now: Timestamp, due: &mut Vec<Due>) {
        if now + STEP < self.latest {
            self.latest = now;
            self.plan_all(now);
        }
        self.latest = self.latest.max(now);
        while let Some((at, probe)) = self.queue.first().copied().filter(|(at, _)| *at <= now) {
            self.queue.pop_first();
            let turn = &mut self.turns[probe];
            if let Some(next) = turn.rhythm.next_after(now) {
                self.queue.insert((next, probe));
            }
            // A second due time is past already, so this one has had its time.
            let missed = turn.rhythm.next_after(at).is_some_and(|next| next <= now);
            if missed || now.since(at) >= GRACE {
                self.skipped += 1;
                continue;
            }
            let what = if turn.running { What::Overrun } else { What::Run };
            turn.running = true;
            due.push(Due { probe, at, what });
        }
    }

    /// The probe's check has ended, in whatever way.
    pub fn finished(&mut self, probe: ProbeIndex) {
        self.turns[probe].running = false;
    }

    /// How often a probe's turn was left out because it was found too late. A leap of the clock counts once for a
    /// probe, however many of its turns lay in it.
    #[must_use]
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    fn plan_all(&mut self, now: Timestamp) {
        let next = |(probe, turn): (ProbeIndex, &Turn)| Some((turn.rhythm.next_after(now)?, probe));
        self.queue = self.turns.indexed().filter_map(next).collect();
    }
}

/// When the probe is due next after this moment; `None` if it never is.
#[must_use]
pub fn next_turn(probe: &Probe, after: Timestamp) -> Option<Timestamp> {
    Rhythm::of(probe).next_after(after)
}

impl Rhythm {
    fn of(probe: &Probe) -> Self {
        match &probe.cadence {
            Cadence::Every(interval) => {
                let interval = i64::try_from(interval.as_millis()).unwrap_or(i64::MAX).max(1);
                let hash = stable_hash(&[probe.id.as_str()]);
                let phase = i64::try_from(hash % interval.unsigned_abs()).unwrap_or(0);
                Self::Every { interval, phase }
            }
            Cadence::At(calendar) => Self::At(Arc::clone(calendar)),
        }
    }

    /// The first due time after `now`; never `now` itself.
    fn next_after(&self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Every { interval, phase } => {
                let now = now.as_millis();
                let since = now.checked_sub(*phase)?.rem_euclid(*interval);
                now.checked_add(interval - since).map(Timestamp::from_millis)
            }
            Self::At(calendar) => calendar.next_after(now),
            Self::Never => None,
        }
    }
}
