//! What is owed to whom, and what became of it.

#[cfg(test)]
mod tests;

use rusqlite::{Row, params};

use super::Reader;
use crate::model::{Destination, IncidentId, Message, NotificationId, NotificationKind, ReceiverId, Timestamp};
use crate::store::commit::{Attempt, AttemptOutcome, DeliveryId, FailedBecause};
use crate::store::error::StoreError;
use crate::store::row;

/// A delivery whose time has come.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DueDelivery {
    /// Which delivery.
    pub id: DeliveryId,
    /// Of which notification.
    pub notification: NotificationId,
    /// The incident that it tells of.
    pub incident: IncidentId,
    /// To whom.
    pub receiver: ReceiverId,
    /// Where to.
    pub to: Destination,
    /// What is delivered.
    pub message: Message,
    /// Since when it is owed.
    pub owed: Timestamp,
    /// How many attempts were made.
    pub attempts: u32,
}

/// A delivery and what became of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Delivery {
    /// Which delivery.
    pub id: DeliveryId,
    /// Of which notification.
    pub notification: NotificationId,
    /// To whom.
    pub receiver: ReceiverId,
    /// What kind of news.
    pub kind: NotificationKind,
    /// Why it was owed.
    pub reason: String,
    /// Since when it was owed.
    pub owed: Timestamp,
    /// What it says, in one line.
    pub title: String,
    /// Where to.
    pub to: Destination,
    /// Where it stands.
    pub state: DeliveryState,
    /// The attempts, in their order.
    pub attempts: Vec<Attempt>,
}

/// Where a delivery stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DeliveryState {
    /// It is owed; the next attempt is due then.
    Pending(Timestamp),
    /// It was taken.
    Delivered,
    /// It was not, and no other attempt is made.
    Failed(FailedBecause),
}

impl Delivery {
    /// What went wrong at the last attempt, if the delivery has failed.
    #[must_use]
    pub fn fault(&self) -> Option<&str> {
        let DeliveryState::Failed(_) = self.state else { return None };
        self.attempts.last().map(|attempt| attempt.outcome.text())
    }
}

/// Each receiver that is owed something is found by a step of its own through the index, and so are the first of its
/// deliveries: however much is owed, no more rows are looked at than are given.
const DUE: &str = "
    WITH RECURSIVE owing (receiver) AS (
        SELECT min(receiver) FROM delivery WHERE state = 0 AND behind IS NULL
        UNION ALL
        SELECT (SELECT min(receiver) FROM delivery WHERE state = 0 AND behind IS NULL AND receiver > owing.receiver)
        FROM owing WHERE owing.receiver IS NOT NULL
    )
    SELECT n.id, n.receiver, n.owed, n.form, n.subject, n.text, n.html, n.message_id, n.thread,
        d.id, d.name, d.address, d.attempts, n.incident
    FROM owing CROSS JOIN delivery d ON d.id IN (
        SELECT id FROM delivery
        WHERE receiver = owing.receiver AND state = 0 AND behind IS NULL AND next_at <= ?1
        ORDER BY next_at, id LIMIT ?2
    ) JOIN notification n ON n.id = d.notification
    ORDER BY d.next_at, d.id";

impl Reader {
    /// Deliveries that are owed and due, longest due first, at most `each` of every receiver: one that is slow
    /// to answer does not hide the others.
    ///
    /// What is owed to a destination because of one incident is due in the order in which it became owed: a message waits
    /// until the one before it was delivered or failed. So nobody reads of an end before the beginning.
    ///
    /// # Errors
    /// When a row cannot be read.
    pub fn due_deliveries(&self, now: Timestamp, each: u32) -> Result<Vec<DueDelivery>, StoreError> {
        let mut statement = self.connection.prepare_cached(DUE)?;
        let mut rows = statement.query(params![now.as_millis(), each])?;
        let mut due = Vec::new();
        while let Some(row) = rows.next()? {
            due.push(DueDelivery {
                id: DeliveryId(row.get(9)?),
                notification: NotificationId::from_bytes(row::id_bytes(&row.get::<_, Vec<u8>>(0)?)?),
                incident: IncidentId::from_bytes(row::id_bytes(&row.get::<_, Vec<u8>>(13)?)?),
                receiver: row.get::<_, String>(1)?.into(),
                to: Destination { name: row.get(10)?, address: row.get(11)? },
                message: message_of(row)?,
                owed: Timestamp::from_millis(row.get(2)?),
                attempts: row.get(12)?,
            });
        }
        Ok(due)
    }

    /// When the next delivery that is not due yet, and waits for no other, will be; `None` when no such one is owed.
    ///
    /// # Errors
    /// When the row cannot be read.
    pub fn next_delivery_after(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let next: Option<i64> = self
            .connection
            .prepare_cached("SELECT min(next_at) FROM delivery WHERE state = 0 AND behind IS NULL AND next_at > ?1")?
            .query_row([now.as_millis()], |row| row.get(0))?;
        Ok(next.map(Timestamp::from_millis))
    }

    /// Everything that was owed because of an incident, in the order in which it became owed, with all attempts.
    ///
    /// # Errors
    /// When a row cannot be read.
    pub fn deliveries_of(&self, incident: IncidentId) -> Result<Vec<Delivery>, StoreError> {
        let _snapshot = self.connection.unchecked_transaction()?;
        let mut statement = self.connection.prepare_cached(
            "SELECT d.id, n.id, n.receiver, n.kind, n.reason, n.owed, n.subject, d.name, d.address, d.state, d.next_at
             FROM notification n JOIN delivery d ON d.notification = n.id WHERE n.incident = ?1 ORDER BY n.owed, d.id",
        )?;
        let mut rows = statement.query([incident.as_bytes()])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let id = DeliveryId(row.get(0)?);
            found.push(Delivery {
                id,
                notification: NotificationId::from_bytes(row::id_bytes(&row.get::<_, Vec<u8>>(1)?)?),
                receiver: row.get::<_, String>(2)?.into(),
                kind: row::kind_of_code(row.get(3)?)?,
                reason: row.get(4)?,
                owed: Timestamp::from_millis(row.get(5)?),
                title: row.get(6)?,
                to: Destination { name: row.get(7)?, address: row.get(8)? },
                state: match row.get(9)? {
                    0 => DeliveryState::Pending(Timestamp::from_millis(row.get(10)?)),
                    1 => DeliveryState::Delivered,
                    2 => DeliveryState::Failed(FailedBecause::Refused),
                    3 => DeliveryState::Failed(FailedBecause::GivenUp),
                    code => return Err(unknown_code("the state of a delivery", code)),
                },
                attempts: self.attempts_of(id)?,
            });
        }
        Ok(found)
    }

    fn attempts_of(&self, delivery: DeliveryId) -> Result<Vec<Attempt>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT at, outcome, text, next_at FROM attempt WHERE delivery = ?1 ORDER BY number")?;
        let mut rows = statement.query([delivery.0])?;
        let mut attempts = Vec::new();
        while let Some(row) = rows.next()? {
            let text = row.get(2)?;
            let outcome = match row.get(1)? {
                0 => AttemptOutcome::Retry(text, Timestamp::from_millis(row.get(3)?)),
                1 => AttemptOutcome::Delivered(text),
                2 => AttemptOutcome::Failed(FailedBecause::Refused, text),
                3 => AttemptOutcome::Failed(FailedBecause::GivenUp, text),
                code => return Err(unknown_code("the outcome of an attempt", code)),
            };
            attempts.push(Attempt { at: Timestamp::from_millis(row.get(0)?), outcome });
        }
        Ok(attempts)
    }
}

fn unknown_code(what: &str, code: i64) -> StoreError {
    StoreError::unreadable(what, format!("its code is {code}"))
}

/// Reads the message of a due delivery.
fn message_of(row: &Row<'_>) -> Result<Message, StoreError> {
    let columns = row::MessageRow {
        form: row.get(3)?,
        subject: row.get(4)?,
        text: row.get(5)?,
        html: row.get(6)?,
        message_id: row.get(7)?,
        thread: row.get(8)?,
    };
    columns.try_into()
}
