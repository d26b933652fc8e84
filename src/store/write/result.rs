//! Results and, for failures, their evidence.

use rusqlite::{Connection, OptionalExtension, params};

use crate::model::id::stable_hash;
use crate::model::{Evidence, Judged, Outcome};
use crate::store::error::StoreError;
use crate::store::names::Keys;
use crate::store::row;

pub(super) fn store_result(connection: &Connection, keys: &mut Keys, judged: &Judged) -> Result<(), StoreError> {
    let result = &judged.result;
    let (probe, location) = (keys.probe(connection, &result.probe)?, keys.location(connection, &result.location)?);
    let address = result.address.map(|address| keys.address(connection, address)).transpose()?;
    let phases = &result.phases;
    connection
        .prepare_cached(
            "INSERT INTO result (probe, location, started, outcome, status, dns, connect, tls, first_byte, transfer, total,
                 address, expires, judged, asked)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
        )?
        .execute(params![
            probe,
            location,
            result.started.as_millis(),
            row::result_code(result),
            result.status,
            phases.dns.map(row::micros),
            phases.connect.map(row::micros),
            phases.tls.map(row::micros),
            phases.first_byte.map(row::micros),
            phases.transfer.map(row::micros),
            row::micros(phases.total),
            address,
            result.expires.map(row::seconds),
            row::judged_after(judged),
            row::asked_code(result.asked),
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
