//! `factor`: what failing checks should have in common.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::bounds::is_empty;
use crate::config::Config;
use crate::config::problem::nearest;
use crate::config::raw::tree::Value;
use crate::config::reader::{Entry, Reader};
use crate::config::words::label_value;
use crate::drill::scenario::answer::class;
use crate::model::{FailureClass, LabelName, LabelValue, Probe};

/// What failing checks should have in common.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ExpectedFactor {
    /// The label and its values; `Some(None)`: no label separates them from the others.
    pub label: Option<Option<(LabelName, BTreeSet<LabelValue>)>>,
    /// How they fail.
    pub failure: Option<FailureClass>,
}

/// `none`, or a map of a label and `failure`.
pub(super) fn read(reader: &mut Reader<'_>, entry: Entry<'_>, configs: &[Arc<Config>]) -> Option<ExpectedFactor> {
    const EXAMPLE: &str = "write `factor: {workspace: globex, failure: not_found}`, or `none`";
    if matches!(&entry.node.value, Value::Text(text) if text == "none") {
        return Some(ExpectedFactor { label: Some(None), failure: None });
    }
    if is_empty(entry) {
        reader.fault(entry.at, "a factor that says nothing fits every incident", EXAMPLE);
        return None;
    }
    let probes: Vec<&Probe> = configs.iter().flat_map(|config| config.probes.iter()).collect();
    let mut found = ExpectedFactor::default();
    for entry in reader.named(entry, EXAMPLE)? {
        if entry.name == "failure" {
            found.failure = class(reader, entry);
            continue;
        }
        if found.label.is_some() {
            reader.fault(entry.at, "a factor has one label", "keep the one that separates best");
            continue;
        }
        let label = LabelName::from(entry.name);
        let values: BTreeSet<LabelValue> = probes.iter().filter_map(|probe| probe.label(&label)).collect();
        if values.is_empty() {
            let own = probes.iter().flat_map(|probe| probe.labels.keys().map(LabelName::as_str));
            let known: BTreeSet<&str> = own.chain(["component", "probe", "host", "kind", "failure"]).collect();
            let remedy = nearest(entry.name, known, "a factor has one of");
            reader.fault(entry.at, format!("no probe has a label `{}`", entry.name), remedy);
            continue;
        }
        let items = match entry.node.value {
            Value::List(_) => reader.list(entry, EXAMPLE).unwrap_or_default(),
            _ => vec![entry],
        };
        let mut wanted = BTreeSet::new();
        for item in items {
            let Some(value) = reader.word(item).and_then(|text| label_value(reader, &text.value, text.place)) else {
                continue;
            };
            if !values.contains(&value) {
                let remedy = nearest(value.as_str(), values.iter().map(LabelValue::as_str), "its values are");
                let fault = format!("`{}` is no value of the label `{label}`", value.as_str());
                reader.fault(item.node.place, fault, remedy);
            }
            wanted.insert(value);
        }
        found.label = Some(Some((label, wanted)));
    }
    Some(found)
}
