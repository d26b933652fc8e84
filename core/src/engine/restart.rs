//! What a start must bring back: how far back incidents are looked for and results are replayed.

use std::sync::Arc;
use std::time::Duration;

use crate::config::Config;
use crate::detect;
use crate::incident::rename;
use crate::model::{Breach, Incident, Timestamp};

/// How far back an incident is looked for that ended while a breach of it went on: a person resolved it, or its budget
/// was still overdrawn.
pub const ENDED_EARLY: Duration = Duration::from_secs(86_400);

/// How far back the checks of an open incident are counted again, at the most: a start must not read weeks of results.
pub const LONGEST_COUNT: Duration = Duration::from_secs(86_400);

/// How long an incident that ended is remembered: it may come back, and bad checks that are of it are of no other.
#[must_use]
pub fn remembered(config: &Config) -> Duration {
    config.reopen_within.max(detect::history(config))
}

/// Whether an engine that starts again must know of it: it is open, it may come back, a person resolved it while a
/// breach went on, or it ended by its other rules while a budget was overdrawn.
#[must_use]
pub fn lasts(incident: &Incident, config: &Config, now: Timestamp) -> bool {
    let ended = incident.resolved.filter(|_| !incident.is_open());
    ended.is_none_or(|ended| now.since(ended) < remembered(config))
        || incident.has_breach()
        || settled(incident, config).next().is_some()
}

/// From when on results are replayed to take up these incidents: as far back as the rules look, and over the time of
/// the open incidents.
#[must_use]
pub fn replay_from(config: &Config, incidents: &[Incident], now: Timestamp) -> Timestamp {
    let oldest = incidents.iter().filter(|incident| incident.is_open()).map(|incident| incident.since).min();
    let lookback = now - detect::lookback(config);
    oldest.map_or(lookback, |oldest| oldest.max(now - LONGEST_COUNT).min(lookback))
}

/// Whether this breach goes on for long after what made it is over.
pub(super) fn lingers(breach: &Breach, config: &Config) -> bool {
    rename::rule_of(breach, config).is_some_and(|rule| rule.kind.lingers())
}

/// The breaches that the incident was rid of when its other rules saw the end, though they may go on, and when: each
/// ended in the moment in which another did.
pub(super) fn settled<'a>(
    incident: &'a Incident,
    config: &'a Config,
) -> impl Iterator<Item = (Timestamp, &'a Breach)> {
    let with_another = |breach: &'a Breach| {
        let others = incident.breaches.iter().filter(|other| other.id != breach.id);
        Some((breach.cleared.filter(|at| others.map(|other| other.cleared).any(|other| other == Some(*at)))?, breach))
    };
    // Those of an incident that was merged go on as breaches of the other; of what nothing watches any more, nothing does.
    let is_gone = incident.corrected.merged_into.is_some() || incident.unwatched.is_some();
    let breaches = incident.breaches.iter().map(Arc::as_ref);
    breaches.filter(move |breach| !is_gone && lingers(breach, config)).filter_map(with_another)
}
