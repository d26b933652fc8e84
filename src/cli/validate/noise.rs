//! Noise: which share of the checks fails by accident, from what is stored, or supposed.

use std::path::Path;

use crate::model::{Judged, Outcome, Timestamp};
use crate::store::{Reader, StoreError};

/// What is supposed where nothing is known.
const SUPPOSED: f64 = 0.001;
/// How far back it is looked.
const BACK_MILLIS: i64 = 7 * 86_400_000;
/// So many checks say something.
const ENOUGH: u64 = 10_000;
/// The most incidents whose times are left out.
const INCIDENTS: u32 = 1_000;

/// A share of failing checks, and where it is known from.
pub(super) struct Noise {
    /// From 0 to 1.
    pub(super) share: f64,
    /// In words, after "of the checks fail".
    pub(super) origin: String,
}

/// The noise of the last week in this database, without the times of incidents; supposed where there is none.
pub(super) fn of(database: &Path, now: Timestamp) -> Noise {
    let supposed = Noise { share: SUPPOSED, origin: "by accident (assumed)".into() };
    if !database.exists() {
        return supposed;
    }
    match observed(database, now) {
        Ok(Some(noise)) => noise,
        Ok(None) => supposed,
        Err(error) => {
            tracing::warn!(%error, database = %database.display(), "what is usual cannot be read from the database");
            supposed
        }
    }
}

fn observed(database: &Path, now: Timestamp) -> Result<Option<Noise>, StoreError> {
    let reader = Reader::open(database)?;
    let times: Vec<(Timestamp, Timestamp)> = reader
        .incidents(false, INCIDENTS)?
        .iter()
        .map(|incident| (incident.since, incident.resolved.unwrap_or(now)))
        .collect();
    let (mut looked, mut failed) = (0_u64, 0_u64);
    reader.results_since(Timestamp::from_millis(now.as_millis() - BACK_MILLIS), |Judged { result, .. }| {
        let ended = result.finished();
        let counts = !result.superseded && !matches!(result.outcome, Outcome::Void(_));
        if counts && !times.iter().any(|(since, until)| (*since..=*until).contains(&ended)) {
            looked += 1;
            failed += u64::from(result.outcome.failure().is_some());
        }
    })?;
    #[expect(clippy::cast_precision_loss, reason = "counts of checks are far below 2^52")]
    let share = failed as f64 / looked.max(1) as f64;
    let origin = format!("outside of incidents ({failed} of the {looked} of the last 7 days)");
    Ok((looked >= ENOUGH).then_some(Noise { share, origin }))
}
