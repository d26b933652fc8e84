//! Incidents: breaches that belong together, what they have in common, and what happened to them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::id::{
    BreachId, ComponentId, IncidentId, LabelName, LabelValue, NotificationId, ProbeId, ReceiverId, RuleId,
};
use super::notification::NotificationKind;
use super::outcome::FailureClass;
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
    /// What the bad checks bear: by these, breaches are known to belong together.
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
    /// Bad checks with one of these values.
    pub bad: u32,
    /// Of so many.
    pub looked: u32,
    /// Bad checks with another value.
    pub bad_elsewhere: u32,
    /// Of so many.
    pub looked_elsewhere: u32,
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
}

/// Something that happened to an incident.
#[derive(Clone, PartialEq, Debug)]
pub struct IncidentEvent {
    /// Which incident.
    pub incident: IncidentId,
    /// Its number within the incident, from 0.
    pub seq: u32,
    /// When.
    pub at: Timestamp,
    /// What.
    pub change: IncidentChange,
}

/// What can happen to an incident.
#[derive(Clone, PartialEq, Debug)]
pub enum IncidentChange {
    /// A breach that belongs to no open incident opened it.
    Opened {
        /// The breach.
        breach: Breach,
        /// What its checks show.
        finding: Finding,
    },
    /// Another breach belongs to it.
    Joined {
        /// The breach.
        breach: Breach,
        /// Why it belongs here: `shares component api`.
        reason: String,
    },
    /// One of its breaches is over.
    Cleared {
        /// Which.
        breach: BreachId,
        /// Why, with the numbers.
        reason: String,
    },
    /// Its checks show something else than before: it has spread, or another cause stands out.
    Assessed {
        /// What they show now.
        finding: Finding,
        /// What is new: `also on API`.
        reason: String,
        /// Whether that makes it worse for customers.
        worse: bool,
    },
    /// Somebody took it on.
    Acknowledged {
        /// Who.
        by: String,
    },
    /// Somebody wrote something down.
    Noted {
        /// Who.
        by: String,
        /// What.
        text: String,
    },
    /// It is over.
    Resolved {
        /// Who said so; nobody when its breaches cleared.
        by: Option<String>,
        /// Why, with the numbers.
        reason: String,
        /// What its checks showed in the end.
        finding: Finding,
    },
    /// A message became owed.
    Told {
        /// Which.
        notification: NotificationId,
        /// To whom.
        receiver: ReceiverId,
        /// What kind of news.
        kind: NotificationKind,
        /// Why.
        reason: String,
    },
}

/// As a timeline shows it, in one line.
impl fmt::Display for IncidentChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Opened { breach, .. } => {
                write!(f, "opened: rule {} for {}: {}", breach.rule, breach.slice, breach.reason)
            }
            Self::Joined { breach, reason } => {
                write!(f, "joined by rule {} for {} ({reason}): {}", breach.rule, breach.slice, breach.reason)
            }
            Self::Cleared { reason, .. } => write!(f, "a breach is over: {reason}"),
            Self::Assessed { reason, worse, .. } => {
                write!(f, "{}: {reason}", if *worse { "worse" } else { "looked at again" })
            }
            Self::Acknowledged { by } => write!(f, "taken on by {by}"),
            Self::Noted { by, text } => write!(f, "{by} notes: {text}"),
            Self::Resolved { by: Some(by), reason, .. } => write!(f, "resolved by {by}: {reason}"),
            Self::Resolved { by: None, reason, .. } => write!(f, "resolved: {reason}"),
            Self::Told { receiver, kind, reason, .. } => {
                write!(f, "told {receiver}: {}, because {reason}", kind.as_str())
            }
        }
    }
}
