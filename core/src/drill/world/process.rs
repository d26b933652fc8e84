//! What is scripted happens: to the process of Tripline, its clock and its configuration, and what people do.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::World;
use crate::config::Config;
use crate::detect;
use crate::drill::cues::Cue;
use crate::drill::faults::Faults;
use crate::drill::jobs::Jobs;
use crate::drill::scenario::Scenario;
use crate::drill::under_way::UnderWay;
use crate::engine::restart;
use crate::model::{ProbeId, Timestamp};
use crate::schedule::Schedule;
use crate::schedule::beat::{self, BeatState};

/// How far back a restart or a reload may look.
pub(super) fn back(config: &Arc<Config>, scenario: &Scenario) -> Duration {
    let each = scenario.configs(config).map(|config| {
        let jobs = config.probes.iter().filter(|probe| probe.kind.heartbeat().is_some());
        detect::lookback(config).max(beat::lookback(jobs))
    });
    let longest = each.max().unwrap_or_default().max(restart::LONGEST_COUNT);
    // The wall clock may be set back meanwhile.
    let steps = scenario.clock.iter().map(|(_, by)| by.unsigned_abs());
    longest.saturating_add(Duration::from_millis(steps.sum()))
}

impl World<'_> {
    /// What is scripted happens. Returns the moment by which it has: the process may be stopped for long.
    pub(super) fn happen(&mut self, cue: Cue, now: Timestamp) -> Timestamp {
        let wall = self.drive.wall(now);
        match cue {
            Cue::Restart => {
                self.drive.restart(wall);
                // Checks under way died with the process.
                self.under_way = UnderWay::new(&self.config);
                self.schedule = Schedule::asking(&self.config.probes, wall);
                self.jobs = Jobs::new(&self.config, &self.last_calls(wall), wall, now);
                self.remember();
            }
            Cue::Reload(config) => self.reload(config, now),
            Cue::Step(by) => {
                self.drive.step(wall, by);
                // The daemon looks at the clock every second, and notices.
                self.start_checks(now);
                self.look(now);
            }
            Cue::Suspend(until) => {
                self.sleep(now, until);
                return until;
            }
            Cue::Act(act) => {
                self.drive.act(act.kind, &act.by, &act.text, wall);
            }
        }
        now
    }

    /// The config is replaced. The old checks end by themselves while the new ones begin.
    fn reload(&mut self, config: Arc<Config>, now: Timestamp) {
        let wall = self.drive.wall(now);
        let pausing = self.under_way.leave(now, &self.config, &config);
        self.drive.reload(Arc::clone(&config), wall);
        self.hand_in(pausing, now);
        self.faults = Faults::new(self.scenario, &config, self.take);
        self.schedule = Schedule::asking(&config.probes, wall);
        self.jobs.replace(&config, wall, now);
        self.config = config;
        self.remember();
    }

    /// The process is stopped from `now` on. It wakes up to find late what was under way, what its schedule has missed
    /// and what people and files asked for meanwhile.
    fn sleep(&mut self, now: Timestamp, until: Timestamp) {
        self.drive.pass(self.drive.wall(now));
        let mut found = Vec::new();
        while let Some((_, cue)) = self.cues.pop_if(|(at, _)| *at < until) {
            match cue {
                Cue::Step(by) => self.drive.step_asleep(by),
                other => found.push((until, other)),
            }
        }
        self.cues.extend(found.into_iter().rev());
        self.drive.wake(self.drive.wall(until));
        self.jobs.miss(until);
        // The schedule finds what is due before it finds what has ended.
        self.start_checks(until);
        let faults = &self.faults;
        self.under_way.oversleep(until, |probe, result, total, limit| faults.late(probe, result, total, limit));
    }

    /// When each job called last, as far as that is stored.
    fn last_calls(&self, wall: Timestamp) -> BTreeMap<ProbeId, BeatState> {
        let jobs = || self.config.probes.iter().filter(|probe| probe.kind.heartbeat().is_some());
        let ids: BTreeSet<&ProbeId> = jobs().map(|probe| &probe.id).collect();
        let calls = self.drive.last_calls(&ids, wall - beat::lookback(jobs()));
        calls.into_iter().map(|(probe, since)| (probe, BeatState { since, running: None })).collect()
    }

    /// Keeps results for the next restart or reload, from as far before it as it may look back.
    pub(super) fn remember(&mut self) {
        let rebuilds = |cue: &Cue| matches!(cue, Cue::Restart | Cue::Reload(_));
        let next = self.cues.iter().rev().find(|(_, cue)| rebuilds(cue)).map(|(at, _)| *at);
        self.drive.remember(next.map(|next| next - self.back));
    }
}
