//! When jobs called last.

use super::{Reader, first_result_since};
use crate::model::{FailureClass, Outcome, ProbeId, Timestamp};
use crate::store::error::StoreError;
use crate::store::names::Names;
use crate::store::row;

impl Reader {
    /// When each of these heartbeats called last, since this moment: its last result that it was called for. What was
    /// found missing is no call.
    ///
    /// # Errors
    /// When a row cannot be read.
    pub fn last_calls(&self, probes: &[ProbeId], since: Timestamp) -> Result<Vec<(ProbeId, Timestamp)>, StoreError> {
        let snapshot = self.connection.unchecked_transaction()?;
        let first = first_result_since(&snapshot, since)?;
        let Some(first) = first.filter(|_| !probes.is_empty()) else { return Ok(Vec::new()) };
        let names = Names::load(&snapshot)?;
        let keys: Vec<String> = names.keys_of(probes).iter().map(ToString::to_string).collect();
        // One walk for all of them: there is no index that finds the results of one probe.
        let mut statement = snapshot.prepare(&format!(
            "SELECT probe, max(started + total / 1000) FROM result
             WHERE id >= ?1 AND outcome IN (?2, ?3) AND probe IN ({}) GROUP BY probe",
            keys.join(", ")
        ))?;
        let codes =
            (row::outcome_code(Outcome::Success), row::outcome_code(Outcome::Failure(FailureClass::ServerError)));
        let mut rows = statement.query((first, codes.0, codes.1))?;
        let mut calls = Vec::new();
        while let Some(row) = rows.next()? {
            calls.push((names.probe(row.get(0)?)?, Timestamp::from_millis(row.get(1)?)));
        }
        Ok(calls)
    }
}
