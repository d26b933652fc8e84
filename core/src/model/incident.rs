//! Incidents: breaches that belong together, and where they stand.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use super::breach::Breach;
use super::corrected::Corrected;
use super::event::WithheldFor;
use super::finding::Finding;
use super::id::{IncidentId, NotificationId, ReceiverId};
use super::named::Named;
use super::notification::NotificationKind;
use super::rule::OFFLINE;
use super::severity::Severity;
use super::unit::Timestamp;

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
    /// Its breaches, in the order in which they came. Shared: what has thousands of them is given out at each of its events.
    pub breaches: Vec<Arc<Breach>>,
    /// The place, in that order, of the one with which it last came back; of the first if it never did.
    pub stretch: usize,
    /// What its checks show, as of the last event that said so.
    pub finding: Finding,
    /// Who took it on, and when.
    pub acknowledged: Option<(String, Timestamp)>,
    /// How often it came back after it had been well.
    pub flaps: u32,
    /// Why nothing watches it any more, if it ended because the config changed. Then nobody knows whether it goes on.
    pub unwatched: Option<String>,
    /// Until when it is watched whether it stays well, after all its breaches were over.
    pub watched_until: Option<Timestamp>,
    /// Who was told, and what last.
    pub told: BTreeMap<ReceiverId, Told>,
    /// What has kept news back from whom since the last message to them; from nobody: from everyone.
    pub withheld: BTreeMap<Option<ReceiverId>, BTreeSet<WithheldFor>>,
    /// Other outages at about the same time, and what they are.
    pub see_also: BTreeMap<IncidentId, String>,
    /// What people corrected.
    pub corrected: Corrected,
    /// The number of its next event.
    pub next_event: u32,
}

/// What a receiver was told last.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Told {
    /// When.
    pub at: Timestamp,
    /// What kind of news.
    pub kind: NotificationKind,
    /// How grave the incident was then.
    pub severity: Severity,
    /// What all the messages about this incident named.
    pub heard: Vec<Named>,
    /// That something was found since the last one, which they may not have named.
    pub unheard: Option<Unheard>,
    /// How many messages they were owed.
    pub messages: u32,
    /// By address, the messages that did not reach it, and what the other side said of the last.
    pub undelivered: BTreeMap<String, (BTreeSet<NotificationId>, String)>,
    /// When they were last told that it had spread, or reached farther.
    pub spread: Option<Timestamp>,
    /// The incident of which they were told, that was merged into this one since.
    pub merged: Option<IncidentId>,
    /// The id under which the receiver was first told of it, if it has another one now: threads of mails go on.
    pub first_as: Option<ReceiverId>,
}

/// Something was found after a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unheard {
    /// Since when.
    pub since: Timestamp,
    /// Whether it became worse by it; else it is how far it reached from its start.
    pub worse: bool,
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

    /// Whether it is open, and not watched after its recovery.
    #[must_use]
    pub fn is_failing(&self) -> bool {
        self.is_open() && self.watched_until.is_none()
    }

    /// Whether it was resolved by a person while its checks failed.
    #[must_use]
    pub fn still_fails(&self) -> bool {
        let parts = &self.finding.parts;
        let fails = if parts.is_empty() { self.has_breach() } else { parts.iter().any(|part| part.fails) };
        let is_told = self.unwatched.is_none() && self.corrected.false_alarm.is_none();
        !self.is_open() && is_told && self.corrected.merged_into.is_none() && !self.is_our_own() && fails
    }

    /// Whether one of its breaches is not over. It may be so after a person resolved it.
    #[must_use]
    pub fn has_breach(&self) -> bool {
        self.breaches.iter().any(|breach| breach.cleared.is_none())
    }

    /// When the first bad check ended since it last came back.
    #[must_use]
    pub fn failing_since(&self) -> Timestamp {
        match self.stretch {
            0 => self.since,
            _ => self.last_stretch().iter().map(|breach| breach.since).min().unwrap_or(self.since),
        }
    }

    /// The breach that was found first.
    #[must_use]
    pub fn first_found(&self) -> Option<&Breach> {
        self.breaches.iter().map(Arc::as_ref).min_by_key(|breach| breach.found)
    }

    /// When it was detected: when the first of its breaches was found. What was split from another was opened later, and what
    /// another was merged into may have been found later.
    #[must_use]
    pub fn detected(&self) -> Timestamp {
        self.first_found().map_or(self.opened, |breach| breach.found)
    }

    /// The breaches since it last came back: all of them if it never did.
    #[must_use]
    pub fn last_stretch(&self) -> &[Arc<Breach>] {
        self.breaches.get(self.stretch..).unwrap_or_default()
    }
}
