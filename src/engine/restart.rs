//! What a start must bring back: how far back incidents are looked for and results are replayed.

use std::time::Duration;

use crate::config::Config;
use crate::detect;
use crate::model::{Incident, Timestamp};

/// How far back an incident is looked for that a person resolved while it went on.
pub const RESOLVED_BY_HAND: Duration = Duration::from_secs(86_400);

/// How far back the checks of an open incident are counted again, at the most: a start must not read weeks of results.
pub const LONGEST_COUNT: Duration = Duration::from_secs(86_400);

/// From when on results are replayed to take up these incidents: as far back as the rules look, and over the time of
/// the open incidents.
#[must_use]
pub fn replay_from(config: &Config, incidents: &[Incident], now: Timestamp) -> Timestamp {
    let oldest = incidents.iter().filter(|incident| incident.is_open()).map(|incident| incident.since).min();
    let lookback = now - detect::lookback(config);
    oldest.map_or(lookback, |oldest| oldest.max(now - LONGEST_COUNT).min(lookback))
}
