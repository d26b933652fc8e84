//! Jobs that call by themselves, and what their calls and their silence mean.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::config::Config;
use crate::model::kind::heartbeat::Ping;
use crate::model::{Asked, CheckResult, Evidence, Phases, Probe, ProbeId, ProbeIndex, Timestamp};
use crate::schedule::beat::{Beat, BeatState, Heard, Told};
use crate::schedule::next_turn;

/// The jobs of one config. Each calls when its turn has come by its own clock, which is true; Tripline listens by the
/// wall clock.
pub(super) struct Jobs {
    config: Arc<Config>,
    beats: Vec<(ProbeIndex, Beat)>,
    /// The next turn of each, by true time.
    turns: BTreeSet<(Timestamp, ProbeIndex)>,
    /// Calls that come later than their turn, by true time.
    late: BTreeMap<(Timestamp, ProbeId), Ping>,
}

impl Jobs {
    /// Listens to the jobs of this config, with what was known of them before.
    pub(super) fn new(
        config: &Arc<Config>,
        known: &BTreeMap<ProbeId, BeatState>,
        wall: Timestamp,
        now: Timestamp,
    ) -> Self {
        let beat =
            |(job, probe): (ProbeIndex, &Probe)| Some((job, Beat::new(probe, known.get(&probe.id).copied(), wall)?));
        let beats: Vec<(ProbeIndex, Beat)> = config.probes.indexed().filter_map(beat).collect();
        let turns = beats.iter().filter_map(|(job, _)| Some((next_turn(&config.probes[*job], now)?, *job)));
        Self { turns: turns.collect(), config: Arc::clone(config), beats, late: BTreeMap::new() }
    }

    /// Listens by another config; what was heard stays known, and who is late still calls.
    pub(super) fn replace(&mut self, config: &Arc<Config>, wall: Timestamp, now: Timestamp) {
        let states = self.beats.iter().map(|(job, beat)| (self.config.probes[*job].id.clone(), beat.state()));
        let late = std::mem::take(&mut self.late);
        *self = Self { late, ..Self::new(config, &states.collect(), wall, now) };
    }

    /// When the next job calls, or would; true time.
    pub(super) fn next_call(&self) -> Option<Timestamp> {
        let late = self.late.keys().next().map(|(at, _)| *at);
        self.turns.first().map(|(at, _)| *at).into_iter().chain(late).min()
    }

    /// When the next silence means something; wall clock.
    pub(super) fn next_look(&self) -> Option<Timestamp> {
        self.beats.iter().filter_map(|(_, beat)| beat.deadline()).min()
    }

    /// The job whose turn has come by this moment of true time.
    pub(super) fn take_turn(&mut self, now: Timestamp) -> Option<ProbeIndex> {
        let (at, job) = self.turns.first().copied().filter(|(at, _)| *at <= now)?;
        self.turns.pop_first();
        self.turns.extend(next_turn(&self.config.probes[job], at).map(|next| (next, job)));
        Some(job)
    }

    /// The job calls at this moment of true time, later than its turn came.
    pub(super) fn call_later(&mut self, job: ProbeIndex, ping: Ping, at: Timestamp) {
        self.late.insert((at, self.config.probes[job].id.clone()), ping);
    }

    /// A call that is late and comes now. One of a job that is not known any more is nobody's.
    pub(super) fn take_late(&mut self, now: Timestamp) -> Option<(ProbeIndex, Ping)> {
        while let Some(call) = self.late.first_entry().filter(|call| call.key().0 <= now) {
            let ((_, id), ping) = call.remove_entry();
            if let Some(job) = self.config.probes.index_of(&id) {
                return Some((job, ping));
            }
        }
        None
    }

    /// Nobody listens until this moment of true time: who calls before is not heard.
    pub(super) fn miss(&mut self, until: Timestamp) {
        self.late.retain(|(at, _), _| *at >= until);
        for (at, job) in std::mem::take(&mut self.turns) {
            let turn = if at >= until { Some(at) } else { next_turn(&self.config.probes[job], until) };
            self.turns.extend(turn.map(|at| (at, job)));
        }
    }

    /// The job is heard.
    pub(super) fn hear(&mut self, job: ProbeIndex, ping: Ping, wall: Timestamp) -> Option<CheckResult> {
        let (_, beat) = self.beats.iter_mut().find(|(other, _)| *other == job)?;
        let heard = beat.hear(ping, wall)?;
        self.result(job, heard, wall)
    }

    /// Time has passed.
    pub(super) fn pass(&mut self, wall: Timestamp) -> Vec<CheckResult> {
        let passed = self.beats.iter_mut().filter_map(|(job, beat)| Some((*job, beat.pass(wall)?)));
        let heard: Vec<(ProbeIndex, Heard)> = passed.collect();
        heard.into_iter().filter_map(|(job, heard)| self.result(job, heard, wall)).collect()
    }

    fn result(&self, job: ProbeIndex, heard: Heard, wall: Timestamp) -> Option<CheckResult> {
        let probe = &self.config.probes[job];
        let Told { started, outcome, status, fault } = heard.told(probe.kind.heartbeat()?.grace, wall);
        let request = probe.kind.request();
        let evidence = fault.map(|fault| Box::new(Evidence { fault, request, ..Evidence::default() }));
        Some(CheckResult {
            probe: probe.id.clone(),
            location: self.config.location.clone(),
            started,
            outcome,
            status,
            phases: Phases { total: wall.since(started), ..Phases::default() },
            address: None,
            expires: None,
            superseded: false,
            asked: Asked::Turn,
            evidence,
        })
    }
}
