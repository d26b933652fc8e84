//! Failed checks with their evidence: what a person wants to see of an incident.

use rusqlite::{Connection, OptionalExtension, params};

use super::{RESULT, RESULT_COLUMNS, Reader, first_result_since, result_of};
use crate::model::{CheckResult, Evidence, Outcome, PeerCertificate, ProbeId, Timestamp};
use crate::store::error::StoreError;
use crate::store::names::Names;
use crate::store::row;

/// Which failed checks to show.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FailureQuery<'a> {
    /// Of these probes; of all when empty.
    pub probes: &'a [ProbeId],
    /// Those that ended then or later ...
    pub from: Timestamp,
    /// ... and before that.
    pub until: Timestamp,
    /// The first so many of each probe.
    pub each: u32,
}

impl Reader {
    /// Failed checks with their evidence, in the order in which they were stored.
    ///
    /// # Errors
    /// When a row cannot be read.
    pub fn failures(&self, query: &FailureQuery<'_>) -> Result<Vec<CheckResult>, StoreError> {
        self.failed(query, "outcome < 128")
    }

    /// As [`failures`](Self::failures): those that were retried at once, which count neither way.
    ///
    /// # Errors
    /// When a row cannot be read.
    pub fn tried_again(&self, query: &FailureQuery<'_>) -> Result<Vec<CheckResult>, StoreError> {
        self.failed(query, "outcome > 192")
    }

    fn failed(&self, query: &FailureQuery<'_>, which: &str) -> Result<Vec<CheckResult>, StoreError> {
        let snapshot = self.connection.unchecked_transaction()?;
        let Some(first) = first_result_since(&snapshot, query.from)? else {
            return Ok(Vec::new());
        };
        let names = Names::load(&snapshot)?;
        let keys: Vec<i64> = if query.probes.is_empty() { names.all_keys() } else { names.keys_of(query.probes) };
        // Names the partial index's own condition, so that it is used.
        let mut statement = snapshot.prepare_cached(&format!(
            "SELECT {RESULT}, id FROM result
             WHERE probe = ?1 AND id >= ?2 AND outcome <> 0 AND {which}
                 AND started + total / 1000 >= ?3 AND started + total / 1000 < ?4
             ORDER BY id LIMIT ?5"
        ))?;
        let mut found = Vec::new();
        for key in keys {
            let mut rows =
                statement.query(params![key, first, query.from.as_millis(), query.until.as_millis(), query.each])?;
            while let Some(row) = rows.next()? {
                found.push((row.get::<_, i64>(RESULT_COLUMNS)?, result_of(row, &names)?));
            }
        }
        found.sort_by_key(|(id, _)| *id);
        found
            .into_iter()
            .map(|(id, mut result)| {
                if matches!(result.outcome, Outcome::Failure(_)) {
                    result.evidence = evidence(&snapshot, id)?.map(Box::new);
                }
                Ok(result)
            })
            .collect()
    }
}

fn evidence(connection: &Connection, result: i64) -> Result<Option<Evidence>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT fault, request, address, headers, redirects, evidence_body.body,
             certificate_subject, certificate_issuer, certificate_expires, certificate_fault
         FROM evidence JOIN evidence_body ON evidence_body.key = evidence.body WHERE result = ?1",
    )?;
    type Columns = (String, String, Option<String>, String, String, String, Option<PeerCertificate>);
    let columns: Option<Columns> = statement
        .query_row([result], |row| {
            let certificate = match (row.get(6)?, row.get(7)?, row.get(8)?) {
                (Some(subject), Some(issuer), Some(expires)) => Some(PeerCertificate {
                    subject,
                    issuer,
                    expires: Timestamp::from_millis(expires),
                    fault: row.get(9)?,
                }),
                _ => None,
            };
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?, certificate))
        })
        .optional()?;
    let Some((fault, request, address, headers, redirects, body, certificate)) = columns else {
        return Ok(None);
    };
    let address = address
        .map(|text| text.parse())
        .transpose()
        .map_err(|error| StoreError::unreadable(format!("the address in the evidence of result {result}"), error))?;
    Ok(Some(Evidence {
        fault,
        request,
        address,
        headers: row::headers_of_json(&headers)?,
        body,
        certificate,
        redirects: row::redirects_of_json(&redirects)?,
    }))
}
