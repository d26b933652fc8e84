//! Actions: what an operator does to an incident.

use std::collections::BTreeSet;

use super::id::IncidentId;
use super::unit::Timestamp;

/// The number under which an action waits to be carried out.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ActionId(pub i64);

/// What an operator asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Action {
    /// When it was asked.
    pub at: Timestamp,
    /// Which incident.
    pub incident: IncidentId,
    /// What is to be done.
    pub kind: ActionKind,
    /// Who asks.
    pub by: String,
    /// What to write down: the note, the cause, what was mended, or why it is so. Empty when there is nothing to say.
    pub text: String,
    /// The incident that is to be merged into that one.
    pub other: Option<IncidentId>,
    /// What is to be split from it: names of components and rules.
    pub parts: BTreeSet<String>,
}

/// What an operator can ask for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ActionKind {
    /// Take the incident on: reminders stop.
    Acknowledge,
    /// Write something down.
    Note,
    /// Say what the cause is: it is `identified`.
    Identify,
    /// Say that it is mended and watched: it is `monitoring`. It ends by itself, when what failed is well.
    Watch,
    /// Declare it over. What still fails opens another only after it was well in between.
    Resolve,
    /// Make another incident part of it.
    Merge,
    /// Take the breaches of some components or rules out of it: they are another incident.
    Split,
    /// Say that nothing was wrong. It is over, if it was not.
    FalseAlarm,
}

impl ActionKind {
    /// Whether it may be asked of an incident that is over.
    #[must_use]
    pub fn may_come_late(self) -> bool {
        self == Self::FalseAlarm
    }
}
