//! Which bad checks and breaches belong together.
//!
//! A breach **joins** an incident that fails when
//! - the incident explains more than half of its bad checks;
//! - or both have the same component and the same failure class, or the whole component fails;
//! - or a few checks fail in the same way, and the incident is that a few fail everywhere;
//! - or a component of one depends on one of the other;
//! - or both have the same factor;
//! - or both have the same failure class and began together: one cause reaches every probe within the longest interval.
//!
//! It **brings back** an incident that recovered or ended only when the component is the same, and the failure class or the
//! factor is. One that ended because nothing watches it any more never comes back. All else is another outage. What is "the same" is so of more than half of the bad checks.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::Config;
use crate::model::{
    Breach, ComponentId, Factor, FailureClass, Finding, Incident, LabelName, LabelValue, Marks, Probe, Slice,
};

use super::depend;
use super::explain::explains;
use super::summary::show_factor;

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
///
/// Checks are of one outage when they share a component or a failure class, or a customer where only some are hit,
/// directly or through others. So of a wide slice in which two outages meet it is the larger, and the other has its own
/// slices to be found in.
#[must_use]
pub fn main_outage(bad: &[BadChecks<'_>], cohorts: &BTreeMap<LabelName, Vec<LabelValue>>) -> Option<Marks> {
    let mut all = Marks::default();
    bad.iter().for_each(|checks| all.add(checks.probe, checks.class, cohorts));
    let mut groups: Vec<(Marks, Marks, u64)> = Vec::new();
    for checks in bad {
        let mut marks = Marks::default();
        marks.add(checks.probe, checks.class, cohorts);
        let mut tells = marks.clone();
        tells.cohorts.retain(|(label, _)| all.are_few(label, cohorts));
        let mut group = (marks, tells, checks.count);
        // What shares something with it is one group from now on.
        let mut rest = Vec::new();
        for other in groups {
            if shared(&group.1, &other.1) {
                group.0.absorb(other.0);
                group.1.absorb(other.1);
                group.2 += other.2;
            } else {
                rest.push(other);
            }
        }
        rest.push(group);
        groups = rest;
    }
    // The first of equals.
    let largest = groups.into_iter().reduce(|best, other| if other.2 > best.2 { other } else { best });
    largest.map(|(marks, ..)| marks)
}

/// The component that a slice is of, if it is of one.
#[must_use]
pub fn component_of(slice: &Slice, config: &Config) -> Option<ComponentId> {
    let named = slice.labels.iter().find(|(label, _)| label.as_str() == "component");
    let probe = || config.probes.index_of(slice.probe.as_ref()?).map(|index| config.probes[index].component.clone());
    named.map(|(_, value)| ComponentId::from(value.as_str())).or_else(probe)
}

/// A breach that looks for its incident, and the bad checks that are of no other.
#[derive(Clone, Copy, Debug)]
pub struct Signs<'a> {
    /// The breach.
    pub breach: &'a Breach,
    /// What its own bad checks bear.
    pub marks: &'a Marks,
    /// They themselves, where the history has them.
    pub bad: &'a [BadChecks<'a>],
    /// Whether but a few of the checks of its slice are bad.
    pub few: bool,
    /// The components, and what they depend on.
    pub config: &'a Config,
}

impl Signs<'_> {
    /// Why it joins an incident that fails, whose bad checks bear these marks; `None` if it does not. `together`: whether
    /// both began at about the same time.
    #[must_use]
    pub fn joins(&self, incident: &Incident, marks: &Marks, together: bool) -> Option<String> {
        let finding = &incident.finding;
        if self.stands_by_itself() || stands_by_itself(marks) {
            let mut shared = self.marks.cohorts.intersection(&marks.cohorts);
            let alike = self.stands_by_itself() && stands_by_itself(marks);
            return shared.next().filter(|_| alike).map(|(label, value)| format!("shares {label}={value}"));
        }
        if let Some((explained, all)) = self.most(|probe, class| explains(finding, probe, class)) {
            return Some(format!("{explained} of its {all} bad checks are of this incident"));
        }
        let same_class = self.same_class(finding, marks);
        if let Some(component) = self.same_component(&marks.components) {
            let whole = match &finding.factor {
                Some(factor) => factor.label.as_str() == "component",
                None => true,
            };
            if same_class || whole {
                return Some(format!("shares component {component}"));
            }
        }
        if self.few && same_class && finding.is_diffuse() {
            return Some("a few checks fail everywhere in the same way".to_owned());
        }
        if let Some(reason) = depends(self.marks, marks, self.config) {
            return Some(reason);
        }
        if let Some(factor) = self.same_factor(finding) {
            return Some(format!("shares {}", show_factor(factor, Some(self.config))));
        }
        let class = marks.classes.intersection(&self.marks.classes).next();
        class.filter(|_| same_class && together).map(|class| format!("began together, and shares failure {class}"))
    }

    /// Why it brings back an incident that recovered or ended; `None` if it is another outage.
    #[must_use]
    pub fn returns(&self, incident: &Incident, marks: &Marks) -> Option<String> {
        let finding = &incident.finding;
        if incident.unwatched.is_some() {
            return None;
        }
        if self.stands_by_itself() || stands_by_itself(marks) {
            let same = incident
                .breaches
                .iter()
                .find(|other| (&other.rule, &other.slice) == (&self.breach.rule, &self.breach.slice));
            return same.map(|_| format!("is of the same {}", self.breach.slice));
        }
        let component = self.same_component(&finding.components)?;
        if self.same_class(finding, marks) {
            let class = self.marks.classes.intersection(&marks.classes).next();
            let how = class.map_or_else(String::new, |class| format!(" and failure {class}"));
            return Some(format!("shares component {component}{how}"));
        }
        let factor = self.same_factor(finding)?;
        Some(format!("shares component {component} and {}", show_factor(factor, Some(self.config))))
    }

    /// Whether most of its bad checks are of these components.
    #[must_use]
    pub fn is_of(&self, components: &BTreeSet<ComponentId>) -> bool {
        self.same_component(components).is_some()
    }

    /// How many of all bad checks are so, if more than half are.
    fn most(&self, is: impl Fn(&Probe, Option<FailureClass>) -> bool) -> Option<(u64, u64)> {
        let all: u64 = self.bad.iter().map(|checks| checks.count).sum();
        let such: u64 = self.bad.iter().filter(|bad| is(bad.probe, bad.class)).map(|checks| checks.count).sum();
        (2 * such > all).then_some((such, all))
    }

    fn same_component(&self, components: &BTreeSet<ComponentId>) -> Option<ComponentId> {
        let shared = self.marks.components.intersection(components).next().cloned();
        let most = self.bad.is_empty() || self.most(|probe, _| components.contains(&probe.component)).is_some();
        shared.filter(|_| most)
    }

    /// Whether most failed as most of the incident's did.
    fn same_class(&self, finding: &Finding, marks: &Marks) -> bool {
        let fits = |class: Option<FailureClass>| match (class, finding.failure) {
            (Some(class), Some(main)) => class == main,
            (Some(class), None) => marks.classes.contains(&class),
            // Slow ones, say.
            (None, _) => marks.classes.is_empty(),
        };
        match self.bad.is_empty() {
            false => self.most(|_, class| fits(class)).is_some(),
            true if self.marks.classes.is_empty() => fits(None),
            true => self.marks.classes.iter().any(|class| fits(Some(*class))),
        }
    }

    /// The incident's factor, if most bear it. That a component or a probe fails says nothing more of a factor.
    fn same_factor<'f>(&self, finding: &'f Finding) -> Option<&'f Factor> {
        let factor = finding.factor.as_ref()?;
        let tells = !["component", "probe", "kind"].contains(&factor.label.as_str());
        let bears = match self.bad.is_empty() {
            false => self.most(|probe, _| factor.bears(probe)).is_some(),
            true => self
                .marks
                .cohorts
                .iter()
                .any(|(label, value)| *label == factor.label && factor.values.contains(value)),
        };
        Some(factor).filter(|_| tells && bears)
    }

    /// A breach that is of no component, a certificate's say.
    fn stands_by_itself(&self) -> bool {
        stands_by_itself(self.marks)
    }
}

fn stands_by_itself(marks: &Marks) -> bool {
    marks.components.is_empty()
}

/// What both share.
fn shared(a: &Marks, b: &Marks) -> bool {
    !a.components.is_disjoint(&b.components)
        || !a.cohorts.is_disjoint(&b.cohorts)
        || !a.classes.is_disjoint(&b.classes)
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
