//! Writing one request inside the writer's transaction. Whoever calls undoes everything when a part fails.

mod incident;
mod outbox;
mod result;

use rusqlite::Connection;

pub(super) use outbox::store_attempt;

use super::action;
use super::commit::Commit;
use super::error::StoreError;
use super::names::Keys;

/// Writes one commit.
pub(super) fn store(connection: &Connection, keys: &mut Keys, commit: &Commit) -> Result<(), StoreError> {
    for judged in &commit.results {
        result::store_result(connection, keys, judged)?;
    }
    for incident in &commit.incidents {
        incident::store_incident(connection, incident)?;
    }
    for event in &commit.events {
        incident::store_event(connection, event)?;
    }
    for owed in &commit.notifications {
        outbox::store_notification(connection, owed)?;
    }
    for done in &commit.actions_done {
        action::store_done(connection, done)?;
    }
    Ok(())
}
