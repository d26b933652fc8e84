//! What a change of finding means for customers.

use crate::model::Finding;

/// What is new for customers in a finding, against the one before; `None` if nothing is.
///
/// New are components that were not hit before, and customers: values of the same label that were not hit before, or
/// that no label separates any more what one did.
#[must_use]
pub fn spread(before: &Finding, now: &Finding) -> Option<String> {
    let components: Vec<&str> = now.components.difference(&before.components).map(|id| id.as_str()).collect();
    let mut news = Vec::new();
    if !components.is_empty() && !now.is_diffuse() {
        news.push(format!("component {}", components.join(", ")));
    }
    match (&before.factor, &now.factor) {
        (Some(old), Some(new)) if old.label == new.label => {
            let values: Vec<&str> = new.values.difference(&old.values).map(|value| value.as_str()).collect();
            if !values.is_empty() {
                news.push(format!("{}={}", new.label, values.join(", ")));
            }
        }
        (Some(old), None) => news.push(format!("checks that do not share its {}", old.label)),
        _ => {}
    }
    if news.is_empty() { None } else { Some(format!("it now also hits {}", news.join(" and "))) }
}
