//! Reading: connections of their own that cannot write, so that no question holds up the writer.

mod calls;
mod failures;
mod incidents;
mod outbox;

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Row};

pub use failures::FailureQuery;
pub use incidents::IncidentSummary;
pub use outbox::{Delivery, DeliveryState, DueDelivery};

use super::action::PendingAction;
use super::error::StoreError;
use super::names::Names;
use super::{open, row};
use crate::model::{Action, ActionId, CheckResult, IncidentId, Judged, Phases, Timestamp};

/// A way to read. Each question sees what was committed when it was asked. Questions block; none is long but
/// [`Reader::results_since`].
#[derive(Debug)]
pub struct Reader {
    connection: Connection,
}

/// The columns that [`result_of`] reads, in its order.
const RESULT: &str = "probe, location, started, outcome, status, dns, connect, tls, first_byte, transfer, total, address, expires, \
     judged, asked";
/// The place among them of when a result was judged, which [`result_of`] leaves out.
const JUDGED: usize = 13;
/// How many they are.
const RESULT_COLUMNS: usize = 15;

impl Reader {
    /// Opens the database, which must exist and be up to date, for reading only.
    ///
    /// # Errors
    /// When there is none, it is not ours, or its version is another than ours.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Ok(Self { connection: open::for_reading(path)? })
    }

    /// Hands out every result that ended at `since` or later, in the order in which they were stored, without
    /// evidence.
    ///
    /// # Errors
    /// When a row cannot be read; those before it have been handed out.
    pub fn results_since(&self, since: Timestamp, each: impl FnMut(Judged)) -> Result<(), StoreError> {
        self.results(since, None, each)
    }

    /// Hands out every result that ended at `since` or later and was judged before `until`, as
    /// [`Reader::results_since`] does. It stops reading at the first that was judged later, so it costs no more than the
    /// time that is asked for; where the clock was set back meanwhile, ask for that much more.
    ///
    /// # Errors
    /// When a row cannot be read; those before it have been handed out.
    pub fn results_between(
        &self,
        since: Timestamp,
        until: Timestamp,
        each: impl FnMut(Judged),
    ) -> Result<(), StoreError> {
        self.results(since, Some(until), each)
    }

    fn results(
        &self,
        since: Timestamp,
        until: Option<Timestamp>,
        mut each: impl FnMut(Judged),
    ) -> Result<(), StoreError> {
        // One transaction, so that the names are at least as new as the results.
        let snapshot = self.connection.unchecked_transaction()?;
        let Some(first) = first_result_since(&snapshot, since)? else {
            return Ok(());
        };
        let names = Names::load(&snapshot)?;
        let mut statement =
            snapshot.prepare_cached(&format!("SELECT {RESULT} FROM result WHERE id >= ?1 ORDER BY id"))?;
        let mut rows = statement.query([first])?;
        let mut last = Timestamp::default();
        while let Some(row) = rows.next()? {
            let result = result_of(row, &names)?;
            let ended = result.finished();
            let at = match row.get::<_, Option<i64>>(JUDGED)? {
                Some(after) => row::judged_at(ended, after),
                // Stored before that was kept: in the order in which they stand, as if the clock had never been set back.
                None => ended.max(last),
            };
            last = at;
            if until.is_some_and(|until| at >= until) {
                break;
            }
            if ended >= since {
                each(Judged { result, at });
            }
        }
        Ok(())
    }

    /// What operators asked for and the daemon has not done, oldest first, at most `limit`.
    ///
    /// # Errors
    /// When a row cannot be read.
    pub fn pending_actions(&self, limit: u32) -> Result<Vec<PendingAction>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id, at, incident, kind, by, text, other, parts FROM action WHERE done_at IS NULL ORDER BY id LIMIT ?1",
        )?;
        let mut rows = statement.query([limit])?;
        let mut pending = Vec::new();
        while let Some(row) = rows.next()? {
            pending.push(PendingAction {
                id: ActionId(row.get(0)?),
                action: Action {
                    at: Timestamp::from_millis(row.get(1)?),
                    incident: incident_id(row, 2)?,
                    kind: row::action_of_code(row.get(3)?)?,
                    by: row.get(4)?,
                    text: row.get(5)?,
                    other: other_id(row, 6)?,
                    parts: row::parts_of_json(row.get::<_, Option<String>>(7)?.as_deref())?,
                },
            });
        }
        Ok(pending)
    }

    /// The daemon's answer to an action; `None` while it is not done.
    ///
    /// # Errors
    /// When there is no such action.
    pub fn answer_to(&self, action: ActionId) -> Result<Option<String>, StoreError> {
        self.connection
            .prepare_cached("SELECT answer FROM action WHERE id = ?1")?
            .query_row([action.0], |row| row.get(0))
            .optional()?
            .ok_or_else(|| StoreError::Conflict(format!("there is no action {}", action.0)))
    }
}

/// The least id that a result which ended at `since` or later can have.
fn first_result_since(connection: &Connection, since: Timestamp) -> Result<Option<i64>, StoreError> {
    Ok(connection
        .prepare_cached("SELECT min(first_result) FROM mark WHERE minute >= ?1")?
        .query_row([row::minute(since)], |row| row.get(0))?)
}

/// Reads the columns of [`RESULT`].
fn result_of(row: &Row<'_>, names: &Names) -> Result<CheckResult, StoreError> {
    let phase = |column: usize| -> Result<_, StoreError> {
        row.get::<_, Option<i64>>(column)?.map(row::of_micros).transpose()
    };
    let (outcome, superseded) = row::result_of_code(row.get(3)?)?;
    Ok(CheckResult {
        probe: names.probe(row.get(0)?)?,
        location: names.location(row.get(1)?)?,
        started: Timestamp::from_millis(row.get(2)?),
        outcome,
        status: row.get(4)?,
        phases: Phases {
            dns: phase(5)?,
            connect: phase(6)?,
            tls: phase(7)?,
            first_byte: phase(8)?,
            transfer: phase(9)?,
            total: row::of_micros(row.get(10)?)?,
        },
        address: row.get::<_, Option<i64>>(11)?.map(|key| names.address(key)).transpose()?,
        expires: row.get::<_, Option<i64>>(12)?.map(row::of_seconds),
        superseded,
        asked: row::asked_of_code(row.get(14)?)?,
        evidence: None,
    })
}

fn incident_id(row: &Row<'_>, column: usize) -> Result<IncidentId, StoreError> {
    Ok(IncidentId::from_bytes(row::id_bytes(&row.get::<_, Vec<u8>>(column)?)?))
}

fn other_id(row: &Row<'_>, column: usize) -> Result<Option<IncidentId>, StoreError> {
    let bytes = row.get::<_, Option<Vec<u8>>>(column)?;
    bytes.map(|bytes| Ok(IncidentId::from_bytes(row::id_bytes(&bytes)?))).transpose()
}
