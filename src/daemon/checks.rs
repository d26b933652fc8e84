//! From due to result: starts each check when it is due and hands its result on.
//!
//! One task owns the schedule, sleeps until the next turn and starts a task per check. Results go through that task
//! too, so a probe is free again at the moment its result is handed on, and a check that panics is one more result.

#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::model::{CheckResult, Location, PerProbe, ProbeId, ProbeIndex, Timestamp, VoidReason};
use crate::schedule::{Due, Schedule, What};

/// How many checks may be under way at once. Each holds a socket and its buffers; what is due above that is
/// recorded as an overrun of our own, not started late.
pub const AT_ONCE: usize = 2_000;

/// How many results may wait for a receiver that is slow before no more checks are started.
const OWED: usize = 4_096;

/// The longest sleep: a clock that is set anew is noticed after that.
const NAP: Duration = Duration::from_secs(1);

/// What is checked, from where, and with what bounds.
pub struct Plan {
    /// When which probe is due.
    pub schedule: Schedule,
    /// The probes; a check is told the index of its probe.
    pub probes: PerProbe<ProbeId>,
    /// Written into the results that are made here: those of checks that were not made.
    pub location: Location,
    /// How many checks may be under way at once; [`AT_ONCE`] unless there is a reason.
    pub at_once: usize,
    /// How long checks under way may go on once we are told to stop.
    pub grace: Duration,
}

/// Makes checks when they are due and sends every result, until `stop`.
///
/// A check may have several results, one for each address that it asked; they are sent one after the other.
/// `check` gets the probe's index and the moment at which it starts. A probe whose check is still under
/// way, or that would be one too many, is [`VoidReason::Overrun`]; a check that panics is [`VoidReason::Internal`].
/// After `stop` nothing more is started, what is under way may end within the plan's grace, and what has not ended
/// then is [`VoidReason::ShuttingDown`]. Returns when all results are handed over, or at once when nobody receives
/// them any more. While the receiver is slow, nothing is started, and turns that pass meanwhile are left out.
pub async fn run<N, C, F>(plan: Plan, now: N, check: C, results: mpsc::Sender<CheckResult>, stop: CancellationToken)
where
    N: Fn() -> Timestamp,
    C: Fn(ProbeIndex, Timestamp) -> F,
    F: Future<Output = Vec<CheckResult>> + Send + 'static,
{
    let mut checks = Checks {
        plan,
        now,
        check,
        tasks: JoinSet::new(),
        started: HashMap::new(),
        owed: VecDeque::new(),
        due: Vec::new(),
        skipped: 0,
    };
    let mut end: Option<Instant> = None;
    loop {
        let stopping = end.is_some();
        if stopping && checks.tasks.is_empty() {
            break;
        }
        let turn = end.unwrap_or_else(|| checks.next_turn());
        let may_start = !stopping && checks.owed.len() < OWED;
        tokio::select! {
            biased;
            () = stop.cancelled(), if !stopping => end = Some(Instant::now() + checks.plan.grace),
            () = sleep_until(turn), if stopping || may_start => {
                if stopping {
                    break;
                }
                checks.start_due();
            }
            Some(ended) = checks.tasks.join_next_with_id() => checks.end(ended),
            permit = results.reserve(), if !checks.owed.is_empty() => {
                let Ok(permit) = permit else { return };
                if let Some(result) = checks.owed.pop_front() {
                    permit.send(result);
                }
            }
        }
    }
    checks.abandon().await;
    for result in checks.owed {
        if results.send(result).await.is_err() {
            return;
        }
    }
}

struct Checks<N, C> {
    plan: Plan,
    now: N,
    check: C,
    tasks: JoinSet<Vec<CheckResult>>,
    /// What each task checks, and since when.
    started: HashMap<Id, (ProbeIndex, Timestamp)>,
    /// Results to hand on, oldest first.
    owed: VecDeque<CheckResult>,
    /// Empty between two turns; kept for its room.
    due: Vec<Due>,
    /// How many turns had been left out when last said.
    skipped: u64,
}

impl<N, C, F> Checks<N, C>
where
    N: Fn() -> Timestamp,
    C: Fn(ProbeIndex, Timestamp) -> F,
    F: Future<Output = Vec<CheckResult>> + Send + 'static,
{
    /// When to look at the clock again.
    fn next_turn(&self) -> Instant {
        let wait = self.plan.schedule.next_wake().map_or(NAP, |wake| wake.since((self.now)()).min(NAP));
        Instant::now() + wait
    }

    fn start_due(&mut self) {
        let mut due = std::mem::take(&mut self.due);
        self.plan.schedule.take_due((self.now)(), &mut due);
        for Due { probe, at, what } in due.drain(..) {
            match what {
                What::Run if self.tasks.len() < self.plan.at_once => {
                    let start = (self.now)();
                    let task = self.tasks.spawn((self.check)(probe, start));
                    self.started.insert(task.id(), (probe, start));
                }
                What::Run => {
                    self.plan.schedule.finished(probe);
                    self.owe_void(probe, at, VoidReason::Overrun);
                }
                What::Overrun => self.owe_void(probe, at, VoidReason::Overrun),
            }
        }
        self.due = due;
        let skipped = self.plan.schedule.skipped();
        if skipped > self.skipped {
            let turns = skipped - self.skipped;
            tracing::warn!(turns, "turns were left out: the clock leapt, or this machine slept or was too busy");
            self.skipped = skipped;
        }
    }

    fn end(&mut self, ended: Result<(Id, Vec<CheckResult>), JoinError>) {
        let id = ended.as_ref().map_or_else(JoinError::id, |(id, _)| *id);
        let Some((probe, start)) = self.started.remove(&id) else { return };
        self.plan.schedule.finished(probe);
        match ended {
            Ok((_, results)) => self.owed.extend(results),
            Err(error) if error.is_cancelled() => self.owe_void(probe, start, VoidReason::ShuttingDown),
            Err(error) => {
                let id = self.plan.probes[probe].as_str();
                tracing::error!(probe = id, %error, "a check panicked; this is a fault of tripline's own");
                self.owe_void(probe, start, VoidReason::Internal);
            }
        }
    }

    /// Ends what is still under way.
    async fn abandon(&mut self) {
        self.tasks.abort_all();
        while let Some(ended) = self.tasks.join_next_with_id().await {
            self.end(ended);
        }
    }

    fn owe_void(&mut self, probe: ProbeIndex, at: Timestamp, reason: VoidReason) {
        let (probe, location) = (self.plan.probes[probe].clone(), self.plan.location.clone());
        self.owed.push_back(CheckResult::void(probe, location, at, reason));
    }
}
