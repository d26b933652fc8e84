//! Breaches: a rule that crossed its threshold for one slice.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::id::{BreachId, ComponentId, LabelName, LabelValue, ProbeId, RuleId};
use super::outcome::FailureClass;
use super::probe::{Labels, Probe, show_labels};
use super::severity::Severity;
use super::unit::{Ratio, Timestamp};

/// The part of a rule's checks that was judged by itself. With neither labels nor a probe: all of them.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Slice {
    /// The checks of probes with all of these labels.
    pub labels: Labels,
    /// The checks of this probe only.
    pub probe: Option<ProbeId>,
}

impl Slice {
    /// The checks of this probe.
    #[must_use]
    pub fn of(probe: &Probe) -> Self {
        Self { labels: probe.labels.clone(), probe: Some(probe.id.clone()) }
    }

    /// Whether the checks of this probe are part of it, if the rule watches the probe at all.
    #[must_use]
    pub fn covers(&self, probe: &Probe) -> bool {
        self.probe.as_ref().is_none_or(|id| *id == probe.id)
            && self.labels.iter().all(|(name, value)| probe.label(name).as_ref() == Some(value))
    }
}

impl fmt::Display for Slice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.probe {
            Some(probe) => write!(f, "{probe}"),
            None if self.labels.is_empty() => f.write_str("all checks"),
            None => f.write_str(&show_labels(&self.labels)),
        }
    }
}

/// A rule, for one slice, crossed its threshold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Breach {
    /// Derived from the rule, the slice and the first bad check.
    pub id: BreachId,
    /// The rule.
    pub rule: RuleId,
    /// The slice.
    pub slice: Slice,
    /// How grave the rule says it is.
    pub severity: Severity,
    /// When the first of the bad checks ended.
    pub since: Timestamp,
    /// When the threshold was crossed.
    pub found: Timestamp,
    /// Why, with the numbers: `12 of 12 checks failed in 14s; the rule allows 5% and 2 bad checks`.
    pub reason: String,
    /// What the bad checks bear, those of the largest outage among them: by these, breaches are known to belong
    /// together. A rule leaves them empty where the checks that it looked at say it.
    pub marks: Marks,
    /// The share of bad checks with which the rule puts up; nothing where it does not judge a share.
    pub usual: Option<Ratio>,
    /// What its rule meant then: [`Rule::meaning`](super::Rule::meaning). By it the rule is known again under another id.
    pub meaning: Option<u64>,
    /// When it was over.
    pub cleared: Option<Timestamp>,
}

/// What failing checks bear: by these, breaches are known to belong together.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Marks {
    /// Their components.
    pub components: BTreeSet<ComponentId>,
    /// Their cohort labels.
    pub cohorts: BTreeSet<(LabelName, LabelValue)>,
    /// How they failed.
    pub classes: BTreeSet<FailureClass>,
}

impl Marks {
    /// Adds those of one bad check. Only labels that name customers count, those under `cohorts`.
    pub fn add<V>(&mut self, probe: &Probe, class: Option<FailureClass>, cohorts: &BTreeMap<LabelName, V>) {
        self.components.insert(probe.component.clone());
        self.classes.extend(class);
        let labels = probe.labels.iter().filter(|(name, _)| cohorts.contains_key(name));
        self.cohorts.extend(labels.map(|(name, value)| (name.clone(), value.clone())));
    }

    /// Whether these are but some of the customers: where most are hit, being one of them says nothing.
    #[must_use]
    pub fn are_few(&self, label: &LabelName, cohorts: &BTreeMap<LabelName, Vec<LabelValue>>) -> bool {
        let hit = self.cohorts.iter().filter(|(other, _)| other == label).count();
        cohorts.get(label).is_some_and(|values| 2 * hit <= values.len())
    }

    /// Adds all of another.
    pub fn absorb(&mut self, other: Self) {
        add(&mut self.components, other.components);
        add(&mut self.cohorts, other.cohorts);
        add(&mut self.classes, other.classes);
    }
}

/// Adds the smaller set to the larger.
fn add<T: Ord>(to: &mut BTreeSet<T>, mut other: BTreeSet<T>) {
    if other.len() > to.len() {
        std::mem::swap(to, &mut other);
    }
    to.extend(other);
}
