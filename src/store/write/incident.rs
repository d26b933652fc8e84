//! Incidents: their events, which are the truth, and what listings need of them.

use rusqlite::{Connection, OptionalExtension, params};

use crate::model::{Incident, IncidentEvent, IncidentId, Timestamp};
use crate::store::error::StoreError;
use crate::store::row::{self, EventRow};

pub(super) fn store_incident(connection: &Connection, incident: &Incident) -> Result<(), StoreError> {
    // A projection that is stored again must not turn back one that has gone on since.
    connection
        .prepare_cached(
            "INSERT INTO incident (id, state, severity, since, opened, resolved, acknowledged_by, acknowledged, finding, next_event,
                 merged_into, false_alarm_by, false_alarm)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
             ON CONFLICT (id) DO UPDATE SET state = excluded.state, severity = excluded.severity,
                 since = excluded.since, opened = excluded.opened, resolved = excluded.resolved,
                 acknowledged_by = excluded.acknowledged_by, acknowledged = excluded.acknowledged,
                 finding = excluded.finding, next_event = excluded.next_event, merged_into = excluded.merged_into,
                 false_alarm_by = excluded.false_alarm_by, false_alarm = excluded.false_alarm
             WHERE excluded.next_event >= incident.next_event",
        )?
        .execute(params![
            incident.id.as_bytes(),
            row::state_code(incident.state),
            row::severity_code(incident.severity),
            incident.since.as_millis(),
            incident.opened.as_millis(),
            incident.resolved.map(Timestamp::as_millis),
            incident.acknowledged.as_ref().map(|(by, _)| by),
            incident.acknowledged.as_ref().map(|(_, at)| at.as_millis()),
            row::finding_json(&incident.finding)?,
            incident.next_event,
            incident.corrected.merged_into.as_ref().map(IncidentId::as_bytes),
            incident.corrected.false_alarm.as_ref().map(|alarm| &alarm.by),
            incident.corrected.false_alarm.as_ref().map(|alarm| &alarm.why),
        ])?;
    Ok(())
}

pub(super) fn store_event(connection: &Connection, event: &IncidentEvent) -> Result<(), StoreError> {
    let written = EventRow::of(event)?;
    let key = params![event.incident.as_bytes(), event.seq];
    let stored: Option<(i64, String, String)> = connection
        .prepare_cached("SELECT at, kind, body FROM incident_event WHERE incident = ?1 AND seq = ?2")?
        .query_row(key, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    match stored {
        Some(stored) if stored == (event.at.as_millis(), written.kind.clone(), written.body.clone()) => Ok(()),
        Some((_, kind, _)) => Err(StoreError::Conflict(format!(
            "event {} of incident {} is `{}` here and `{kind}` in the database",
            event.seq,
            event.incident.short(),
            written.kind
        ))),
        None => {
            connection
                .prepare_cached(
                    "INSERT INTO incident_event (incident, seq, at, kind, body) VALUES (?1, ?2, ?3, ?4, ?5)",
                )?
                .execute(params![
                    event.incident.as_bytes(),
                    event.seq,
                    event.at.as_millis(),
                    written.kind,
                    written.body
                ])?;
            Ok(())
        }
    }
}
