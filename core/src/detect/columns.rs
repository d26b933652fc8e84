//! Columns: which value of each label every probe bears, by small numbers, so that what checks have in common is found
//! by counting and not by comparing names. Worked out once per config.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::config::Config;
use crate::model::{LabelName, LabelValue, PerProbe, Place, Probe, ProbeIndex};

/// The labels worth trying, those that name customers first, in the order of preference at equal separation.
pub(super) struct Columns {
    labels: Vec<Column>,
    components: Column,
    /// The names of the definitions.
    definitions: Column,
}

/// One label.
#[derive(Clone)]
pub(super) struct Column {
    pub(super) label: LabelName,
    /// Its values, in order.
    pub(super) values: Vec<LabelValue>,
    /// For each probe the number of its value, or [`NONE`].
    of_probe: PerProbe<u32>,
    /// The same for each place; of no weight where the probe has a value by itself.
    of_place: Box<[u32]>,
}

/// The number of no value.
const NONE: u32 = u32::MAX;

impl Columns {
    /// Those of a config.
    #[must_use]
    pub(super) fn new(config: &Config) -> Self {
        let mut labels: Vec<LabelName> = config.cohorts.keys().cloned().collect();
        labels.push("component".into());
        let others: BTreeSet<&LabelName> = config.probes.iter().flat_map(|probe| probe.labels.keys()).collect();
        labels.extend(others.into_iter().filter(|label| !config.cohorts.contains_key(*label)).cloned());
        labels.extend(["host".into(), "kind".into()]);
        for label in Place::LABELS.map(LabelName::from) {
            if !labels.contains(&label) {
                labels.push(label);
            }
        }
        let column = |label| Column::new(label, &config.probes);
        Self {
            labels: labels.into_iter().map(column).collect(),
            components: column("component".into()),
            definitions: column("probe".into()),
        }
    }

    /// The labels with the values that checks have by these places.
    pub(super) fn at(&self, places: &[Place]) -> Vec<Cow<'_, Column>> {
        self.labels.iter().map(|column| column.at(places)).collect()
    }

    /// What names the component of a probe.
    pub(super) fn components(&self) -> &Column {
        &self.components
    }

    /// What names the definition that a probe was expanded from.
    pub(super) fn definitions(&self) -> &Column {
        &self.definitions
    }
}

impl Column {
    fn new(label: LabelName, probes: &[Probe]) -> Self {
        let each: Vec<Option<LabelValue>> = probes.iter().map(|probe| probe.label(&label)).collect();
        let values: BTreeSet<LabelValue> = each.iter().flatten().cloned().collect();
        let values: Vec<LabelValue> = values.into_iter().collect();
        Self { of_probe: numbers(&each, &values).collect(), of_place: Box::default(), label, values }
    }

    fn at(&self, places: &[Place]) -> Cow<'_, Self> {
        if !Place::LABELS.contains(&self.label.as_str()) {
            return Cow::Borrowed(self);
        }
        let each: Vec<Option<LabelValue>> = places.iter().map(|place| place.label(&self.label)).collect();
        let own = |number: &u32| self.values.get(*number as usize).cloned();
        let values: BTreeSet<LabelValue> = each.iter().flatten().chain(&self.values).cloned().collect();
        let values: Vec<LabelValue> = values.into_iter().collect();
        let of_probe = if self.values.is_empty() {
            PerProbe::from_iter([])
        } else {
            numbers(&self.of_probe.values().map(own).collect::<Vec<_>>(), &values).collect()
        };
        Cow::Owned(Self { label: self.label.clone(), of_probe, of_place: numbers(&each, &values).collect(), values })
    }

    /// The number of the value that checks of this probe from and to this place have, if they have one.
    pub(super) fn of(&self, probe: ProbeIndex, place: usize) -> Option<usize> {
        let known = |number: Option<&u32>| number.copied().filter(|number| *number != NONE);
        known(self.of_probe.get(probe)).or_else(|| known(self.of_place.get(place))).map(|number| number as usize)
    }
}

/// The number of each of these values among all, which are in order.
fn numbers(each: &[Option<LabelValue>], all: &[LabelValue]) -> impl Iterator<Item = u32> {
    let number = |value: &LabelValue| all.binary_search(value).ok().and_then(|number| u32::try_from(number).ok());
    each.iter().map(move |value| value.as_ref().and_then(number).unwrap_or(NONE))
}
