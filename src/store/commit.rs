//! What is written, and how: everything of one commit in one transaction.

use rusqlite::{Connection, OptionalExtension, params};

use super::action::{self, ActionDone};
use super::error::StoreError;
use super::names::Keys;
use super::row::{self, EventRow};
use crate::model::id::stable_hash;
use crate::model::{CheckResult, Evidence, Incident, IncidentEvent, MailAddress, Notification, Outcome, Timestamp};

/// What belongs together: all of it is stored, or nothing.
///
/// Events and notifications have ids that are derived from what they are, so storing one again changes nothing.
#[derive(Clone, Debug, Default)]
pub struct Commit {
    /// Results, in the order in which the engine took them.
    pub results: Vec<CheckResult>,
    /// What the events make of each incident that they touch: at least these.
    pub incidents: Vec<Incident>,
    /// What happened to incidents.
    pub events: Vec<IncidentEvent>,
    /// Messages that are owed from now on.
    pub notifications: Vec<Owed>,
    /// Actions of operators that were done.
    pub actions_done: Vec<ActionDone>,
}

impl Commit {
    /// Whether there is nothing to store.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.results.is_empty()
            && self.incidents.is_empty()
            && self.events.is_empty()
            && self.notifications.is_empty()
            && self.actions_done.is_empty()
    }
}

/// A notification and the addresses that it goes to, each with a delivery of its own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Owed {
    /// The notification.
    pub notification: Notification,
    /// Where it goes.
    pub to: Vec<MailAddress>,
}

/// One delivery: a notification on its way to one address.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct DeliveryId(pub(super) i64);

impl std::fmt::Display for DeliveryId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// One attempt to deliver.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attempt {
    /// When its outcome was known.
    pub at: Timestamp,
    /// What became of it.
    pub outcome: AttemptOutcome,
}

/// What became of an attempt to deliver, with the server's words or ours.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AttemptOutcome {
    /// The mail server has taken it over.
    Accepted(String),
    /// It failed; it is tried again at that time.
    Retry(String, Timestamp),
    /// It was refused for good.
    Refused(String),
    /// It failed, and the time for trying is over.
    GivenUp(String),
}

/// Writes one commit. The caller undoes the transaction when it fails.
pub(super) fn store(connection: &Connection, keys: &mut Keys, commit: &Commit) -> Result<(), StoreError> {
    for result in &commit.results {
        store_result(connection, keys, result)?;
    }
    for incident in &commit.incidents {
        store_incident(connection, incident)?;
    }
    for event in &commit.events {
        store_event(connection, event)?;
    }
    for owed in &commit.notifications {
        store_notification(connection, owed)?;
    }
    for done in &commit.actions_done {
        action::store_done(connection, done)?;
    }
    Ok(())
}

fn store_result(connection: &Connection, keys: &mut Keys, result: &CheckResult) -> Result<(), StoreError> {
    let (probe, location) = (keys.probe(connection, &result.probe)?, keys.location(connection, &result.location)?);
    let phases = &result.phases;
    connection
        .prepare_cached(
            "INSERT INTO result (probe, location, started, outcome, status, dns, connect, tls, first_byte, transfer, total)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )?
        .execute(params![
            probe,
            location,
            result.started.as_millis(),
            row::outcome_code(result.outcome),
            result.status,
            phases.dns.map(row::micros),
            phases.connect.map(row::micros),
            phases.tls.map(row::micros),
            phases.first_byte.map(row::micros),
            phases.transfer.map(row::micros),
            row::micros(phases.total),
        ])?;
    let id = connection.last_insert_rowid();
    let minute = row::minute(result.finished());
    if keys.marked != Some(minute) {
        connection
            .prepare_cached("INSERT INTO mark (minute, first_result) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
            .execute([minute, id])?;
        keys.marked = Some(minute);
    }
    match (&result.evidence, result.outcome) {
        (Some(evidence), Outcome::Failure(_)) => store_evidence(connection, id, evidence),
        _ => Ok(()),
    }
}

fn store_evidence(connection: &Connection, result: i64, evidence: &Evidence) -> Result<(), StoreError> {
    // Equal hashes are compared in full: what a server sends must not be able to pass for something else.
    let hash = stable_hash(&[&evidence.body]).cast_signed();
    let known: Option<i64> = connection
        .prepare_cached("SELECT key FROM evidence_body WHERE hash = ?1 AND body = ?2")?
        .query_row(params![hash, evidence.body], |row| row.get(0))
        .optional()?;
    let body = match known {
        Some(key) => key,
        None => {
            connection
                .prepare_cached("INSERT INTO evidence_body (hash, body) VALUES (?1, ?2)")?
                .execute(params![hash, evidence.body])?;
            connection.last_insert_rowid()
        }
    };
    let certificate = evidence.certificate.as_ref();
    connection
        .prepare_cached(
            "INSERT INTO evidence (result, fault, request, address, headers, redirects, body,
                 certificate_subject, certificate_issuer, certificate_expires, certificate_fault)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )?
        .execute(params![
            result,
            evidence.fault,
            evidence.request,
            evidence.address.map(|address| address.to_string()),
            row::headers_json(&evidence.headers)?,
            row::redirects_json(&evidence.redirects)?,
            body,
            certificate.map(|certificate| &certificate.subject),
            certificate.map(|certificate| &certificate.issuer),
            certificate.map(|certificate| certificate.expires.as_millis()),
            certificate.and_then(|certificate| certificate.fault.as_ref()),
        ])?;
    Ok(())
}

fn store_incident(connection: &Connection, incident: &Incident) -> Result<(), StoreError> {
    // A projection that is stored again must not turn back one that has gone on since.
    connection
        .prepare_cached(
            "INSERT INTO incident (id, state, severity, since, opened, resolved, acknowledged_by, acknowledged, finding, next_event)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
             ON CONFLICT (id) DO UPDATE SET state = excluded.state, severity = excluded.severity,
                 since = excluded.since, opened = excluded.opened, resolved = excluded.resolved,
                 acknowledged_by = excluded.acknowledged_by, acknowledged = excluded.acknowledged,
                 finding = excluded.finding, next_event = excluded.next_event
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
        ])?;
    Ok(())
}

fn store_event(connection: &Connection, event: &IncidentEvent) -> Result<(), StoreError> {
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

fn store_notification(connection: &Connection, owed: &Owed) -> Result<(), StoreError> {
    let Owed { notification, to } = owed;
    let message = &notification.message;
    connection
        .prepare_cached(
            "INSERT INTO notification (id, incident, receiver, kind, reason, owed, subject, text, html, message_id, thread)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT (id) DO NOTHING",
        )?
        .execute(params![
            notification.id.as_bytes(),
            notification.incident.as_bytes(),
            notification.receiver.as_str(),
            row::kind_code(notification.kind),
            notification.reason,
            notification.owed.as_millis(),
            message.subject,
            message.text,
            message.html,
            message.id,
            message.thread,
        ])?;
    let mut statement = connection.prepare_cached(
        "INSERT INTO delivery (notification, name, address, state, attempts, next_at)
         VALUES (?1, ?2, ?3, 0, 0, ?4) ON CONFLICT (notification, address) DO NOTHING",
    )?;
    for address in to {
        statement.execute(params![
            notification.id.as_bytes(),
            address.name,
            address.address,
            notification.owed.as_millis()
        ])?;
    }
    Ok(())
}

/// Writes one attempt and what follows from it for the delivery.
pub(super) fn store_attempt(
    connection: &Connection,
    delivery: DeliveryId,
    attempt: &Attempt,
) -> Result<(), StoreError> {
    let (code, text, next_at) = match &attempt.outcome {
        AttemptOutcome::Retry(text, next_at) => (0, text, Some(next_at.as_millis())),
        AttemptOutcome::Accepted(text) => (1, text, None),
        AttemptOutcome::Refused(text) => (2, text, None),
        AttemptOutcome::GivenUp(text) => (3, text, None),
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
    Ok(())
}
