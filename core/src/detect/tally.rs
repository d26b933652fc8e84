//! Tallies: how many checks of each probe and place were bad, and how, over the span of an incident.

use std::collections::BTreeMap;

use crate::model::{FailureClass, ProbeIndex};

use super::history::Entry;

/// Counts for each probe, by its index in the config, and place, by its index in the detector.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    probes: BTreeMap<(ProbeIndex, u16), Counts>,
}

/// How many checks of a probe were bad, and how they failed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Checks that looked.
    pub looked: u64,
    /// Those that were bad.
    pub bad: u64,
    /// The bad ones by failure class and status number; bad checks that did not fail (slow ones, say) are not in it.
    pub ways: BTreeMap<(FailureClass, Option<u16>), u64>,
}

impl Tally {
    /// Counts one more check.
    pub fn add(&mut self, entry: &Entry) {
        let counts = self.probes.entry((entry.probe, entry.place)).or_default();
        counts.looked += 1;
        if entry.bad {
            counts.bad += 1;
            if let Some(class) = entry.class {
                *counts.ways.entry((class, entry.status)).or_default() += 1;
            }
        }
    }

    /// Adds all counts of another, and leaves it empty.
    pub fn absorb(&mut self, other: &mut Self) {
        for (probe, counts) in std::mem::take(&mut other.probes) {
            self.probes.entry(probe).or_default().merge(&counts);
        }
    }

    /// Adds the counts of another outage of the same time, of which the good checks may be the same.
    pub fn join(&mut self, other: Self) {
        for (probe, counts) in other.probes {
            let own = self.probes.entry(probe).or_default();
            let good = own.good().max(counts.good());
            own.merge(&counts);
            own.looked = own.bad + good;
        }
    }

    /// Takes out the bad checks that failed so; those that are bad without a failure have no class. The good ones stay,
    /// and go with them.
    #[must_use]
    pub fn take(&mut self, goes: impl Fn(ProbeIndex, Option<FailureClass>) -> bool) -> Self {
        let mut taken = Self::default();
        for (key, counts) in &mut self.probes {
            let (good, classed) = (counts.good(), counts.ways.values().sum::<u64>());
            let (gone, kept): (BTreeMap<_, _>, BTreeMap<_, _>) =
                std::mem::take(&mut counts.ways).into_iter().partition(|((class, _), _)| goes(key.0, Some(*class)));
            let slow = counts.bad.saturating_sub(classed);
            let slow = if goes(key.0, None) { slow } else { 0 };
            let bad = gone.values().sum::<u64>() + slow;
            (counts.bad, counts.ways) = (counts.bad - bad, kept);
            counts.looked = counts.bad + good;
            taken.probes.insert(*key, Counts { looked: bad + good, bad, ways: gone });
        }
        taken
    }

    /// The probes and places that were counted, in the order of their indices.
    pub fn iter(&self) -> impl Iterator<Item = ((ProbeIndex, u16), &Counts)> {
        self.probes.iter().map(|(&key, counts)| (key, counts))
    }
}

impl Counts {
    /// Adds the counts of another.
    pub fn merge(&mut self, other: &Self) {
        self.looked += other.looked;
        self.bad += other.bad;
        for (way, count) in &other.ways {
            *self.ways.entry(*way).or_default() += count;
        }
    }

    /// Checks that looked and were not bad.
    #[must_use]
    pub fn good(&self) -> u64 {
        self.looked - self.bad
    }
}
