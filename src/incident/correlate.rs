//! Which breaches belong together.

use crate::model::incident::Marks;
use crate::model::{Breach, Incident};

/// Why the breach belongs to the open incident; `None` if it does not.
///
/// It does when its bad checks share a component, a cohort or a failure class with those of the incident's breaches
/// that are not over.
#[must_use]
pub fn belongs(breach: &Breach, incident: &Incident) -> Option<String> {
    if !incident.is_open() {
        return None;
    }
    let lasting = incident.breaches.iter().filter(|other| other.cleared.is_none());
    lasting.into_iter().find_map(|other| shared(&breach.marks, &other.marks))
}

fn shared(a: &Marks, b: &Marks) -> Option<String> {
    if let Some(component) = a.components.intersection(&b.components).next() {
        return Some(format!("shares component {component}"));
    }
    if let Some((label, value)) = a.cohorts.intersection(&b.cohorts).next() {
        return Some(format!("shares {label}={value}"));
    }
    a.classes.intersection(&b.classes).next().map(|class| format!("shares failure {class}"))
}
