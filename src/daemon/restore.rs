//! The engine as it was: rebuilt from what is stored, at every start and for every new config.

use std::sync::Arc;

use crate::config::Config;
use crate::engine::{Engine, Input, Restoring, restart};
use crate::incident::lifecycle;
use crate::model::{Incident, Timestamp, Undelivered};
use crate::store::{AttemptOutcome, Reader, StoreError};

/// Rebuilds the engine from the open incidents and the results that the rules still look at. Blocks while it reads.
///
/// # Errors
/// When the database cannot be read.
pub fn restore(config: Arc<Config>, reader: &Reader, now: Timestamp) -> Result<Engine, StoreError> {
    let mut incidents = Vec::new();
    for events in reader.histories(now - restart::ENDED_EARLY)? {
        match lifecycle::fold(&events) {
            Ok(incident) if restart::lasts(&incident, &config, now) => incidents.push(incident),
            Ok(_) => {}
            Err(fault) => {
                let incident = events.first().map(|event| event.incident.to_string()).unwrap_or_default();
                tracing::error!(incident, %fault, "a stored incident cannot be taken up and is left as it is");
            }
        }
    }
    let undelivered = undelivered(reader, &incidents)?;
    let from = restart::replay_from(&config, &incidents, now);
    let mut restoring = Restoring::new(config, incidents);
    let mut replayed: u64 = 0;
    reader.results_since(from, |judged| {
        replayed += 1;
        restoring.replay(&judged);
    })?;
    tracing::info!(results = replayed, since = %from, "took up what was stored");
    let mut engine = restoring.settle(now);
    undelivered.into_iter().for_each(|undelivered| engine.handle(Input::Undelivered(undelivered), now));
    Ok(engine)
}

/// The messages of these incidents that were not delivered and never will be. Some of it the engine was told before.
fn undelivered(reader: &Reader, incidents: &[Incident]) -> Result<Vec<Undelivered>, StoreError> {
    let mut found = Vec::new();
    for incident in incidents {
        for delivery in reader.deliveries_of(incident.id)? {
            let why = match delivery.attempts.last().map(|attempt| &attempt.outcome) {
                Some(AttemptOutcome::Failed(_, why)) => why.clone(),
                _ => continue,
            };
            let (notification, receiver, address) = (delivery.notification, delivery.receiver, delivery.to.address);
            found.push(Undelivered { incident: incident.id, notification, receiver, address, why });
        }
    }
    Ok(found)
}
