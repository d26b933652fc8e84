//! `over`: which of the probes a rule judges; of a maintenance or a drill too.

use std::collections::{BTreeMap, BTreeSet};

use super::Surroundings;
use crate::config::Config;
use crate::config::probes;
use crate::config::problem::nearest;
use crate::config::raw::keyed::keyed;
use crate::config::raw::word::{Word, Words};
use crate::config::reader::{Entry, Names, Reader, Table};
use crate::config::words::label_value;
use crate::model::{LabelName, Scope};

keyed! {
    /// Some of the probes. Those that are given must all hold.
    pub struct Over {
        /// Of one of these components.
        pub components: Option<Words>,
        /// From one of these definitions.
        pub probes: Option<Words>,
        /// With all of these labels.
        pub labels: Option<BTreeMap<String, Word>>,
    }
}

impl Surroundings<'_> {
    /// The labels that probes have.
    pub(super) fn labels(&self) -> Names<'_> {
        let own = self.probes.labels.iter().map(String::as_str);
        let mut all: Vec<&str> = self.cohorts.keys().map(LabelName::as_str).chain(own).collect();
        all.sort_unstable();
        all.dedup();
        Names { what: "label", all, needed: false }
    }
}

/// Some of the probes of a config that is read already: `over` as a rule has it.
pub(crate) fn over(reader: &mut Reader<'_>, entry: Entry<'_>, config: &Config) -> Option<Scope> {
    let names: BTreeSet<&str> = config.probes.iter().map(|probe| probe.name.as_str()).collect();
    let labels = config.probes.iter().flat_map(|probe| probe.labels.keys().map(ToString::to_string)).collect();
    let probes = probes::Found {
        names: names.into_iter().map(str::to_owned).collect(),
        labels,
        probes: config.probes.to_vec(),
        complete: true,
        formerly: BTreeMap::new(),
        warnings: Vec::new(),
    };
    let around =
        Surroundings { components: &config.components, probes: &probes, cohorts: &config.cohorts, receivers: &[] };
    scope(reader, entry, &around)
}

pub(super) fn scope(reader: &mut Reader<'_>, entry: Entry<'_>, around: &Surroundings<'_>) -> Option<Scope> {
    let table = reader.table(entry, Over::KEYS, "write `over: {components: [website]}`")?;
    scope_in(reader, &table, entry, around)
}

/// The keys of a scope in a table that may have others too.
pub(in crate::config) fn scope_in(
    reader: &mut Reader<'_>,
    table: &Table<'_>,
    entry: Entry<'_>,
    around: &Surroundings<'_>,
) -> Option<Scope> {
    let mut scope = Scope::default();
    let mut sound = true;
    if let Some(entry) = table.get("components") {
        let all = around.components.iter().map(|component| component.id.as_str()).collect();
        let names = Names { what: "component", all, needed: true };
        let found = reader.references(entry, &names, "name components, or remove the key");
        sound &= found.is_some();
        scope.components = found.into_iter().flatten().map(Into::into).collect();
    }
    if let Some(entry) = table.get("probes") {
        let all = around.probes.names.iter().map(String::as_str).collect();
        let names = Names { what: "probe", all, needed: true };
        let found = reader.references(entry, &names, "name probes, or remove the key");
        sound &= found.is_some();
        scope.probes = found.into_iter().flatten().map(Into::into).collect();
    }
    if let Some(entry) = table.get("labels") {
        let names = around.labels();
        for entry in reader.named(entry, "write `labels: {workspace: acme}`")? {
            if !names.all.contains(&entry.name) {
                let remedy = nearest(entry.name, names.all.iter().copied(), "labels that exist");
                reader.fault(entry.at, format!("there is no label `{}`", entry.name), remedy);
                sound = false;
                continue;
            }
            let value = reader.word(entry).and_then(|text| label_value(reader, &text.value, text.place));
            sound &= value.is_some();
            scope.labels.extend(value.map(|value| (LabelName::from(entry.name), value)));
        }
    }
    // A reference that points nowhere, or a probe that could not be read, is a problem that has been told.
    let references = scope.components.len() + scope.probes.len() + scope.labels.len();
    if sound
        && references > 0
        && around.probes.complete
        && !around.probes.probes.iter().any(|probe| scope.covers(probe))
    {
        let remedy = "those given must all hold of one probe: name fewer, or others";
        reader.fault(entry.at, format!("no probe is covered by this `{}`", entry.name), remedy);
    }
    sound.then_some(scope)
}
