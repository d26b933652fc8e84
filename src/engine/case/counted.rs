//! What is counted of an incident: which probes its rules watch, and what their checks came to.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::config::Config;
use crate::detect::history::Entry;
use crate::detect::tally::{Counts, Tally};
use crate::model::{Breach, Cadence, PerProbe, Probe, ProbeIndex};
use crate::notify::mute::Hit;

/// The counts of one incident.
pub(super) struct Counted {
    /// For each probe, whether a rule of one of the breaches watches it.
    covers: PerProbe<bool>,
    /// The checks from the first bad one to the last.
    tally: Tally,
    /// Those since: they belong to the incident only if another bad one follows, and else to its recovery.
    after: Tally,
    /// How many checks of a probe were bad in a row, up to now.
    runs: BTreeMap<ProbeIndex, u32>,
    /// Whether there may be more to find since the last finding was made.
    grown: bool,
}

impl Counted {
    /// Nothing is watched, and nothing was counted.
    pub(super) fn new(config: &Config) -> Self {
        Self {
            covers: config.probes.iter().map(|_| false).collect(),
            tally: Tally::default(),
            after: Tally::default(),
            runs: BTreeMap::new(),
            grown: true,
        }
    }

    /// Whether a rule of the incident watches this probe.
    pub(super) fn covers(&self, probe: ProbeIndex) -> bool {
        self.covers.get(probe) == Some(&true)
    }

    /// Watches what the rule of this breach watches as well. Returns the probes that were not watched before.
    pub(super) fn widen(&mut self, breach: &Breach, config: &Config) -> BTreeSet<ProbeIndex> {
        self.grown = true;
        let rule = config.rules.iter().find(|rule| rule.id == breach.rule);
        let Some(rule) = rule.filter(|rule| rule.kind.judges_probes()) else {
            // A rule that is gone, or that judges no probe, watches none.
            return BTreeSet::new();
        };
        let mut new = BTreeSet::new();
        for (index, probe) in config.probes.indexed() {
            let covered = &mut self.covers[index];
            if !*covered && rule.over.covers(probe) {
                *covered = true;
                new.insert(index);
            }
        }
        new
    }

    /// Counts a check.
    pub(super) fn add(&mut self, entry: &Entry) {
        if entry.bad {
            let run = self.runs.entry(entry.probe).or_default();
            *run = run.saturating_add(1);
        } else {
            self.runs.remove(&entry.probe);
        }
        self.after.add(entry);
        if entry.bad {
            self.tally.absorb(&mut self.after);
            self.grown = true;
        }
    }

    /// Forgets what was counted, and goes on watching.
    pub(super) fn clear(&mut self) {
        (self.tally, self.after, self.runs) = (Tally::default(), Tally::default(), BTreeMap::new());
    }

    /// The checks from the first bad one to the last.
    pub(super) fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Whether there may be more to find since this was last asked.
    pub(super) fn take_grown(&mut self) -> bool {
        std::mem::take(&mut self.grown)
    }

    /// The probes that the incident hits: those with bad checks that `may` be hit, and those that fail in a row at
    /// present. One bad check of many is a stray. Where nothing was counted since a restart: those that may be hit.
    pub(super) fn hit<'c>(&self, may: impl Fn(&Probe) -> bool, config: &'c Config) -> Hit<'c> {
        let mut by_probe: BTreeMap<ProbeIndex, Counts> = BTreeMap::new();
        for ((probe, _), counts) in self.tally.iter() {
            by_probe.entry(probe).or_default().merge(counts);
        }
        let mut hit = Hit::default();
        for (index, counts) in by_probe {
            let Some(probe) = config.probes.get(index) else { continue };
            let run = self.runs.get(&index).copied().unwrap_or_default();
            let is_stray = counts.bad == 1 && counts.looked > 2;
            if run >= 3 || counts.bad > 0 && !is_stray && may(probe) {
                hit.surely.push(probe);
            } else if run == 2 {
                hit.perhaps.push(probe);
            }
        }
        if hit.surely.is_empty() {
            hit.surely.extend(self.watched(config).filter(|probe| may(probe)));
        }
        hit
    }

    /// The longest interval of the probes that are watched; `calendar` for one on a calendar.
    pub(super) fn longest_interval(&self, calendar: Duration, config: &Config) -> Duration {
        let intervals = self.watched(config).map(|probe| match probe.cadence {
            Cadence::Every(interval) => interval,
            Cadence::At(_) => calendar,
        });
        intervals.max().unwrap_or_default()
    }

    fn watched<'c>(&self, config: &'c Config) -> impl Iterator<Item = &'c Probe> {
        config.probes.indexed().filter(|(index, _)| self.covers(*index)).map(|(_, probe)| probe)
    }
}
