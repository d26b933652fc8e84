//! Incidents: breaches that belong together, what they have in common, and what happened to them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::id::{BreachId, ComponentId, IncidentId, LabelName, LabelValue, ProbeId, ReceiverId, RuleId};
use super::notification::NotificationKind;
use super::outcome::FailureClass;
use super::place::Place;
use super::probe::{Labels, Probe, show_labels};
use super::rule::OFFLINE;
use super::unit::Timestamp;

/// How grave, in the impact words of Statuspage.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Severity {
    /// A nuisance.
    Minor,
    /// Many customers, or a few entirely.
    Major,
    /// The service is down.
    Critical,
}

impl Severity {
    /// All severities, in the order of their codes and of their gravity.
    pub const ALL: [Self; 3] = [Self::Minor, Self::Major, Self::Critical];

    /// The name in configs and APIs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Minor => "minor",
            Self::Major => "major",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The part of a rule's checks that was judged by itself. With neither labels nor a probe: all of them.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Slice {
    /// The checks of probes with all of these labels.
    pub labels: Labels,
    /// The checks of this probe only.
    pub probe: Option<ProbeId>,
}

impl Slice {
    /// Whether the checks of this probe are part of it, if the rule watches the probe at all.
    #[must_use]
    pub fn covers(&self, probe: &Probe) -> bool {
        self.probe.as_ref().is_none_or(|id| *id == probe.id)
            && self.labels.iter().all(|(name, value)| probe.label(name).as_ref() == Some(value))
    }
}

impl fmt::Display for Slice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.probe {
            Some(probe) => write!(f, "{probe}"),
            None if self.labels.is_empty() => f.write_str("all checks"),
            None => f.write_str(&show_labels(&self.labels)),
        }
    }
}

/// A rule, for one slice, crossed its threshold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Breach {
    /// Derived from the rule, the slice and the first bad check.
    pub id: BreachId,
    /// The rule.
    pub rule: RuleId,
    /// The slice.
    pub slice: Slice,
    /// How grave the rule says it is.
    pub severity: Severity,
    /// When the first of the bad checks ended.
    pub since: Timestamp,
    /// When the threshold was crossed.
    pub found: Timestamp,
    /// Why, with the numbers: `12 of 12 checks failed in 14s; the rule allows 5% and 2 bad checks`.
    pub reason: String,
    /// What the bad checks bear, those of the largest outage among them: by these, breaches are known to belong
    /// together. A rule leaves them empty where the checks that it looked at say it.
    pub marks: Marks,
    /// When it was over.
    pub cleared: Option<Timestamp>,
}

/// What failing checks bear: by these, breaches are known to belong together.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Marks {
    /// Their components.
    pub components: BTreeSet<ComponentId>,
    /// Their cohort labels.
    pub cohorts: BTreeSet<(LabelName, LabelValue)>,
    /// How they failed.
    pub classes: BTreeSet<FailureClass>,
}

impl Marks {
    /// Adds those of one bad check. Only labels that name customers count, those under `cohorts`.
    pub fn add<V>(&mut self, probe: &Probe, class: Option<FailureClass>, cohorts: &BTreeMap<LabelName, V>) {
        self.components.insert(probe.component.clone());
        self.classes.extend(class);
        let labels = probe.labels.iter().filter(|(name, _)| cohorts.contains_key(name));
        self.cohorts.extend(labels.map(|(name, value)| (name.clone(), value.clone())));
    }

    /// Adds all of another.
    pub fn absorb(&mut self, other: Self) {
        self.components.extend(other.components);
        self.cohorts.extend(other.cohorts);
        self.classes.extend(other.classes);
    }
}

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

/// Where an incident stands, in the words of Statuspage.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum IncidentState {
    /// It is open; the cause is not known.
    Investigating,
    /// The cause is known.
    Identified,
    /// It is mended; people watch whether it stays so.
    Monitoring,
    /// It is over.
    Resolved,
}

impl IncidentState {
    /// All states, in the order of their codes.
    pub const ALL: [Self; 4] = [Self::Investigating, Self::Identified, Self::Monitoring, Self::Resolved];

    /// The name in APIs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Investigating => "investigating",
            Self::Identified => "identified",
            Self::Monitoring => "monitoring",
            Self::Resolved => "resolved",
        }
    }
}

impl fmt::Display for IncidentState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Breaches that belong together. It is what its events, applied in their order, make of it.
#[derive(Clone, PartialEq, Debug)]
pub struct Incident {
    /// Derived from the breach that opened it.
    pub id: IncidentId,
    /// Where it stands.
    pub state: IncidentState,
    /// The gravest that it ever was while open.
    pub severity: Severity,
    /// When the first bad check ended.
    pub since: Timestamp,
    /// When it was opened.
    pub opened: Timestamp,
    /// When it was over.
    pub resolved: Option<Timestamp>,
    /// Its breaches, in the order in which they came.
    pub breaches: Vec<Breach>,
    /// What its checks show, as of the last event that said so.
    pub finding: Finding,
    /// Who took it on, and when.
    pub acknowledged: Option<(String, Timestamp)>,
    /// When it last became worse for customers after it was opened, and how.
    pub worsened: Option<(Timestamp, String)>,
    /// How often it came back after it had been well.
    pub flaps: u32,
    /// Until when it is watched whether it stays well, after all its breaches were over.
    pub watched_until: Option<Timestamp>,
    /// Who was told, and what last.
    pub told: BTreeMap<ReceiverId, Told>,
    /// The number of its next event.
    pub next_event: u32,
}

/// What a receiver was told last.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Told {
    /// When.
    pub at: Timestamp,
    /// What kind of news.
    pub kind: NotificationKind,
    /// How grave the incident was then.
    pub severity: Severity,
}

impl Incident {
    /// Whether it is not yet resolved.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.state != IncidentState::Resolved
    }

    /// Whether it says that Tripline itself could not see, and nothing of the service.
    #[must_use]
    pub fn is_our_own(&self) -> bool {
        self.breaches.iter().all(|breach| breach.rule.as_str() == OFFLINE)
    }

    /// Whether one of its breaches is not over.
    #[must_use]
    pub fn is_failing(&self) -> bool {
        self.breaches.iter().any(|breach| breach.cleared.is_none())
    }
}
