//! `components`: those that are named, and no others.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::config::Config;
use crate::config::reader::{Entry, Names, Reader};
use crate::model::ComponentId;

/// Names of components of one of these configurations. Without any nothing is judged.
pub(super) fn read(
    reader: &mut Reader<'_>,
    entry: Entry<'_>,
    configs: &[Arc<Config>],
) -> Option<BTreeSet<ComponentId>> {
    if configs.is_empty() {
        return None;
    }
    let mut all: Vec<&str> = Vec::new();
    for component in configs.iter().flat_map(|config| &config.components) {
        if !all.contains(&component.id.as_str()) {
            all.push(component.id.as_str());
        }
    }
    let names = Names { what: "component", all, needed: true };
    let names = reader.references(entry, &names, "name components, or remove the key")?;
    Some(names.into_iter().map(ComponentId::from).collect())
}
