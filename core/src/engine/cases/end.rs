//! The end of an incident, judged once for all its checks together.

use std::sync::Arc;
use std::time::Duration;

use super::super::case::{Case, View};
use super::super::restart;
use super::super::steady::SteadyClock;
use super::Cases;
use crate::detect::Detector;
use crate::detect::history::Entry;
use crate::model::{Breach, IncidentChange, IncidentId, Timestamp};

/// A breach whose slice holds the checks of several outages is taken from an incident that has been well for so long.
const RELEASE_AFTER: Duration = Duration::from_secs(60);

impl Cases {
    /// Ends the incidents that are over. Gives out the breaches that are taken from them though they go on: what is bad
    /// in their slices is of others, and is a breach of theirs with the next bad check.
    pub(in crate::engine) fn end_recovered(
        &mut self,
        detector: &Detector,
        clock: SteadyClock,
        now: Timestamp,
    ) -> Vec<Arc<Breach>> {
        self.count_anew(detector, clock);
        let mut released = Vec::new();
        let asked: Vec<IncidentId> = self.all.values_mut().filter_map(|case| case.take_may_end()).collect();
        for id in asked {
            let Some(free) = self.foreign(id, detector, clock) else { continue };
            let Some(case) = self.all.get_mut(&id) else { continue };
            for breach in free {
                let reason = "its own checks have recovered, and what still fails is of another incident".to_owned();
                self.events.push(case.event(now, IncidentChange::Cleared { breach: breach.id, reason }));
                released.push(breach);
            }
            let view = View { config: &self.config, detector, examples: &self.examples };
            let reason = case.last_cleared.clone();
            self.events.push(case.end(reason, now, clock.to_steady(now), view));
        }
        released
    }

    /// Counts the checks of those anew of which more is known by now.
    fn count_anew(&mut self, detector: &Detector, clock: SteadyClock) {
        let is_stale = |case: &&Case| case.incident.is_failing() && case.is_stale(clock.given());
        let stale: Vec<IncidentId> = self.all.values().filter(is_stale).map(|case| case.incident.id).collect();
        for id in stale {
            let Some(case) = self.all.get(&id) else { continue };
            let from = clock.to_steady(case.from);
            let is_own = |entry: &Entry| {
                if case.was_before(entry.at, clock) {
                    return false;
                }
                let resort = || self.last_resort(entry, detector, clock).filter(|_| !detector.is_alert(entry.probe));
                !entry.bad || self.owner(entry, clock).or_else(resort) == Some(id)
            };
            let own: Vec<Entry> = detector.history().since(from).copied().filter(is_own).collect();
            let view = View { config: &self.config, detector, examples: &self.examples };
            if let Some(case) = self.all.get_mut(&id) {
                case.count_anew(&own, clock, view);
            }
        }
    }

    /// The breaches that alone keep the incident from its end, and in which nothing of its own fails; nothing while it
    /// is not over.
    fn foreign(&self, id: IncidentId, detector: &Detector, clock: SteadyClock) -> Option<Vec<Arc<Breach>>> {
        let case = self.all.get(&id).filter(|case| case.incident.is_failing() && !case.incident.is_our_own())?;
        let well_since = case.well_since()?;
        let lasting = || case.incident.breaches.iter().filter(|breach| breach.cleared.is_none());
        if lasting().next().is_none() {
            return Some(Vec::new());
        }
        let at = clock.given();
        let seen = well_since.filter(|since| at.since(*since) >= RELEASE_AFTER)?;
        let is_foreign = |breach: &Arc<Breach>| {
            let mut bad = detector.bad_checks_since(breach, seen).peekable();
            bad.peek().is_some() && bad.all(|entry| self.owner(entry, clock) != Some(id))
        };
        let lasting = lasting().filter(|breach| !restart::lingers(breach, &self.config));
        let free: Vec<Arc<Breach>> = lasting.cloned().collect();
        (!free.is_empty() && free.iter().all(is_foreign)).then_some(free)
    }
}
