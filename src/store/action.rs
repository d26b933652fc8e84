//! What operators ask of the daemon, by way of a table: the command line is another process.

use std::path::Path;

use rusqlite::{Connection, params};

use super::error::StoreError;
use super::open;
use super::row;
use crate::model::{Action, ActionId, IncidentId, Timestamp};

/// An action that waits for the daemon.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PendingAction {
    /// Its number.
    pub id: ActionId,
    /// What is asked.
    pub action: Action,
}

/// What the daemon answers to an action, stored together with what it did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ActionDone {
    /// Which action.
    pub id: ActionId,
    /// When it was done.
    pub at: Timestamp,
    /// What came of it, in one sentence: `acknowledged`, `it is resolved already`.
    pub answer: String,
}

/// Leaves an action for the daemon, through a short-lived connection, and returns when it is durable.
///
/// Blocks; waits up to five seconds for the daemon's own writing. See [`super::Reader::answer_to`] for the answer.
///
/// # Errors
/// When there is no such database or incident, or it cannot be written.
pub fn request_action(path: &Path, action: &Action) -> Result<ActionId, StoreError> {
    let connection = open::for_request(path)?;
    for incident in [action.incident].iter().chain(&action.other) {
        let known: bool = connection.query_row(
            "SELECT EXISTS (SELECT 1 FROM incident WHERE id = ?1)",
            [incident.as_bytes()],
            |row| row.get(0),
        )?;
        if !known {
            return Err(StoreError::Conflict(format!("there is no incident {incident}")));
        }
    }
    connection.execute(
        "INSERT INTO action (at, incident, kind, by, text, other, parts) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            action.at.as_millis(),
            action.incident.as_bytes(),
            row::action_code(action.kind),
            action.by,
            action.text,
            action.other.as_ref().map(IncidentId::as_bytes),
            row::parts_json(&action.parts)?
        ],
    )?;
    Ok(ActionId(connection.last_insert_rowid()))
}

/// Marks an action as done; once is enough.
pub(super) fn store_done(connection: &Connection, done: &ActionDone) -> Result<(), StoreError> {
    connection
        .prepare_cached("UPDATE action SET done_at = ?2, answer = ?3 WHERE id = ?1 AND done_at IS NULL")?
        .execute(params![done.id.0, done.at.as_millis(), done.answer])?;
    Ok(())
}
