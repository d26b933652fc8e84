//! Components, as verdicts name them.

use std::collections::BTreeSet;

use crate::model::ComponentId;

/// Names of components in one line.
pub(super) fn show_components(components: &BTreeSet<ComponentId>) -> String {
    if components.is_empty() {
        return "none".to_owned();
    }
    let names: Vec<&str> = components.iter().map(ComponentId::as_str).collect();
    names.join(", ")
}
