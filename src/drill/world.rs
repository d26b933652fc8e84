//! The world of a drill: a virtual clock, the real schedule, the faults, and what is scripted.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::time::Duration;

use super::drive::Drive;
use super::faults::Faults;
use super::judge::judge;
use super::report::Report;
use super::scenario::{Act, Scenario};
use super::take::Take;
use crate::config::Config;
use crate::engine::restart;
use crate::model::{Again, CheckResult, PerProbe, ProbeIndex, Timestamp, VoidReason};
use crate::schedule::{self, Due, Schedule, What};

/// What is scripted, beside the faults.
enum Cue {
    Restart,
    Step(i64),
    Act(Act),
}

/// A check that is under way.
struct UnderWay {
    /// What its last try comes to.
    result: CheckResult,
    /// How many tries there were, that one included.
    attempt: u32,
    /// How long the next try may take, which begins next; nothing while the last one goes on.
    next: Option<Duration>,
}

struct World<'a> {
    config: &'a Config,
    start: Timestamp,
    faults: Faults<'a>,
    schedule: Schedule,
    drive: Drive,
    /// Checks that are under way: the probe, by the time at which its try ends or the next one begins.
    ends: BinaryHeap<Reverse<(Timestamp, ProbeIndex)>>,
    under_way: PerProbe<Option<UnderWay>>,
    /// By true time, the last first.
    cues: Vec<(Timestamp, Cue)>,
    missing: u64,
    /// Empty between two turns; kept for its room.
    due: Vec<Due>,
}

/// Plays a scenario once: the same scenario and take give the same report.
#[must_use]
pub fn run(config: &Arc<Config>, scenario: &Scenario, take: Take) -> Report {
    let start = scenario.start;
    let mut world = World {
        config,
        start,
        faults: Faults::new(scenario, config, take),
        schedule: Schedule::new(&config.probes, start),
        drive: Drive::new(config, start),
        ends: BinaryHeap::new(),
        under_way: config.probes.iter().map(|_| None).collect(),
        cues: cues(scenario, take),
        missing: 0,
        due: Vec::new(),
    };
    world.remember();
    world.play(start + scenario.length + take.shift);
    let World { drive, missing, .. } = world;
    let mut report = Report::new(config, scenario, take, drive, missing);
    report.verdicts = judge(&scenario.expect, &report);
    report
}

fn cues(scenario: &Scenario, take: Take) -> Vec<(Timestamp, Cue)> {
    let restarts = scenario.restarts.iter().map(|at| (*at, Cue::Restart));
    let steps = scenario.clock.iter().map(|(at, by)| (*at, Cue::Step(*by)));
    let acts = scenario.acts.iter().map(|act| (act.at, Cue::Act(act.clone())));
    let all = restarts.chain(steps).chain(acts);
    let mut cues: Vec<(Timestamp, Cue)> = all.map(|(at, cue)| (scenario.start + at + take.shift, cue)).collect();
    cues.sort_by_key(|(at, _)| *at);
    cues.reverse();
    cues
}

impl World<'_> {
    /// Goes from one thing that happens to the next. Times are true ones; what looks at a clock is shown the wall's.
    fn play(&mut self, end: Timestamp) {
        loop {
            let cue = self.cues.last().map(|(at, _)| *at);
            let ended = self.ends.peek().map(|Reverse((at, _))| *at);
            let turn = self.schedule.next_wake().map(|wall| self.drive.true_time(wall));
            let Some(now) = [cue, ended, turn].into_iter().flatten().min().filter(|next| *next < end) else { break };
            if ended == Some(now) {
                self.go_on(now);
            } else if cue == Some(now) {
                if let Some((_, cue)) = self.cues.pop() {
                    self.happen(cue, now);
                }
            } else {
                self.start_checks(now);
            }
        }
        let end = self.drive.wall(end);
        self.drive.stop(end);
    }

    /// A try has ended, or the pause after it.
    fn go_on(&mut self, now: Timestamp) {
        let Some(Reverse((_, probe))) = self.ends.pop() else { return };
        let (place, asked) = (&mut self.under_way[probe], &self.config.probes[probe]);
        // The queue has one moment for each check that is under way.
        let Some(mut check) = place.take() else { return };
        let wall = self.drive.wall(now);
        if let Some(limit) = check.next {
            // As the daemon does: what was tried again is handed on when the next try begins.
            check.result.superseded = true;
            self.drive.result(check.result, wall);
            self.ask(probe, now, limit, check.attempt + 1);
            return;
        }
        let again = check.result.outcome.failure().map(|_| {
            let left = schedule::next_turn(asked, wall).map(|next| next.since(wall));
            asked.retry.again(check.attempt, check.result.outcome, asked.timeout, left)
        });
        if let Some(Again::Yes { after, timeout }) = again {
            check.next = Some(timeout);
            *place = Some(check);
            self.ends.push(Reverse((now + after, probe)));
            return;
        }
        self.schedule.finished(probe);
        self.drive.result(check.result, wall);
    }

    /// One try begins.
    fn ask(&mut self, probe: ProbeIndex, now: Timestamp, limit: Duration, attempt: u32) {
        let wall = self.drive.wall(now);
        let Some(result) = self.faults.check(probe, now.since(self.start), wall, limit) else {
            self.missing += 1;
            self.schedule.finished(probe);
            return;
        };
        self.ends.push(Reverse((now + result.phases.total, probe)));
        self.under_way[probe] = Some(UnderWay { result, attempt, next: None });
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
                    self.drive.result(void, wall);
                }
            }
        }
        self.due = due;
    }

    fn happen(&mut self, cue: Cue, now: Timestamp) {
        let wall = self.drive.wall(now);
        match cue {
            Cue::Restart => {
                self.drive.restart(wall);
                // Checks under way died with the process.
                self.ends.clear();
                self.under_way.values_mut().for_each(|place| *place = None);
                self.schedule = Schedule::new(&self.config.probes, wall);
                self.remember();
            }
            Cue::Step(by) => {
                self.drive.step(wall, by);
                // The daemon looks at the clock every second, and notices.
                self.start_checks(now);
            }
            Cue::Act(act) => {
                self.drive.act(act.kind, &act.by, "", wall);
            }
        }
    }

    /// Keeps results for the next restart, from as far before it as it may look back.
    fn remember(&mut self) {
        let next = self.cues.iter().rev().find(|(_, cue)| matches!(cue, Cue::Restart)).map(|(at, _)| *at);
        let back = crate::detect::lookback(self.config).max(restart::LONGEST_COUNT);
        // The wall clock may be set back meanwhile.
        let steps = self.cues.iter().map(|(_, cue)| if let Cue::Step(by) = cue { by.unsigned_abs() } else { 0 });
        let back = back.saturating_add(Duration::from_millis(steps.sum()));
        self.drive.remember(next.map(|next| next - back));
    }
}
