//! What would be in the database, for restarts and reloads.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use crate::model::{FailureClass, Judged, Outcome, ProbeId, Timestamp};

/// Results wait so long for company before they are stored, as those of the daemon do.
const PATIENCE: Duration = Duration::from_millis(500);

/// What would be in the database. All times are true ones.
#[derive(Default)]
pub(super) struct Memory {
    /// From when on results are kept; nothing when they will not be needed.
    from: Option<Timestamp>,
    stored: VecDeque<Judged>,
    /// Results that are not committed yet: a kill loses them.
    pending: Vec<Judged>,
    waiting_since: Timestamp,
}

impl Memory {
    /// Keeps the results from this moment on.
    pub(super) fn remember(&mut self, from: Option<Timestamp>) {
        self.from = from;
        if from.is_none() {
            *self = Self::default();
        }
    }

    /// Takes in a result that was judged at this moment.
    pub(super) fn keep(&mut self, judged: Judged, at: Timestamp) {
        if self.from.is_none_or(|from| at < from) {
            return;
        }
        if !self.pending.is_empty() && at.since(self.waiting_since) >= PATIENCE {
            self.store();
        }
        if self.pending.is_empty() {
            self.waiting_since = at;
        }
        self.pending.push(judged);
    }

    /// What waits is stored.
    pub(super) fn store(&mut self) {
        self.stored.extend(self.pending.drain(..));
    }

    /// The process is killed: what waits is lost, unless it has waited for long enough to be stored.
    pub(super) fn lose(&mut self, at: Timestamp) {
        if at.since(self.waiting_since) >= PATIENCE {
            self.store();
        }
        self.pending.clear();
    }

    /// The stored results that ended from this moment of the wall clock on, in the order in which they were judged.
    pub(super) fn since(&self, from: Timestamp) -> impl Iterator<Item = &Judged> {
        self.stored.iter().filter(move |judged| judged.result.finished() >= from)
    }

    /// When each of these jobs called last from this moment of the wall clock on.
    pub(super) fn last_calls(&self, jobs: &BTreeSet<&ProbeId>, since: Timestamp) -> BTreeMap<ProbeId, Timestamp> {
        let mut calls = BTreeMap::new();
        for Judged { result, .. } in self.since(since).filter(|judged| jobs.contains(&judged.result.probe)) {
            // Silence is no call.
            let called = matches!(result.outcome, Outcome::Success | Outcome::Failure(FailureClass::ServerError));
            if called {
                let last: &mut Timestamp = calls.entry(result.probe.clone()).or_default();
                *last = (*last).max(result.finished());
            }
        }
        calls
    }
}
