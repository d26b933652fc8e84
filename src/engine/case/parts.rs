//! Parts: what an incident did to each component, and which of them have recovered.

use std::collections::BTreeMap;
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
    pub(super) fn of<'a>(&self, hit: impl IntoIterator<Item = &'a ComponentId>, config: &Config) -> Vec<Part> {
        let all: Vec<(&ComponentId, &Own)> = self
            .probes
            .iter()
            .filter_map(|(index, own)| Some((&config.probes.get(*index)?.component, own)))
            .collect();
        let each = hit.into_iter().filter_map(|component| {
            let own = || all.iter().filter(|(other, _)| *other == component).map(|(_, own)| *own);
            let first = own().map(|own| own.first).min()?;
            let last = own().map(|own| own.last).max()?;
            let (bad, looked) = (own().map(|own| own.bad).sum::<u32>(), own().map(|own| own.looked).sum::<u32>());
            let share = (f64::from(bad) / f64::from(looked.max(1))).min(MOST_SHARE);
            let good: u32 = own().map(|own| own.good).sum();
            let recovered = own().all(|own| own.good > 0) && f64::from(good) * -(1.0 - share).ln() >= RECOVERED;
            Some(Part { component: component.clone(), bad, looked, first, last, fails: !recovered })
        });
        each.collect()
    }

    /// The wall clock was set back by so much.
    pub(super) fn set_back(&mut self, by: Duration) {
        self.probes.values_mut().for_each(|own| (own.first, own.last) = (own.first - by, own.last - by));
    }
}
