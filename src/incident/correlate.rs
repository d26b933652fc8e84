//! Which bad checks and breaches belong together.
//!
//! Two bad checks are of one outage when they share a component, a customer or a failure class, directly or through
//! others. So a breach of a wide slice in which two outages meet is taken for the larger of them, and the other has its
//! own slices to be found in.

use std::collections::BTreeMap;

use crate::config::Config;
use crate::model::Marks;
use crate::model::{Breach, ComponentId, FailureClass, Incident, Probe};

use super::depend;
use super::explain::explains;

/// Bad checks of one probe that failed in one way.
#[derive(Clone, Copy, Debug)]
pub struct BadChecks<'a> {
    /// Whose they are.
    pub probe: &'a Probe,
    /// How they failed; `None` for checks that are bad without a failure, slow ones say.
    pub class: Option<FailureClass>,
    /// How many.
    pub count: u64,
}

/// What the largest outage among these checks bears; `None` if there are no checks.
#[must_use]
pub fn main_outage<V>(bad: &[BadChecks<'_>], cohorts: &BTreeMap<crate::model::LabelName, V>) -> Option<Marks> {
    let each: Vec<Marks> = bad.iter().map(|checks| marks(checks, cohorts)).collect();
    let mut groups: Vec<(Marks, u64)> = Vec::new();
    for (marks, checks) in each.into_iter().zip(bad) {
        let (mut all, mut count) = (marks, checks.count);
        // What shares something with it is one group from now on.
        let mut rest = Vec::new();
        for (other, others) in groups {
            if shared(&all, &other).is_some() {
                all.absorb(other);
                count += others;
            } else {
                rest.push((other, others));
            }
        }
        rest.push((all, count));
        groups = rest;
    }
    // The first of equals.
    let largest = groups.into_iter().reduce(|best, other| if other.1 > best.1 { other } else { best });
    largest.map(|(marks, _)| marks)
}

/// What one group of bad checks bears.
#[must_use]
pub fn marks<V>(checks: &BadChecks<'_>, cohorts: &BTreeMap<crate::model::LabelName, V>) -> Marks {
    let mut marks = Marks::default();
    marks.add(checks.probe, checks.class, cohorts);
    marks
}

/// Why the breach, whose bad checks these are, belongs to the open incident; `None` if it does not.
///
/// It does when the incident explains most of its bad checks, or when these share a component, a customer or a failure
/// class with those of the incident's breaches that are not over, or one of their components cannot work without one
/// of the incident's.
#[must_use]
pub fn belongs(breach: &Breach, bad: &[BadChecks<'_>], incident: &Incident, config: &Config) -> Option<String> {
    let all: u64 = bad.iter().map(|checks| checks.count).sum();
    let known = bad.iter().filter(|checks| explains(&incident.finding, checks.probe, checks.class));
    let explained: u64 = known.map(|checks| checks.count).sum();
    if all > 0 && 2 * explained > all {
        return Some(format!("{explained} of its {all} bad checks are of this incident"));
    }
    let lasting = incident.breaches.iter().filter(|other| other.cleared.is_none() || !incident.is_failing());
    lasting.into_iter().find_map(|other| {
        shared(&breach.marks, &other.marks).or_else(|| depends(&breach.marks, &other.marks, config))
    })
}

/// What both share.
fn shared(a: &Marks, b: &Marks) -> Option<String> {
    if let Some(component) = a.components.intersection(&b.components).next() {
        return Some(format!("shares component {component}"));
    }
    if let Some((label, value)) = a.cohorts.intersection(&b.cohorts).next() {
        return Some(format!("shares {label}={value}"));
    }
    a.classes.intersection(&b.classes).next().map(|class| format!("shares failure {class}"))
}

/// Which component of one cannot work without one of the other.
fn depends(a: &Marks, b: &Marks, config: &Config) -> Option<String> {
    let pairs = |needing: &Marks, needed: &Marks| -> Option<(ComponentId, ComponentId)> {
        let each = needing.components.iter().flat_map(|a| needed.components.iter().map(move |b| (a, b)));
        let mut found = each.filter(|(a, b)| depend::depends(a, b, config));
        found.next().map(|(a, b)| (a.clone(), b.clone()))
    };
    let (needing, needed) = pairs(a, b).or_else(|| pairs(b, a))?;
    Some(format!("{needing} depends on {needed}"))
}
