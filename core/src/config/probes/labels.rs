//! `labels` and `for_each`: what a probe is labelled with.

use std::collections::BTreeMap;

use crate::config::reader::{Entry, Names, Reader};
use crate::config::words::{label_name, label_value, shown};
use crate::model::{LabelName, LabelValue, Labels};

/// Labels of its own.
pub(super) fn labels(reader: &mut Reader<'_>, entry: Entry<'_>) -> Option<Labels> {
    let mut labels = Labels::new();
    for entry in reader.named(entry, "write `labels: {tier: web}`")? {
        let name = label_name(reader, entry);
        let value = reader
            .word(entry)
            .and_then(|text| shown(reader, text))
            .and_then(|text| label_value(reader, &text.value, text.place));
        labels.extend(name.zip(value));
    }
    Some(labels)
}

/// The labels of `cohorts` for whose values there is a probe each, with these values.
pub(super) fn for_each(
    reader: &mut Reader<'_>,
    entry: Entry<'_>,
    cohorts: &BTreeMap<LabelName, Vec<LabelValue>>,
    own: &Labels,
) -> Option<Vec<(LabelName, Vec<LabelValue>)>> {
    let names = Names { what: "cohort", all: cohorts.keys().map(LabelName::as_str).collect(), needed: false };
    let mut each = Vec::new();
    for name in
        reader.references(entry, &names, "name labels of `cohorts`, or remove the key for one single probe")?
    {
        let name = LabelName::from(name);
        if own.contains_key(&name) {
            reader.fault(
                entry.at,
                format!("the label `{name}` is given by `for_each` and by `labels`"),
                "remove one of the two",
            );
        }
        let values = cohorts.get(&name).cloned().unwrap_or_default();
        each.push((name, values));
    }
    // A cohort that has no sound values, or a name that is none, is a problem that has been told.
    (!each.is_empty() && each.iter().all(|(_, values)| !values.is_empty())).then_some(each)
}
