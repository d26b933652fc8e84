//! Open breaches: the slices, or probes, of a rule that have a breach, and since when each of them has been well.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::model::Timestamp;

/// By their numbers. What is due is known without looking at each: thousands may have a breach at a time.
pub(super) struct OpenBreaches<P> {
    well_since: BTreeMap<P, Option<Timestamp>>,
    by_time: BTreeSet<(Timestamp, P)>,
}

impl<P> Default for OpenBreaches<P> {
    fn default() -> Self {
        Self { well_since: BTreeMap::new(), by_time: BTreeSet::new() }
    }
}

impl<P: Copy + Ord> OpenBreaches<P> {
    /// One has a breach, and has been well since then, if it is.
    pub(super) fn begin(&mut self, place: P, well_since: Option<Timestamp>) {
        self.well_since.entry(place).or_default();
        self.note(place, well_since);
    }

    /// Since when one has been well, if it is; of no account for one that has no breach.
    pub(super) fn note(&mut self, place: P, well_since: Option<Timestamp>) {
        let Some(noted) = self.well_since.get_mut(&place) else { return };
        if *noted != well_since {
            let before = std::mem::replace(noted, well_since);
            before.into_iter().for_each(|since| _ = self.by_time.remove(&(since, place)));
            self.by_time.extend(well_since.map(|since| (since, place)));
        }
    }

    /// The breach of one is over.
    pub(super) fn end(&mut self, place: P) {
        self.note(place, None);
        self.well_since.remove(&place);
    }

    /// Those that by then have been well for so long, by their numbers.
    pub(super) fn due(&self, hold: Duration, at: Timestamp) -> Vec<P> {
        let mut due: Vec<P> =
            self.by_time.iter().take_while(|(since, _)| *since + hold <= at).map(|(_, place)| *place).collect();
        due.sort_unstable();
        due
    }

    /// When the first of them will have been well for so long.
    pub(super) fn next_due(&self, hold: Duration) -> Option<Timestamp> {
        self.by_time.first().map(|(since, _)| *since + hold)
    }
}
