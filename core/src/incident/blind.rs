//! The incident of our own: Tripline cannot see from a location, and the service may be fine.

use std::time::Duration;

use crate::config::Config;
use crate::detect::self_check::Blindness;
use crate::model::rule::OFFLINE;
use crate::model::unit::show_about;
use crate::model::{
    Breach, BreachId, Finding, Incident, IncidentChange, LabelName, LabelValue, Location, Marks, Slice, Timestamp,
    Unseen,
};

/// The label that names, in a slice, from where nothing can be seen.
const LOCATION: &str = "location";

/// The breach that says that nothing was reached from there since then, which is so long ago, and what is known of it.
/// `None` where no rule is about that.
#[must_use]
pub fn breach(
    location: &Location,
    blindness: &Blindness,
    since: Timestamp,
    lasted: Duration,
    now: Timestamp,
    config: &Config,
) -> Option<(Breach, Finding)> {
    let rule = config.rules.iter().find(|rule| !rule.kind.judges_probes())?;
    let slice = slice(location, config);
    let mut named = vec![OFFLINE.to_owned(), since.as_millis().to_string()];
    named.extend((!slice.labels.is_empty()).then(|| location.to_string()));
    let breach = Breach {
        id: BreachId::derived(&named.iter().map(String::as_str).collect::<Vec<_>>()),
        rule: OFFLINE.into(),
        slice,
        severity: rule.severity,
        since,
        found: now,
        reason: format!("nothing at all was reached for {}", show_about(lasted)),
        marks: Marks::default(),
        usual: None,
        meaning: None,
        cleared: None,
    };
    let unseen =
        Unseen { since, until: None, checks: blindness.checks, hosts: blindness.hosts, canaries: blindness.canaries };
    Some((breach, Finding { unseen: Some(unseen), ..Finding::default() }))
}

/// What happens to the incident when something is seen again.
#[must_use]
pub fn end(incident: &Incident, breach: BreachId, seen: Timestamp) -> [IncidentChange; 2] {
    let mut finding = incident.finding.clone();
    if let Some(unseen) = &mut finding.unseen {
        unseen.until = Some(seen);
    }
    let since = finding.unseen.map_or(incident.since, |unseen| unseen.since);
    let reason = format!("Tripline sees again; not measured from {} to {}", since.show(), seen.show());
    [
        IncidentChange::Cleared { breach, reason: "something answers again".into() },
        IncidentChange::Resolved { by: None, reason, finding, unwatched: false },
    ]
}

/// From where a stored breach of our own says that nothing can be seen; `None` of any other breach.
#[must_use]
pub fn location(breach: &Breach, config: &Config) -> Option<Location> {
    let ours = breach.rule.as_str() == OFFLINE;
    let named = breach.slice.labels.get(&LabelName::from(LOCATION));
    ours.then(|| named.map_or_else(|| config.location.clone(), |name| name.as_str().into()))
}

/// The slice names the location where it is not the daemon's own.
fn slice(location: &Location, config: &Config) -> Slice {
    let mut slice = Slice::default();
    if *location != config.location {
        slice.labels.insert(LabelName::from(LOCATION), LabelValue::from(location.as_str()));
    }
    slice
}
