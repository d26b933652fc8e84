//! What is watched by each config in turn: its checks run, and its jobs are listened to.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{LAST_MOMENTS, beats, checks, turn};
use crate::clock;
use crate::config::Config;
use crate::inbox::Inbox;
use crate::model::{CheckResult, ProbeIndex, Role};
use crate::probe::{ProbeFault, Prober, Roots};
use crate::schedule::{self, Schedule};

/// Makes the probes of a config ready.
pub(super) fn ready(config: &Config, roots: &Roots) -> Result<Prober, ProbeFault> {
    Prober::new(&config.probes, config.location.clone(), config.secrets.clone(), roots)
}

/// How many probes ask the service, and how many are canaries.
pub(super) fn counts(config: &Config) -> (usize, usize) {
    let canaries = config.probes.iter().filter(|probe| probe.role == Role::Canary).count();
    (config.probes.len() - canaries, canaries)
}

/// What is watched.
pub(super) struct Watch {
    inbox: Inbox,
    known: beats::Known,
    results: mpsc::Sender<CheckResult>,
    running: TaskTracker,
    /// Those who listen to jobs by the config before.
    beats: Option<JoinHandle<()>>,
}

impl Watch {
    /// Nothing is watched yet. What will be hands its results over, and is counted among `running` until it has ended.
    pub(super) fn new(
        inbox: Inbox,
        known: beats::Known,
        results: mpsc::Sender<CheckResult>,
        running: TaskTracker,
    ) -> Self {
        Self { inbox, known, results, running, beats: None }
    }

    /// Starts the checks of a config and listens to its jobs, until the token that is returned is cancelled.
    pub(super) fn start(&mut self, config: &Arc<Config>, prober: Prober) -> CancellationToken {
        let stop = CancellationToken::new();
        let hooks = config.probes.iter().filter_map(|probe| probe.kind.hook());
        self.inbox.open(hooks.map(|hook| &hook.token));
        let prober = prober.with_inbox(self.inbox.clone());
        let calls = self.inbox.listen(beats::jobs(config).map(|(_, token)| token));
        let beats = beats::run(Arc::clone(config), calls, self.known.clone(), self.results.clone(), stop.clone());
        let before = self.beats.take();
        self.beats = Some(self.running.spawn(async move {
            // What was said to the one before is to be known.
            if let Some(before) = before {
                let _ = before.await;
            }
            beats.await;
        }));
        let plan = checks::Plan {
            schedule: Schedule::asking(&config.probes, clock::now()),
            probes: config.probes.iter().map(|probe| probe.id.clone()).collect(),
            location: config.location.clone(),
            at_once: checks::AT_ONCE,
            grace: LAST_MOMENTS,
        };
        let (prober, shared) = (Arc::new(prober), (Arc::clone(config), self.results.clone(), stop.clone()));
        let check = move |index: ProbeIndex, started| {
            let (prober, (config, superseded, stop)) = (Arc::clone(&prober), shared.clone());
            async move {
                let probe = &config.probes[index];
                let next_turn = || schedule::next_turn(probe, started);
                turn::check(&prober, (index, probe), started, next_turn, clock::now, &superseded, &stop).await
            }
        };
        self.running.spawn(checks::run(plan, clock::now, check, self.results.clone(), stop.clone()));
        stop
    }
}
