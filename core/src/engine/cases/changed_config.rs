//! What a changed config means for the incidents that there are: what has another id goes on, and what nothing watches any
//! more ends without a word about recovery.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::super::case::{Case, View};
use super::super::steady::SteadyClock;
use super::Cases;
use crate::config::Config;
use crate::detect::Detector;
use crate::model::{
    Breach, BreachId, CheckResult, IncidentChange, IncidentEvent, IncidentId, Outcome, ProbeId, Timestamp,
};

/// What the replay knows of the stored breaches and results that the config has no use for.
#[derive(Default)]
pub(in crate::engine) struct Leftover {
    /// The breaches that no rule of the config judges.
    pub(in crate::engine) unjudged: BTreeSet<BreachId>,
    /// Those whose end the results show.
    pub(in crate::engine) over: BTreeSet<BreachId>,
    /// The probes that are gone and were bad in the time of an open incident, as it was.
    gone: BTreeMap<IncidentId, BTreeSet<ProbeId>>,
}

/// More reasons, or probes, than this are counted, not listed.
const MOST_NAMED: usize = 3;

impl Cases {
    /// Notes that stored incidents know something by another id now.
    pub(in crate::engine) fn note_renamed(&mut self, renamed: Vec<IncidentEvent>) {
        self.events.extend(renamed);
    }

    /// The incidents to which more happened than that something of them has another id.
    pub(in crate::engine) fn with_news(&self) -> BTreeSet<IncidentId> {
        let news = self.events.iter().filter(|event| !matches!(event.change, IncidentChange::Renamed { .. }));
        news.map(|event| event.incident).collect()
    }

    /// Notes of which open incidents this check may be, which ended at this moment of steady time and whose probe is not in
    /// the config.
    pub(in crate::engine) fn note_gone(
        &self,
        result: &CheckResult,
        at: Timestamp,
        clock: SteadyClock,
        leftover: &mut Leftover,
    ) {
        if result.superseded || matches!(result.outcome, Outcome::Void(_)) {
            return;
        }
        let fits = |case: &Case| match result.outcome.failure() {
            Some(class) => case.marks.classes.contains(&class),
            // Where no check failed, slow ones were bad, and which are slow only their rule could say.
            None => case.marks.classes.is_empty() && case.tells_of_components(),
        };
        let is_of = |case: &Case| case.incident.is_failing() && fits(case) && case.holds(at, clock);
        for (id, _) in self.all.iter().filter(|(_, case)| is_of(case)) {
            leftover.gone.entry(*id).or_default().insert(result.probe.clone());
        }
    }

    /// Ends the open incidents that nothing watches any more. Gives out their breaches that rules took up: what is bad in
    /// these slices from now on is another outage.
    pub(in crate::engine) fn end_unwatched(
        &mut self,
        leftover: &Leftover,
        detector: &Detector,
        now: Timestamp,
    ) -> Vec<Arc<Breach>> {
        let view = View { config: &self.config, detector, examples: &self.examples };
        let mut ended = Vec::new();
        for case in self.all.values_mut() {
            let Some(reason) = why_unwatched(case, leftover, &self.config) else { continue };
            let lasting = case.incident.breaches.iter().filter(|breach| breach.cleared.is_none());
            let lasting: Vec<Arc<Breach>> = lasting.cloned().collect();
            for breach in &lasting {
                let reason = "nothing watches it any more".to_owned();
                self.events.push(case.event(now, IncidentChange::Cleared { breach: breach.id, reason }));
            }
            ended.extend(lasting);
            let finding = case.finding(view);
            self.events
                .push(case.event(now, IncidentChange::Resolved { by: None, reason, finding, unwatched: true }));
        }
        ended
    }
}

/// Why nothing watches an incident any more; `None` while something does, or when it is over.
fn why_unwatched(case: &Case, leftover: &Leftover, config: &Config) -> Option<String> {
    let incident = &case.incident;
    if !incident.is_failing() {
        return None;
    }
    let open = || incident.breaches.iter().filter(|breach| breach.cleared.is_none());
    let lasting: Vec<&Arc<Breach>> = open().filter(|breach| !leftover.over.contains(&breach.id)).collect();
    if !lasting.is_empty() && lasting.iter().all(|breach| leftover.unjudged.contains(&breach.id)) {
        let reasons: BTreeSet<String> = lasting.into_iter().map(|breach| why_unjudged(breach, config)).collect();
        return Some(listed(reasons, "; "));
    }
    // It ends by itself.
    if lasting.is_empty() && open().next().is_some() {
        return None;
    }
    // Where its results are too old to be stored, no probe that is gone has any either.
    let gone = leftover.gone.get(&incident.id).filter(|_| case.hit_probes(config).next().is_none())?;
    let are = if gone.len() == 1 { "probe" } else { "probes" };
    let names = listed(gone.iter().map(|probe| format!("`{probe}`")), ", ");
    Some(format!("not in the configuration any more: {are} {names}"))
}

fn why_unjudged(breach: &Breach, config: &Config) -> String {
    let Breach { rule, slice, .. } = breach;
    match &slice.probe {
        _ if config.rules.iter().all(|other| other.id != *rule) => {
            format!("not in the configuration any more: rule `{rule}`")
        }
        Some(probe) if config.probes.index_of(probe).is_none() => {
            format!("not in the configuration any more: probe `{probe}`")
        }
        _ => format!("rule `{rule}` does not judge {slice} any more"),
    }
}

fn listed(all: impl IntoIterator<Item = String>, between: &str) -> String {
    let all: Vec<String> = all.into_iter().collect();
    let named: Vec<&str> = all.iter().take(MOST_NAMED).map(String::as_str).collect();
    match all.len().saturating_sub(MOST_NAMED) {
        0 => named.join(between),
        more => format!("{}{between}and {more} more", named.join(between)),
    }
}
