//! Parts: what an incident did to each component, and which of them have recovered.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::config::Config;
use crate::detect::history::Entry;
use crate::model::{ComponentId, Part, ProbeIndex, Timestamp};

/// The bad checks of an incident, probe by probe.
#[derive(Default)]
pub(super) struct Parts {
    probes: BTreeMap<ProbeIndex, Own>,
}

/// The checks of one probe, from its first bad one on.
#[derive(Clone, Copy)]
struct Own {
    bad: u32,
    /// Checks up to the last bad one.
    looked: u32,
    /// Good ones since.
    good: u32,
    first: Timestamp,
    last: Timestamp,
}

/// A component has recovered when so many good checks came after its last bad one that they would come by chance, at the
/// share that failed before, once in a thousand times; in nats.
const RECOVERED: f64 = 6.9;
/// No share is taken for more than this: of a total outage two good checks say that it is over.
const MOST_SHARE: f64 = 0.98;

impl Parts {
    /// Counts a check, which ended at this wall-clock time.
    pub(super) fn count(&mut self, entry: &Entry, ended: Timestamp) {
        if entry.bad {
            let new = || Own { bad: 0, looked: 0, good: 0, first: ended, last: ended };
            let own = self.probes.entry(entry.probe).or_insert_with(new);
            own.looked = own.looked.saturating_add(own.good).saturating_add(1);
            (own.bad, own.good, own.last) = (own.bad.saturating_add(1), 0, own.last.max(ended));
        } else if let Some(own) = self.probes.get_mut(&entry.probe) {
            own.good = own.good.saturating_add(1);
        }
    }

    /// Adds those of another outage of the same time.
    pub(super) fn join(&mut self, other: Self) {
        for (probe, its) in other.probes {
            let Some(own) = self.probes.get_mut(&probe) else {
                self.probes.insert(probe, its);
                continue;
            };
            let good = own.looked.saturating_sub(own.bad).max(its.looked.saturating_sub(its.bad));
            own.bad = own.bad.saturating_add(its.bad);
            own.looked = own.bad.saturating_add(good);
            own.good = own.good.min(its.good);
            (own.first, own.last) = (own.first.min(its.first), own.last.max(its.last));
        }
    }

    /// Takes out those of these probes.
    pub(super) fn take(&mut self, goes: impl Fn(ProbeIndex) -> bool) -> Self {
        let (gone, kept) = std::mem::take(&mut self.probes).into_iter().partition(|(probe, _)| goes(*probe));
        self.probes = kept;
        Self { probes: gone }
    }

    /// Whether a check of this probe was bad.
    pub(super) fn has(&self, probe: ProbeIndex) -> bool {
        self.probes.contains_key(&probe)
    }

    /// Whether nothing was bad.
    pub(super) fn is_empty(&self) -> bool {
        self.probes.is_empty()
    }

    /// The probes of which a check was bad.
    pub(super) fn probes(&self) -> impl Iterator<Item = ProbeIndex> {
        self.probes.keys().copied()
    }

    /// One for each of these components that has bad checks.
    pub(super) fn of(&self, hit: &BTreeSet<ComponentId>, config: &Config) -> Vec<Part> {
        let mut parts: BTreeMap<&ComponentId, (Part, u32, bool)> = BTreeMap::new();
        for (index, own) in &self.probes {
            let Some(component) = config.probes.get(*index).map(|probe| &probe.component) else { continue };
            if !hit.contains(component) {
                continue;
            }
            let Own { bad, looked, good, first, last } = *own;
            let new = || Part { component: component.clone(), bad: 0, looked: 0, first, last, fails: true };
            // With the good checks since, and whether every probe has one.
            let (part, since, all) = parts.entry(component).or_insert_with(|| (new(), 0, true));
            (part.bad, part.looked) = (part.bad.saturating_add(bad), part.looked.saturating_add(looked));
            (part.first, part.last) = (part.first.min(first), part.last.max(last));
            (*since, *all) = (since.saturating_add(good), *all && good > 0);
        }
        let each = parts.into_values().map(|(part, good, all)| {
            let share = (f64::from(part.bad) / f64::from(part.looked.max(1))).min(MOST_SHARE);
            let recovered = all && f64::from(good) * -(1.0 - share).ln() >= RECOVERED;
            Part { fails: !recovered, ..part }
        });
        each.collect()
    }

    /// The wall clock was set back by so much.
    pub(super) fn set_back(&mut self, by: Duration) {
        self.probes.values_mut().for_each(|own| (own.first, own.last) = (own.first - by, own.last - by));
    }
}
