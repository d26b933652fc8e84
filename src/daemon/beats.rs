//! Heartbeats: what jobs say, and that they say nothing, as results.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::clock;
use crate::config::Config;
use crate::inbox::Arrived;
use crate::model::{CheckResult, Probe, ProbeId, ProbeIndex, Timestamp, Token};
use crate::probe::heartbeat;
use crate::schedule::beat::{Beat, BeatState, Heard};

/// The longest sleep: a clock that is set anew is noticed after that.
const NAP: Duration = Duration::from_secs(1);

/// What is known of jobs, from one config to the next.
#[derive(Clone, Default)]
pub struct Known(Arc<Mutex<BTreeMap<ProbeId, BeatState>>>);

impl Known {
    /// What is known at the start: when each of these called last.
    #[must_use]
    pub fn of(calls: impl IntoIterator<Item = (ProbeId, Timestamp)>) -> Self {
        let states = calls.into_iter().map(|(probe, since)| (probe, BeatState { since, running: None }));
        Self(Arc::new(Mutex::new(states.collect())))
    }

    fn with<R>(&self, f: impl FnOnce(&mut BTreeMap<ProbeId, BeatState>) -> R) -> R {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The jobs of a config, in their order, each with its token.
pub fn jobs(config: &Config) -> impl Iterator<Item = (&Probe, &Token)> {
    config.probes.iter().filter_map(|probe| Some((probe, &probe.kind.heartbeat()?.token)))
}

/// Listens to the jobs of the config and sends what comes of it, until `stop`; what has called until then counts.
pub async fn run(
    config: Arc<Config>,
    mut calls: mpsc::Receiver<Arrived>,
    known: Known,
    results: mpsc::Sender<CheckResult>,
    stop: CancellationToken,
) {
    let mut beats = Beats::new(config, &known);
    loop {
        let wait = beats.next_look().map_or(NAP, |look| look.since(clock::now()).min(NAP));
        let heard = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            call = calls.recv() => match call {
                Some(call) => Vec::from_iter(beats.hear(call)),
                // Another config listens now; its own silence is for it to judge.
                None => break,
            },
            () = tokio::time::sleep(wait) => beats.pass(),
        };
        beats.note(&known);
        for result in heard {
            if results.send(result).await.is_err() {
                return;
            }
        }
    }
    calls.close();
    while let Some(call) = calls.recv().await {
        if let Some(result) = beats.hear(call)
            && results.send(result).await.is_err()
        {
            return;
        }
    }
    beats.note(&known);
}

struct Beats {
    config: Arc<Config>,
    /// Each with its probe's index in the config.
    beats: Vec<(ProbeIndex, Beat)>,
}

impl Beats {
    fn new(config: Arc<Config>, known: &Known) -> Self {
        let now = clock::now();
        let beats = config.probes.indexed();
        let beats = known.with(|known| {
            // By its own id, or by one that it had before.
            let last = |probe| config.formerly.ids_of(probe).find_map(|id| known.get(&id).copied());
            beats.filter_map(|(at, probe)| Some((at, Beat::new(probe, last(probe), now)?))).collect()
        });
        Self { config, beats }
    }

    fn next_look(&self) -> Option<Timestamp> {
        self.beats.iter().filter_map(|(_, beat)| beat.deadline()).min()
    }

    fn hear(&mut self, call: Arrived) -> Option<CheckResult> {
        let (probe, beat) = self.beats.get_mut(call.job)?;
        let heard = beat.hear(call.ping, call.at)?;
        let probe = *probe;
        self.result(probe, heard, call.at, &call.said)
    }

    fn pass(&mut self) -> Vec<CheckResult> {
        let now = clock::now();
        let heard: Vec<(ProbeIndex, Heard)> =
            self.beats.iter_mut().filter_map(|(probe, beat)| Some((*probe, beat.pass(now)?))).collect();
        heard.into_iter().filter_map(|(probe, heard)| self.result(probe, heard, now, &[])).collect()
    }

    fn result(&self, probe: ProbeIndex, heard: Heard, at: Timestamp, said: &[u8]) -> Option<CheckResult> {
        let config = &self.config;
        heartbeat(&config.probes[probe], &config.location, heard, at, said, &config.secrets)
    }

    fn note(&self, known: &Known) {
        let states = self.beats.iter().map(|(probe, beat)| (self.config.probes[*probe].id.clone(), beat.state()));
        known.with(|known| known.extend(states));
    }
}
