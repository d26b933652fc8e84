//! What is counted of an incident: which probes its rules watch, and what their checks came to.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::parts::Parts;
use crate::config::Config;
use crate::detect::history::Entry;
use crate::detect::tally::{Counts, Tally};
use crate::incident::recovery::Recovery;
use crate::model::{
    Breach, Cadence, Factor, FailureClass, LabelValue, PerProbe, Probe, ProbeIndex, Ratio, Timestamp,
};
use crate::notify::mute::Hit;

/// What is usual in a slice is learned from the outage too, little by little: what a breach says of it that was found later
/// is not what was usual before.
const LEARNS_LITTLE: Duration = Duration::from_secs(3_600);

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
    /// The bad ones, probe by probe.
    parts: Parts,
    /// What the checks of these say of the end, where a rule judges a share of them.
    recovery: Option<Recovery>,
    /// Since when that says that no more fail than usual.
    well_since: Option<Timestamp>,
    /// Whether there may be more to find since the last finding was made.
    grown: bool,
}

impl Counted {
    /// Nothing is watched, and nothing was counted. The rules put up with this share of bad checks.
    pub(super) fn new(usual: Option<Ratio>, config: &Config) -> Self {
        Self {
            covers: config.probes.iter().map(|_| false).collect(),
            parts: Parts::default(),
            recovery: usual.map(Recovery::new),
            well_since: None,
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

    /// Watches what the rule of this breach watches as well. Returns the probes that were not watched before. `began`: when
    /// the incident was opened, or came back.
    pub(super) fn widen(&mut self, breach: &Breach, began: Timestamp, config: &Config) -> BTreeSet<ProbeIndex> {
        if let Some(usual) = breach.usual {
            let recovery = self.recovery.get_or_insert_with(|| Recovery::new(usual));
            if breach.found.since(began) <= LEARNS_LITTLE {
                recovery.allow(usual);
            }
        }
        self.cover(breach, config)
    }

    /// Watches what the rule of this breach watches, and no more.
    pub(super) fn cover(&mut self, breach: &Breach, config: &Config) -> BTreeSet<ProbeIndex> {
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

    /// Watches what the rules of these breaches watch, and nothing else.
    pub(super) fn watch_only<'b>(&mut self, breaches: impl Iterator<Item = &'b Breach>, config: &Config) {
        self.covers.values_mut().for_each(|covered| *covered = false);
        breaches.for_each(|breach| _ = self.cover(breach, config));
    }

    /// Counts a check, which ended at this wall-clock time.
    pub(super) fn add(&mut self, entry: &Entry, ended: Timestamp) {
        if entry.bad {
            let run = self.runs.entry(entry.probe).or_default();
            *run = run.saturating_add(1);
        } else {
            self.runs.remove(&entry.probe);
        }
        self.after.add(entry);
        self.parts.count(entry, ended);
        if let Some(recovery) = self.recovery.as_mut().filter(|_| self.parts.has(entry.probe)) {
            recovery.count(entry.bad, entry.at);
            self.well_since = if recovery.is_well() { self.well_since.or(Some(entry.at)) } else { None };
        }
        if entry.bad {
            self.tally.absorb(&mut self.after);
            self.grown = true;
        }
    }

    /// Counts what another incident counted as well, and watches for the end of both.
    pub(super) fn join(&mut self, other: Self) {
        for (own, its) in self.covers.values_mut().zip(other.covers.values()) {
            *own |= *its;
        }
        self.tally.join(other.tally);
        self.after.join(other.after);
        self.parts.join(other.parts);
        for (probe, run) in other.runs {
            let own = self.runs.entry(probe).or_default();
            *own = run.max(*own);
        }
        self.recovery = match (self.recovery, other.recovery) {
            (Some(own), Some(its)) => Some(own.join(its)),
            (own, its) => own.or(its),
        };
        (self.well_since, self.grown) = (None, true);
    }

    /// Takes out the bad checks that failed so, for an incident of their own, whose rules put up with this share.
    pub(super) fn take(
        &mut self,
        goes: impl Fn(ProbeIndex, Option<FailureClass>) -> bool,
        usual: Option<Ratio>,
        config: &Config,
    ) -> Self {
        let mut gone = Self::new(None, config);
        // What share of the checks failed is known already.
        gone.recovery = self.recovery.filter(|_| usual.is_some());
        usual.iter().for_each(|usual| gone.recovery.iter_mut().for_each(|recovery| recovery.allow(*usual)));
        gone.tally = self.tally.take(&goes);
        gone.after = self.after.clone();
        let mut left: BTreeMap<ProbeIndex, u64> = BTreeMap::new();
        for ((probe, _), counts) in self.tally.iter() {
            *left.entry(probe).or_default() += counts.bad;
        }
        let moved: BTreeSet<ProbeIndex> =
            gone.tally.iter().filter(|(_, counts)| counts.bad > 0).map(|((probe, _), _)| probe).collect();
        // A probe whose bad checks went in part stays where it was.
        let whole = |probe| moved.contains(&probe) && left.get(&probe).is_none_or(|bad| *bad == 0);
        gone.parts = self.parts.take(whole);
        (gone.runs, self.runs) = std::mem::take(&mut self.runs).into_iter().partition(|(probe, _)| whole(*probe));
        self.grown = true;
        gone
    }

    /// Forgets what was counted, and goes on watching.
    pub(super) fn clear(&mut self, usual: Option<Ratio>) {
        (self.tally, self.after, self.runs) = (Tally::default(), Tally::default(), BTreeMap::new());
        self.parts = Parts::default();
        (self.recovery, self.well_since) = (usual.map(Recovery::new), None);
    }

    /// Since when no more fail than usual; nothing inside where no rule judges a share, and nothing at all while more fail.
    pub(super) fn well_since(&self) -> Option<Option<Timestamp>> {
        match &self.recovery {
            // Since a restart nothing was bad, or its results are gone: then the rules say when it is over.
            Some(_) if !self.parts.is_empty() => self.well_since.map(Some),
            _ => Some(None),
        }
    }

    /// The probes of which a check was bad.
    pub(super) fn bad_probes<'c>(&self, config: &'c Config) -> impl Iterator<Item = &'c Probe> {
        self.parts.probes().filter_map(|index| config.probes.get(index))
    }

    /// What was bad, component by component.
    pub(super) fn parts(&self) -> &Parts {
        &self.parts
    }

    /// The wall clock was set back by so much.
    pub(super) fn set_back(&mut self, by: Duration) {
        self.parts.set_back(by);
    }

    /// The checks from the first bad one to the last.
    pub(super) fn tally(&self) -> &Tally {
        &self.tally
    }

    /// How many bad checks there were.
    pub(super) fn bad(&self) -> u64 {
        self.tally.iter().map(|(_, counts)| counts.bad).sum()
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

    /// Names these values too, and counts anew.
    pub(super) fn widen_factor(&self, factor: &mut Factor, values: BTreeSet<LabelValue>, config: &Config) {
        if factor.values.is_superset(&values) {
            return;
        }
        factor.values.extend(values);
        let (mut inside, mut outside) = (Counts::default(), Counts::default());
        for ((probe, _), counts) in self.tally.iter() {
            let bears = config.probes.get(probe).is_some_and(|probe| factor.bears(probe));
            if bears { inside.merge(counts) } else { outside.merge(counts) }
        }
        let narrow = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
        (factor.bad, factor.looked) = (narrow(inside.bad), narrow(inside.looked));
        (factor.bad_elsewhere, factor.looked_elsewhere) = (narrow(outside.bad), narrow(outside.looked));
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
