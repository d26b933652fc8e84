//! What is owed, and what became of each attempt.

use rusqlite::{Connection, OptionalExtension, params};

use crate::model::Notification;
use crate::store::commit::{Attempt, AttemptOutcome, DeliveryId, FailedBecause};
use crate::store::error::StoreError;
use crate::store::row;

pub(super) fn store_notification(connection: &Connection, notification: &Notification) -> Result<(), StoreError> {
    let message = row::MessageRow::from(&notification.message);
    connection
        .prepare_cached(
            "INSERT INTO notification (id, incident, receiver, kind, reason, owed, form, subject, text, html, message_id, thread)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) ON CONFLICT (id) DO NOTHING",
        )?
        .execute(params![
            notification.id.as_bytes(),
            notification.incident.as_bytes(),
            notification.receiver.as_str(),
            row::kind_code(notification.kind),
            notification.reason,
            notification.owed.as_millis(),
            message.form,
            message.subject,
            message.text,
            message.html,
            message.message_id,
            message.thread,
        ])?;
    let mut statement = connection.prepare_cached(
        "INSERT INTO delivery (notification, name, address, state, attempts, next_at, receiver, behind)
         VALUES (?1, ?2, ?3, 0, 0, ?4, ?5, (
             SELECT max(earlier.id) FROM notification AS before JOIN delivery AS earlier ON earlier.notification = before.id
             WHERE before.incident = ?6 AND before.receiver = ?5 AND earlier.address = ?3 AND earlier.state = 0
         )) ON CONFLICT (notification, address) DO NOTHING",
    )?;
    for to in &notification.destinations {
        statement.execute(params![
            notification.id.as_bytes(),
            to.name,
            to.address,
            notification.owed.as_millis(),
            notification.receiver.as_str(),
            notification.incident.as_bytes(),
        ])?;
    }
    Ok(())
}

/// Writes one attempt and what follows from it for the delivery, and for the one that waits behind it: whatever
/// became of this one, delivered or failed, it holds up nothing any more.
pub(in crate::store) fn store_attempt(
    connection: &Connection,
    delivery: DeliveryId,
    attempt: &Attempt,
) -> Result<(), StoreError> {
    let (code, text, next_at) = match &attempt.outcome {
        AttemptOutcome::Retry(text, next_at) => (0, text, Some(next_at.as_millis())),
        AttemptOutcome::Delivered(text) => (1, text, None),
        AttemptOutcome::Failed(FailedBecause::Refused, text) => (2, text, None),
        AttemptOutcome::Failed(FailedBecause::GivenUp, text) => (3, text, None),
    };
    let number: Option<i64> = connection
        .prepare_cached(
            "UPDATE delivery SET state = ?2, attempts = attempts + 1, next_at = coalesce(?3, next_at)
             WHERE id = ?1 AND state = 0 RETURNING attempts",
        )?
        .query_row(params![delivery.0, code, next_at], |row| row.get(0))
        .optional()?;
    let Some(number) = number else {
        return Err(StoreError::Conflict(format!("delivery {delivery} is not owed")));
    };
    connection
        .prepare_cached(
            "INSERT INTO attempt (delivery, number, at, outcome, text, next_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![delivery.0, number, attempt.at.as_millis(), code, text, next_at])?;
    if next_at.is_none() {
        connection
            .prepare_cached("UPDATE delivery SET behind = NULL WHERE behind = ?1")?
            .execute(params![delivery.0])?;
    }
    Ok(())
}
