//! The world of a drill: a virtual clock, the real schedule, the faults, and what is scripted.

mod process;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::cues::{Cue, cues};
use super::drive::{Drive, Refusal};
use super::faults::Faults;
use super::jobs::Jobs;
use super::judge::judge;
use super::report::Report;
use super::scenario::Scenario;
use super::take::Take;
use super::under_way::{Step, UnderWay};
use crate::config::Config;
use crate::model::kind::heartbeat::Ping;
use crate::model::{CheckResult, ProbeIndex, Timestamp, VoidReason};
use crate::schedule::{self, Due, Schedule, What};

struct World<'a> {
    scenario: &'a Scenario,
    take: Take,
    /// The one that is in force.
    config: Arc<Config>,
    faults: Faults<'a>,
    schedule: Schedule,
    jobs: Jobs,
    drive: Drive,
    under_way: UnderWay,
    /// By true time, the last first.
    cues: Vec<(Timestamp, Cue)>,
    /// How far back a restart or a reload may look.
    back: Duration,
    missing: u64,
    /// Empty between two turns; kept for its room.
    due: Vec<Due>,
}

/// Plays a scenario once: the same scenario and take give the same report.
#[must_use]
pub fn run(config: &Arc<Config>, scenario: &Scenario, take: Take) -> Report {
    let start = scenario.start;
    let mut world = World {
        scenario,
        take,
        config: Arc::clone(config),
        faults: Faults::new(scenario, config, take),
        schedule: Schedule::asking(&config.probes, start),
        jobs: Jobs::new(config, &BTreeMap::new(), start, start),
        drive: Drive::new(config, start),
        under_way: UnderWay::new(config),
        cues: cues(scenario, take),
        back: process::back(config, scenario),
        missing: 0,
        due: Vec::new(),
    };
    let shifted = |at: Duration| start + at + take.shift;
    let refusals = scenario.refused.iter().map(|refused| Refusal {
        from: shifted(refused.from),
        until: shifted(refused.until),
        receiver: refused.receiver.clone(),
    });
    world.drive.refuse(refusals.collect());
    world.remember();
    world.play(shifted(scenario.length));
    let World { drive, missing, .. } = world;
    let mut report = Report::new(config, scenario, take, drive, missing);
    report.verdicts = judge(&scenario.expect, &report);
    report
}

/// What is next, in the order in which it happens at one moment.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Next {
    /// A check ends, or goes on.
    Check,
    Cue,
    /// Probes are due.
    Turn,
    /// A job calls.
    Call,
    /// It is looked whether a job is silent.
    Look,
}

impl World<'_> {
    /// Goes from one thing that happens to the next. Times are true ones; what looks at a clock is shown the wall's.
    fn play(&mut self, end: Timestamp) {
        let mut last = self.scenario.start;
        while let Some((at, next)) = self.next().filter(|(at, _)| *at < end) {
            // Where the clock was set forth, what was due by it is due now.
            let now = at.max(last);
            last = now;
            match next {
                Next::Check => self.go_on(now),
                Next::Cue => {
                    if let Some((_, cue)) = self.cues.pop() {
                        last = self.happen(cue, now);
                    }
                }
                Next::Turn => self.start_checks(now),
                Next::Call => self.call(now),
                Next::Look => self.look(now),
            }
        }
        let end = self.drive.wall(end);
        self.drive.stop(end);
    }

    fn next(&self) -> Option<(Timestamp, Next)> {
        let true_time = |wall| self.drive.true_time(wall);
        let all = [
            (self.under_way.next(), Next::Check),
            (self.cues.last().map(|(at, _)| *at), Next::Cue),
            (self.schedule.next_wake().map(true_time), Next::Turn),
            (self.jobs.next_call(), Next::Call),
            (self.jobs.next_look().map(true_time), Next::Look),
        ];
        all.into_iter().filter_map(|(at, next)| Some((at?, next))).min()
    }

    /// How far the drill has come.
    fn since_start(&self, now: Timestamp) -> Duration {
        now.since(self.scenario.start)
    }

    fn hand_in(&mut self, results: impl IntoIterator<Item = CheckResult>, now: Timestamp) {
        let wall = self.drive.wall(now);
        results.into_iter().for_each(|result| self.drive.result(result, wall));
    }

    /// A try has ended, or the pause after it.
    fn go_on(&mut self, now: Timestamp) {
        let wall = self.drive.wall(now);
        let config = Arc::clone(&self.config);
        let left = |probe| schedule::next_turn(&config.probes[probe], wall).map(|next| next.since(wall));
        match self.under_way.go_on(now, &config, left) {
            Some(Step::Ended(probe, result)) => {
                self.schedule.finished(probe);
                self.hand_in([result], now);
            }
            Some(Step::Again { probe, before, limit, attempt }) => {
                self.hand_in([before], now);
                self.ask(probe, now, limit, attempt);
            }
            Some(Step::Left(result)) => self.hand_in([result], now),
            None => {}
        }
    }

    /// One try begins.
    fn ask(&mut self, probe: ProbeIndex, now: Timestamp, limit: Duration, attempt: u32) {
        let wall = self.drive.wall(now);
        match self.faults.check(probe, self.since_start(now), wall, limit) {
            Some(result) => self.under_way.begin(probe, result, now, limit, attempt),
            None => {
                self.missing += 1;
                self.schedule.finished(probe);
            }
        }
    }

    fn start_checks(&mut self, now: Timestamp) {
        let wall = self.drive.wall(now);
        let mut due = std::mem::take(&mut self.due);
        self.schedule.take_due(wall, &mut due);
        for Due { probe, at, what } in due.drain(..) {
            let asked = &self.config.probes[probe];
            match what {
                What::Run => self.ask(probe, now, asked.timeout, 1),
                What::Overrun => {
                    let location = self.config.location.clone();
                    let void = CheckResult::void(asked.id.clone(), location, at, VoidReason::Overrun);
                    self.hand_in([void], now);
                }
            }
        }
        self.due = due;
    }

    /// A job calls, or does not though its turn has come.
    fn call(&mut self, now: Timestamp) {
        if let Some((job, ping)) = self.jobs.take_late(now) {
            self.hear(job, ping, now);
        }
        let Some(job) = self.jobs.take_turn(now) else { return };
        match self.faults.call(job, self.since_start(now)) {
            Some((late, ping)) if late.is_zero() => self.hear(job, ping, now),
            Some((late, ping)) => self.jobs.call_later(job, ping, now + late),
            None => self.missing += 1,
        }
    }

    fn hear(&mut self, job: ProbeIndex, ping: Ping, now: Timestamp) {
        if self.faults.is_offline(self.since_start(now)) {
            self.missing += 1;
            return;
        }
        let wall = self.drive.wall(now);
        let heard = self.jobs.hear(job, ping, wall);
        self.hand_in(heard, now);
    }

    fn look(&mut self, now: Timestamp) {
        let wall = self.drive.wall(now);
        let silent = self.jobs.pass(wall);
        self.hand_in(silent, now);
    }
}
