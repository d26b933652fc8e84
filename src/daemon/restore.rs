//! The engine as it was: rebuilt from what is stored, at every start and for every new config.

use std::sync::Arc;
use std::time::Duration;

use crate::config::Config;
use crate::detect;
use crate::engine::Engine;
use crate::incident::lifecycle;
use crate::model::Timestamp;
use crate::store::{Reader, StoreError};

/// How far back an incident is looked for that a person resolved while it went on.
const RESOLVED_BY_HAND: Duration = Duration::from_secs(86_400);

/// How far back the checks of an open incident are counted again, at the most: a start must not read weeks of results.
const LONGEST_COUNT: Duration = Duration::from_secs(86_400);

/// Rebuilds the engine from the open incidents and the results that the rules still look at. Blocks while it reads.
///
/// # Errors
/// When the database cannot be read.
pub fn restore(config: Arc<Config>, reader: &Reader, now: Timestamp) -> Result<Engine, StoreError> {
    let mut incidents = Vec::new();
    for events in reader.histories(now - RESOLVED_BY_HAND)? {
        match lifecycle::fold(&events) {
            Ok(incident) if lifecycle::lasts(&incident, config.reopen_within, now) => incidents.push(incident),
            Ok(_) => {}
            Err(fault) => {
                let incident = events.first().map(|event| event.incident.to_string()).unwrap_or_default();
                tracing::error!(incident, %fault, "a stored incident cannot be taken up and is left as it is");
            }
        }
    }
    let oldest = incidents.iter().filter(|incident| incident.is_open()).map(|incident| incident.since).min();
    let lookback = now - detect::lookback(&config);
    let from = oldest.map_or(lookback, |oldest| oldest.max(now - LONGEST_COUNT).min(lookback));
    let mut engine = Engine::restore(config, incidents);
    let mut replayed: u64 = 0;
    reader.results_since(from, |result| {
        replayed += 1;
        engine.replay(&result);
    })?;
    engine.settle(now);
    tracing::info!(results = replayed, since = %from, "took up what was stored");
    Ok(engine)
}
