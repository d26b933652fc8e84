//! What an incident did to customers, counted from the stored results of its span.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::Config;
use crate::model::{
    ComponentId, FailureClass, Formerly, Incident, Judged, LabelName, LabelValue, Outcome, Probe, ProbeId, RuleId,
    Timestamp,
};

/// Checks that looked, and those of them that failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Count {
    /// Checks that failed.
    pub failed: u64,
    /// Checks that looked.
    pub looked: u64,
}

/// Counts over the checks from an incident's first bad one to its last failure, as far as they are stored.
#[derive(Clone, Debug)]
pub struct Impact<'a> {
    incident: &'a Incident,
    probes: BTreeMap<&'a ProbeId, (&'a Probe, bool)>,
    /// By what ids they were called when older results were stored.
    formerly: &'a Formerly,
    /// Results that came since the last failure: they are part of the recovery unless another failure follows.
    after: BTreeMap<ProbeId, u64>,
    /// Where the last result counted, and when it was judged.
    last: (Timestamp, Timestamp),
    /// Checks that were counted then and left no result, because they did not come.
    unstored: u64,
    /// By component: all checks, and those of probes that bear the incident's factor.
    pub components: BTreeMap<ComponentId, (Count, Count)>,
    /// By label that names customers and value, over the components that were hit.
    pub cohorts: BTreeMap<(LabelName, LabelValue), Count>,
    /// By class and status.
    pub classes: BTreeMap<(FailureClass, Option<u16>), u64>,
    /// Of all probes of the config.
    pub total: Count,
    /// Checks of probes that the incident's rules watch: as many as were counted then, unless some are gone.
    pub watched: u64,
    /// The last failure of a probe that the incident's rules watch.
    pub last_bad: Option<Timestamp>,
    /// The earliest result that is stored.
    pub first_stored: Option<Timestamp>,
    /// Results of probes that the config does not have.
    pub unknown: u64,
}

impl<'a> Impact<'a> {
    /// Counts nothing yet. The incident is [as this config calls things](super::rename::renamed).
    #[must_use]
    pub fn new(incident: &'a Incident, config: &'a Config) -> Self {
        let rules: BTreeSet<_> = incident.breaches.iter().map(|breach| &breach.rule).collect();
        // Where none of its rules is in the configuration any more, every probe may have been theirs.
        let none = config.rules.iter().all(|rule| !rules.contains(&rule.id));
        let judges =
            |probe: &Probe| config.rules.iter().any(|rule| rules.contains(&rule.id) && rule.over.covers(probe));
        let watched = |probe: &Probe| none || judges(probe);
        let missing = |id: &RuleId| config.rules.iter().any(|rule| rule.id == *id && !rule.kind.judges_results());
        let unstored = incident.breaches.iter().filter(|breach| missing(&breach.rule)).count();
        let probes = config.probes.iter().map(|probe| (&probe.id, (probe, watched(probe)))).collect();
        Self {
            incident,
            probes,
            formerly: &config.formerly,
            after: BTreeMap::new(),
            last: (Timestamp::default(), Timestamp::default()),
            unstored: u64::try_from(unstored).unwrap_or(u64::MAX),
            components: BTreeMap::new(),
            cohorts: BTreeMap::new(),
            classes: BTreeMap::new(),
            total: Count::default(),
            watched: 0,
            last_bad: None,
            first_stored: None,
            unknown: 0,
        }
    }

    /// Counts the next result in the order in which they were stored; those of another time are passed over.
    pub fn add(&mut self, Judged { result, at: judged }: &Judged) {
        let ended = result.finished();
        self.first_stored = Some(self.first_stored.map_or(ended, |first| first.min(ended)));
        // As the engine places them: one that was judged after others that ended later counts where these do. Only a
        // clock that was set back takes that back.
        let (place, before) = self.last;
        self.last = (if *judged < before { ended } else { ended.max(place) }, *judged);
        let over = self.incident.resolved.is_some_and(|resolved| *judged > resolved);
        if self.last.0 < self.incident.since
            || over
            || result.superseded
            || matches!(result.outcome, Outcome::Void(_))
        {
            return;
        }
        let renamed = || self.probes.get(&self.formerly.probe(&result.probe)?);
        let Some(&(probe, watched)) = self.probes.get(&result.probe).or_else(renamed) else {
            self.unknown += 1;
            return;
        };
        let class = result.outcome.failure();
        if let Some(class) = class.filter(|_| watched) {
            for (id, count) in std::mem::take(&mut self.after) {
                if let Some(&(probe, watched)) = self.probes.get(&id) {
                    self.count(probe, watched, count, 0);
                }
            }
            *self.classes.entry((class, result.status)).or_default() += 1;
            self.last_bad = Some(self.last_bad.map_or(ended, |last| last.max(ended)));
            self.count(probe, watched, 1, 1);
        } else if class.is_some() {
            self.count(probe, watched, 1, 1);
        } else {
            *self.after.entry(probe.id.clone()).or_default() += 1;
        }
    }

    fn count(&mut self, probe: &Probe, watched: bool, looked: u64, failed: u64) {
        let finding = &self.incident.finding;
        let add = |count: &mut Count| {
            count.looked += looked;
            count.failed += failed;
        };
        add(&mut self.total);
        let (all, with) = self.components.entry(probe.component.clone()).or_default();
        add(all);
        if finding.factor.as_ref().is_none_or(|factor| factor.bears(probe)) {
            add(with);
        }
        if finding.components.contains(&probe.component) {
            for (name, value) in &probe.labels {
                add(self.cohorts.entry((name.clone(), value.clone())).or_default());
            }
        }
        if watched {
            self.watched += looked;
        }
    }

    /// What is missing of the incident's results, in a sentence; `None` if all are there as far as can be told.
    #[must_use]
    pub fn missing(&self) -> Option<String> {
        let counted = u64::from(self.incident.finding.looked).saturating_sub(self.unstored);
        let Some(first) = self.first_stored.filter(|_| self.watched > 0 || !self.after.is_empty()) else {
            return Some("No result of its time is stored any more.".into());
        };
        if first > self.incident.since {
            return Some(format!(
                "The results before {} are not stored any more; at most {} of the {counted} checks that were counted then are.",
                first.show(),
                self.stored().min(counted)
            ));
        }
        // Nothing ends the stretch of bad checks none of which failed, slow ones say: nothing is told by counting.
        (!self.classes.is_empty() && self.stored() < counted)
            .then(|| format!("At most {} of the {counted} checks that were counted then are stored, or their probes are not in the configuration any more.", self.stored()))
    }

    /// Checks of probes that the incident's rules watch, with those since the last failure: the last bad check, a slow
    /// one say, may be among them.
    fn stored(&self) -> u64 {
        let watched = |id: &ProbeId| self.probes.get(id).is_some_and(|(_, watched)| *watched);
        let after = self.after.iter().filter(|(id, _)| watched(id)).map(|(_, count)| count);
        self.watched + after.sum::<u64>()
    }
}
