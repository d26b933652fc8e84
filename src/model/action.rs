//! Actions: what an operator does to an incident.

use super::id::IncidentId;

/// The number under which an action waits to be carried out.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ActionId(pub i64);

/// What an operator asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Action {
    /// The incident.
    pub incident: IncidentId,
    /// Who asks.
    pub by: String,
    /// What is asked.
    pub what: ActionKind,
}

/// What an operator can do to an incident.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ActionKind {
    /// Take it on: reminders stop.
    Acknowledge,
    /// Write something down.
    Note(String),
    /// Declare it over. What still fails opens another only after it was well in between.
    Resolve,
}
