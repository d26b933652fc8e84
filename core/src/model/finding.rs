//! Findings: what the checks of an incident have in common.

use std::collections::BTreeSet;
use std::time::Duration;

use super::id::{ComponentId, LabelName, LabelValue, ProbeId};
use super::outcome::FailureClass;
use super::place::Place;
use super::probe::Probe;
use super::unit::Timestamp;

/// What the checks of an incident show, as of one moment.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Finding {
    /// Bad checks since the incident's first one, over everything that its rules watch.
    pub bad: u32,
    /// Of so many that looked.
    pub looked: u32,
    /// What separates the bad checks from the others, if anything does.
    pub factor: Option<Factor>,
    /// How most of the bad checks failed.
    pub failure: Option<FailureClass>,
    /// The protocol's status number, when all those failures had the same one.
    pub status: Option<u16>,
    /// The components that are hit.
    pub components: BTreeSet<ComponentId>,
    /// One of the failures, to begin looking at.
    pub example: Option<Example>,
    /// Of an incident of our own: what Tripline could not see.
    pub unseen: Option<Unseen>,
    /// What it did to each component since it last came back ...
    pub parts: Vec<Part>,
    /// ... and before that.
    pub earlier: Vec<Part>,
    /// What is wrong where no check fails by it: `Slow answers`, or which certificate expires when.
    pub what: Option<String>,
}

/// What an incident did to one component.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Part {
    /// The component.
    pub component: ComponentId,
    /// Its bad checks.
    pub bad: u32,
    /// Of so many that looked, from the first bad one of a probe to its last.
    pub looked: u32,
    /// When the first bad one ended.
    pub first: Timestamp,
    /// When the last one ended.
    pub last: Timestamp,
    /// Whether it still failed at that moment.
    pub fails: bool,
}

impl Part {
    /// The wall clock was set back by so much: its times are by the clock as it goes now.
    pub fn set_back(&mut self, by: Duration) {
        (self.first, self.last) = (self.first - by, self.last - by);
    }

    /// Adds what it did to the same component later.
    fn absorb(&mut self, later: &Self) {
        self.bad = self.bad.saturating_add(later.bad);
        self.looked = self.looked.saturating_add(later.looked);
        (self.first, self.last) = (self.first.min(later.first), self.last.max(later.last));
        self.fails = later.fails;
    }
}

/// Without a factor, fewer bad checks than one in so many are no outage of the components on which they happen to be.
const DIFFUSE: u64 = 5;

impl Finding {
    /// The components that have recovered while others fail.
    #[must_use]
    pub fn recovered(&self) -> BTreeSet<&ComponentId> {
        if !self.parts.iter().any(|part| part.fails) {
            return BTreeSet::new();
        }
        let failing = |id: &ComponentId| self.parts.iter().any(|part| part.fails && part.component == *id);
        let parts = self.parts.iter().chain(&self.earlier);
        parts.filter(|part| !failing(&part.component)).map(|part| &part.component).collect()
    }

    /// What it did to each component in all, in the order of their first bad checks.
    #[must_use]
    pub fn account(&self) -> Vec<Part> {
        let mut all: Vec<Part> = self.earlier.clone();
        for part in &self.parts {
            match all.iter_mut().find(|other| other.component == part.component) {
                Some(other) => other.absorb(part),
                None => all.push(part.clone()),
            }
        }
        all.sort_by_key(|part| part.first);
        all
    }

    /// Whether a few checks fail everywhere: then each component's turn comes by chance.
    #[must_use]
    pub fn is_diffuse(&self) -> bool {
        self.factor.is_none() && u64::from(self.bad) * DIFFUSE < u64::from(self.looked)
    }
}

/// What Tripline could not see, because its own network was cut off.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unseen {
    /// Since when nothing is known.
    pub since: Timestamp,
    /// Until when; `None` while it goes on.
    pub until: Option<Timestamp>,
    /// Checks that reached nothing, ...
    pub checks: u32,
    /// ... at so many hosts.
    pub hosts: u32,
    /// How many canaries there are, none of which could be reached.
    pub canaries: u32,
}

/// The label, and those of its values, that separate the failing checks from the others.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Factor {
    /// The label; `component`, `probe`, `host` and `kind` are labels that every probe has.
    pub label: LabelName,
    /// Its values that are hit: some, never all of them.
    pub values: BTreeSet<LabelValue>,
    /// Another label whose value the bad checks have as well, when both together separate better than one alone.
    pub and: Option<(LabelName, LabelValue)>,
    /// Bad checks that bear the factor.
    pub bad: u32,
    /// Of so many.
    pub looked: u32,
    /// Bad checks that do not.
    pub bad_elsewhere: u32,
    /// Of so many.
    pub looked_elsewhere: u32,
}

impl Factor {
    /// Whether the checks of this probe bear the factor. Where a check went from and to (`location`, `address`, `ip`) is
    /// not the probe's: of such a label any probe may bear it.
    #[must_use]
    pub fn bears(&self, probe: &Probe) -> bool {
        let is = |label: &LabelName, fits: &dyn Fn(&LabelValue) -> bool| match probe.label(label) {
            Some(value) => fits(&value),
            None => Place::LABELS.contains(&label.as_str()),
        };
        is(&self.label, &|value| self.values.contains(value))
            && self.and.as_ref().is_none_or(|(label, wanted)| is(label, &|value| value == wanted))
    }
}

/// One failed check of an incident.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Example {
    /// The probe that asked.
    pub probe: ProbeId,
    /// When the check ended.
    pub at: Timestamp,
    /// What was asked: `GET https://forge.example/globex/`.
    pub request: String,
    /// What was wrong: `expected status == 200, status was 404`.
    pub fault: String,
}
