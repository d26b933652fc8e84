//! The slices of a rule: the whole, and each value and combination of values of its `per` labels.

use std::collections::BTreeMap;

use crate::model::{Breach, LabelName, Labels, Probe, RuleId, Scope, Slice};

/// The slices of a rule, and which of them each probe's checks count in. Worked out once per config.
pub(super) struct Slices {
    all: Vec<Slice>,
    of_probe: Vec<Box<[usize]>>,
}

impl Slices {
    pub(super) fn new(over: &Scope, per: &[LabelName], probes: &[Probe]) -> Self {
        let mut all = Vec::new();
        let mut known = BTreeMap::new();
        let mut of_probe = Vec::with_capacity(probes.len());
        for probe in probes {
            if !over.covers(probe) {
                of_probe.push(Box::default());
                continue;
            }
            let indices = combinations(per, &probe.labels).into_iter().map(|labels| {
                *known.entry(labels).or_insert_with_key(|labels| {
                    all.push(Slice { labels: labels.clone(), probe: None });
                    all.len() - 1
                })
            });
            of_probe.push(indices.collect());
        }
        Self { all, of_probe }
    }

    /// The slices that a probe's checks count in; none if the rule does not cover it.
    pub(super) fn of(&self, probe: usize) -> &[usize] {
        self.of_probe.get(probe).map_or(&[], |slices| slices)
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
