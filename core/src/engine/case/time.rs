//! The time of an incident: when it failed, by the clock that never runs backwards, and which checks after its end are its
//! own.

use std::collections::VecDeque;
use std::sync::Arc;

use super::{Case, MOST_STRETCHES};
use crate::config::Config;
use crate::detect::history::Entry;
use crate::engine::steady::SteadyClock;
use crate::incident::explain;
use crate::model::{Breach, Incident, Timestamp};

impl Case {
    /// Whether it was over before this bad check though a breach of it goes on that the check is of: a person resolved it,
    /// and what it says was said.
    pub(in crate::engine) fn outlasts(&self, entry: &Entry, clock: SteadyClock, config: &Config) -> bool {
        if self.is_gone() || self.ended().is_none_or(|ended| entry.at < clock.to_steady(ended)) {
            return false;
        }
        config
            .probes
            .get(entry.probe)
            .is_some_and(|probe| self.lasting().any(|breach| explain::is_about(breach, probe, entry.class, config)))
    }

    /// Its breaches that go on.
    pub(in crate::engine) fn lasting(&self) -> impl Iterator<Item = &Breach> {
        let over = |breach: &Breach| self.over.iter().any(|(id, _)| *id == breach.id);
        let last = self.incident.last_stretch().iter().map(Arc::as_ref);
        last.filter(move |breach| breach.cleared.is_none() && !over(breach))
    }

    /// Whether it goes on as part of another, or is not watched any more: when such a one ended is not known, nor of what the
    /// checks before were.
    fn is_gone(&self) -> bool {
        self.incident.corrected.merged_into.is_some() || self.incident.unwatched.is_some()
    }

    /// When it ended, by the wall clock as it goes now.
    pub(in crate::engine) fn ended(&self) -> Option<Timestamp> {
        self.incident.resolved.filter(|_| !self.incident.is_open()).map(|ended| ended - self.back)
    }

    /// Whether it was failing at this moment of steady time.
    pub(in crate::engine) fn holds(&self, at: Timestamp, clock: SteadyClock) -> bool {
        if self.is_gone() {
            return false;
        }
        let within = |from: Timestamp, until: Timestamp| clock.to_steady(from) <= at && at < clock.to_steady(until);
        if self.was_before(at, clock) {
            return true;
        }
        match self.recovered() {
            Some(until) => within(self.from, until),
            None => clock.to_steady(self.from) <= at,
        }
    }

    /// Whether it was failing at this moment before it last came back: what it did then is known.
    pub(in crate::engine) fn was_before(&self, at: Timestamp, clock: SteadyClock) -> bool {
        let within =
            |(from, until): &(Timestamp, Timestamp)| clock.to_steady(*from) <= at && at < clock.to_steady(*until);
        self.before.iter().any(within)
    }

    /// When it recovered, unless it fails: its end, or the last of its breaches while it is watched.
    pub(super) fn recovered(&self) -> Option<Timestamp> {
        if self.incident.is_failing() {
            return None;
        }
        let cleared = self.incident.last_stretch().iter().filter_map(|breach| breach.cleared).max();
        self.ended().or(cleared)
    }
}

/// From when until when an incident failed before it last came back, as its breaches say, the last of these times.
pub(super) fn before(incident: &Incident) -> VecDeque<(Timestamp, Timestamp)> {
    let earlier = incident.breaches.iter().take(incident.stretch);
    let mut each: Vec<_> = earlier.filter_map(|breach| Some((breach.since, breach.cleared?))).collect();
    each.sort_unstable();
    let mut before: VecDeque<(Timestamp, Timestamp)> = VecDeque::new();
    for (from, until) in each {
        match before.back_mut().filter(|(_, last)| from <= *last) {
            Some((_, last)) => *last = until.max(*last),
            None => before.push_back((from, until)),
        }
    }
    before.drain(..before.len().saturating_sub(MOST_STRETCHES));
    before
}
