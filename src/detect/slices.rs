//! The slices of a rule: the whole, and each value and combination of values of its `per` labels.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Breach, LabelName, LabelValue, Labels, PerProbe, Probe, ProbeIndex, RuleId, Scope, Slice};

/// The slices of a rule, and which of them each probe's checks count in. Worked out once per config.
pub(super) struct Slices {
    all: Vec<Slice>,
    of_probe: PerProbe<Box<[usize]>>,
}

impl Slices {
    pub(super) fn new(over: &Scope, per: &[LabelName], probes: &[Probe]) -> Self {
        Self::of_labels(over, probes, |probe| combinations(per, &probe.labels))
    }

    /// The whole, each component, each value of a cohort label, and each component with each of these. Of slices that
    /// hold the same probes only the one with the shortest name is there.
    pub(super) fn families<V>(over: &Scope, probes: &[Probe], cohorts: &BTreeMap<LabelName, V>) -> Self {
        let slices = Self::of_labels(over, probes, |probe| families(probe, cohorts));
        let mut members: Vec<Vec<ProbeIndex>> = vec![Vec::new(); slices.all.len()];
        for (probe, of) in slices.of_probe.indexed() {
            for &slice in of {
                members[slice].push(probe);
            }
        }
        let mut by_name: Vec<usize> = (0..slices.all.len()).collect();
        by_name.sort_by_key(|&slice| (slices.all[slice].labels.len(), slice));
        let mut known = BTreeSet::new();
        let mut kept: Vec<usize> =
            by_name.into_iter().filter(|&slice| known.insert(members[slice].clone())).collect();
        kept.sort_unstable();
        let all = kept.iter().map(|&slice| slices.all[slice].clone()).collect();
        let narrowed = |of: &[usize]| of.iter().filter_map(|slice| kept.binary_search(slice).ok()).collect();
        Self { all, of_probe: slices.of_probe.values().map(|of| narrowed(of)).collect() }
    }

    fn of_labels(over: &Scope, probes: &[Probe], labels: impl Fn(&Probe) -> Vec<Labels>) -> Self {
        let mut all = Vec::new();
        let mut known = BTreeMap::new();
        let mut of_probe = Vec::with_capacity(probes.len());
        for probe in probes {
            if !over.covers(probe) {
                of_probe.push(Box::default());
                continue;
            }
            let indices = labels(probe).into_iter().map(|labels| {
                *known.entry(labels).or_insert_with_key(|labels| {
                    all.push(Slice { labels: labels.clone(), probe: None });
                    all.len() - 1
                })
            });
            of_probe.push(indices.collect());
        }
        Self { all, of_probe: of_probe.into_iter().collect() }
    }

    /// The slices that a probe's checks count in; none if the rule does not cover it.
    pub(super) fn of(&self, probe: ProbeIndex) -> &[usize] {
        &self.of_probe[probe]
    }

    /// The slice of a breach of this rule.
    pub(super) fn place_of(&self, breach: &Breach, rule: &RuleId) -> Option<usize> {
        self.all.iter().position(|slice| *slice == breach.slice).filter(|_| breach.rule == *rule)
    }

    pub(super) fn all(&self) -> &[Slice] {
        &self.all
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
