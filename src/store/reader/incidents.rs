//! Incidents: for listings, and as their events for whoever folds them.

use rusqlite::{Row, params};

use super::{Reader, incident_id, other_id};
use crate::model::{Finding, IncidentEvent, IncidentId, IncidentState, Severity, Timestamp};
use crate::store::error::StoreError;
use crate::store::row::{self, EventRow};

/// An incident as a listing shows it.
#[derive(Clone, PartialEq, Debug)]
pub struct IncidentSummary {
    /// Its id.
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
    /// Who took it on, and when.
    pub acknowledged: Option<(String, Timestamp)>,
    /// What its checks show.
    pub finding: Finding,
    /// How many events it has.
    pub events: u32,
    /// The incident into which it was merged.
    pub merged_into: Option<IncidentId>,
    /// Who says that it was a false alarm, and why.
    pub false_alarm: Option<(String, String)>,
    /// Whether it ended because the config changed and nothing watches it any more: nobody knows whether it goes on.
    pub unwatched: bool,
}

/// The last column is told by the event that ended it.
const SUMMARY: &str = "id, state, severity, since, opened, resolved, acknowledged_by, acknowledged, finding, \
     next_event, merged_into, false_alarm_by, false_alarm, \
     resolved IS NOT NULL AND coalesce((SELECT json_extract(body, '$.unwatched') FROM incident_event \
     WHERE incident = incident.id AND kind = 'resolved' ORDER BY seq DESC LIMIT 1), 0)";

impl Reader {
    /// Incidents, those opened last first, at most `limit`.
    ///
    /// # Errors
    /// When a row cannot be read.
    pub fn incidents(&self, only_open: bool, limit: u32) -> Result<Vec<IncidentSummary>, StoreError> {
        let which = if only_open { "WHERE resolved IS NULL" } else { "" };
        let sql = format!("SELECT {SUMMARY} FROM incident {which} ORDER BY opened DESC, id LIMIT ?1");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query([limit])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(summary_of(row)?);
        }
        Ok(found)
    }

    /// The incidents whose id begins with these hex digits, at most `limit`. Dashes do not count. One is what was
    /// meant; several want more digits.
    ///
    /// # Errors
    /// When a row cannot be read.
    pub fn incidents_named(&self, prefix: &str, limit: u32) -> Result<Vec<IncidentSummary>, StoreError> {
        let digits: String = prefix.chars().filter(|c| *c != '-').flat_map(char::to_lowercase).collect();
        if digits.is_empty() {
            return Ok(Vec::new());
        }
        let sql = format!(
            "SELECT {SUMMARY} FROM incident WHERE substr(lower(hex(id)), 1, length(?1)) = ?1 ORDER BY opened DESC, id LIMIT ?2"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query(params![digits, limit])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(summary_of(row)?);
        }
        Ok(found)
    }

    /// The events of an incident in their order; none if there is no such incident.
    ///
    /// # Errors
    /// When a row cannot be read.
    pub fn events_of(&self, incident: IncidentId) -> Result<Vec<IncidentEvent>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT seq, at, kind, body FROM incident_event WHERE incident = ?1 ORDER BY seq")?;
        let mut rows = statement.query([incident.as_bytes()])?;
        let mut events = Vec::new();
        while let Some(row) = rows.next()? {
            let written = EventRow { kind: row.get(2)?, body: row.get(3)? };
            events.push(written.event(incident, row.get(0)?, Timestamp::from_millis(row.get(1)?))?);
        }
        Ok(events)
    }

    /// The events of the false alarms among the incidents that were opened at `since` or later, oldest first.
    ///
    /// # Errors
    /// When a row cannot be read.
    pub fn false_alarms(&self, since: Timestamp) -> Result<Vec<Vec<IncidentEvent>>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id FROM incident WHERE false_alarm_by IS NOT NULL AND opened >= ?1 ORDER BY opened, id",
        )?;
        let mut rows = statement.query([since.as_millis()])?;
        let mut histories = Vec::new();
        while let Some(row) = rows.next()? {
            histories.push(self.events_of(incident_id(row, 0)?)?);
        }
        Ok(histories)
    }

    /// The events of every incident that is open or was resolved at `since` or later, oldest incident first: what
    /// the engine folds when it starts again.
    ///
    /// # Errors
    /// When a row cannot be read.
    pub fn histories(&self, since: Timestamp) -> Result<Vec<Vec<IncidentEvent>>, StoreError> {
        let _snapshot = self.connection.unchecked_transaction()?;
        let mut statement = self
            .connection
            .prepare_cached("SELECT id FROM incident WHERE resolved IS NULL OR resolved >= ?1 ORDER BY opened, id")?;
        let mut rows = statement.query([since.as_millis()])?;
        let mut histories = Vec::new();
        while let Some(row) = rows.next()? {
            histories.push(self.events_of(incident_id(row, 0)?)?);
        }
        Ok(histories)
    }
}

fn summary_of(row: &Row<'_>) -> Result<IncidentSummary, StoreError> {
    let moment = |column: usize| -> Result<_, StoreError> {
        Ok(row.get::<_, Option<i64>>(column)?.map(Timestamp::from_millis))
    };
    Ok(IncidentSummary {
        id: incident_id(row, 0)?,
        state: row::state_of_code(row.get(1)?)?,
        severity: row::severity_of_code(row.get(2)?)?,
        since: Timestamp::from_millis(row.get(3)?),
        opened: Timestamp::from_millis(row.get(4)?),
        resolved: moment(5)?,
        acknowledged: row.get::<_, Option<String>>(6)?.zip(moment(7)?),
        finding: row::finding_of_json(&row.get::<_, String>(8)?)?,
        events: row.get(9)?,
        merged_into: other_id(row, 10)?,
        false_alarm: row.get::<_, Option<String>>(11)?.zip(row.get(12)?),
        unwatched: row.get(13)?,
    })
}
