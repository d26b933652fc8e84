//! The slices of a rule: the whole, and each value and combination of values of its `per` labels.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Index, IndexMut};

use crate::model::{Breach, LabelName, LabelValue, Labels, PerProbe, Probe, ProbeIndex, RuleId, Scope, Slice};

/// The slices of a rule, and which of them each probe's checks count in. Worked out once per config.
pub(super) struct Slices {
    /// The first is the whole.
    all: PerSlice<Slice>,
    of_probe: PerProbe<Box<[SliceIndex]>>,
}

/// Which of a rule's slices; handed out by [`Slices`], and good for what was made of the same ones.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct SliceIndex(u32);

impl SliceIndex {
    /// All checks of the rule. There is no such slice where the rule covers no probe.
    pub(super) const WHOLE: Self = Self(0);

    /// That of this place; no rule has as many slices as there are numbers.
    fn at(place: usize) -> Self {
        Self(u32::try_from(place).unwrap_or(u32::MAX))
    }

    fn place(self) -> usize {
        self.0 as usize
    }
}

/// One value for each slice of a rule. It is collected from them in their order.
pub(super) struct PerSlice<T>(Box<[T]>);

impl<T> PerSlice<T> {
    /// All values, in the order of the slices.
    pub(super) fn values(&self) -> std::slice::Iter<'_, T> {
        self.0.iter()
    }
}

impl<T> FromIterator<T> for PerSlice<T> {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        Self(values.into_iter().collect())
    }
}

impl<T> Index<SliceIndex> for PerSlice<T> {
    type Output = T;

    fn index(&self, slice: SliceIndex) -> &T {
        &self.0[slice.place()]
    }
}

impl<T> IndexMut<SliceIndex> for PerSlice<T> {
    fn index_mut(&mut self, slice: SliceIndex) -> &mut T {
        &mut self.0[slice.place()]
    }
}

impl Index<SliceIndex> for Slices {
    type Output = Slice;

    fn index(&self, slice: SliceIndex) -> &Slice {
        &self.all[slice]
    }
}

impl Slices {
    pub(super) fn new(over: &Scope, per: &[LabelName], probes: &[Probe]) -> Self {
        Self::of_labels(over, probes, |probe| combinations(per, &probe.labels))
    }

    /// The whole, each component, each value of a cohort label, and each component with each of these. Of slices that
    /// hold the same probes only the one with the shortest name is there.
    pub(super) fn families<V>(over: &Scope, probes: &[Probe], cohorts: &BTreeMap<LabelName, V>) -> Self {
        let slices = Self::of_labels(over, probes, |probe| families(probe, cohorts));
        let mut members: PerSlice<Vec<ProbeIndex>> = slices.all().iter().map(|_| Vec::new()).collect();
        for (probe, of) in slices.of_probe.indexed() {
            for &slice in of {
                members[slice].push(probe);
            }
        }
        let mut by_name: Vec<SliceIndex> = (0..slices.all().len()).map(SliceIndex::at).collect();
        by_name.sort_by_key(|&slice| (slices[slice].labels.len(), slice));
        let mut known = BTreeSet::new();
        let mut kept: Vec<SliceIndex> =
            by_name.into_iter().filter(|&slice| known.insert(members[slice].clone())).collect();
        kept.sort_unstable();
        let all = kept.iter().map(|&slice| slices[slice].clone()).collect();
        let place = |slice| kept.binary_search(slice).ok().map(SliceIndex::at);
        Self { all, of_probe: slices.of_probe.values().map(|of| of.iter().filter_map(place).collect()).collect() }
    }

    fn of_labels(over: &Scope, probes: &[Probe], labels: impl Fn(&Probe) -> Vec<Labels>) -> Self {
        let mut all = Vec::new();
        let mut known = BTreeMap::new();
        let of_probe = probes.iter().map(|probe| {
            let labels = if over.covers(probe) { labels(probe) } else { Vec::new() };
            let slices = labels.into_iter().map(|labels| {
                *known.entry(labels).or_insert_with_key(|labels| {
                    all.push(Slice { labels: labels.clone(), probe: None });
                    SliceIndex::at(all.len() - 1)
                })
            });
            slices.collect()
        });
        let of_probe = of_probe.collect();
        Self { all: all.into_iter().collect(), of_probe }
    }

    /// The slices that a probe's checks count in; none if the rule does not cover it.
    pub(super) fn of(&self, probe: ProbeIndex) -> &[SliceIndex] {
        &self.of_probe[probe]
    }

    /// The slice of a breach of this rule; none if it is of another rule, or of a slice that is no more.
    pub(super) fn index_of(&self, breach: &Breach, rule: &RuleId) -> Option<SliceIndex> {
        if breach.rule != *rule {
            return None;
        }
        self.all().iter().position(|slice| *slice == breach.slice).map(SliceIndex::at)
    }

    /// All of them, in their order.
    pub(super) fn all(&self) -> &[Slice] {
        &self.all.0
    }
}

/// Every choice of the named labels that the probe has, from none of them to all.
fn combinations(per: &[LabelName], labels: &Labels) -> Vec<Labels> {
    let mut chosen = vec![Labels::new()];
    for name in per {
        if let Some(value) = labels.get(name) {
            let with: Vec<Labels> = chosen
                .iter()
                .map(|part| {
                    let mut part = part.clone();
                    part.insert(name.clone(), value.clone());
                    part
                })
                .collect();
            chosen.extend(with);
        }
    }
    chosen
}

/// The labels of the slices of a change rule that the probe counts in, the whole first.
fn families<V>(probe: &Probe, cohorts: &BTreeMap<LabelName, V>) -> Vec<Labels> {
    let component = (LabelName::from("component"), LabelValue::from(probe.component.as_str()));
    let mut all = vec![Labels::new()];
    let named = probe.labels.iter().filter(|(name, _)| cohorts.contains_key(name));
    let values: Vec<_> = named.map(|(name, value)| (name.clone(), value.clone())).collect();
    all.extend(values.iter().map(|value| Labels::from([value.clone()])));
    all.push(Labels::from([component.clone()]));
    all.extend(values.into_iter().map(|value| Labels::from([component.clone(), value])));
    all
}
