//! What people correct because no rule can know it: two incidents are one, one is two, or nothing was wrong.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Cases;
use crate::detect::Detector;
use crate::detect::history::Entry;
use crate::engine::case::{Case, Said, View};
use crate::engine::steady::SteadyClock;
use crate::incident::{correlate, explain, summary};
use crate::model::unit::show_duration;
use crate::model::{
    Action, Apart, Breach, ComponentId, FailureClass, Incident, IncidentChange, IncidentId, ProbeIndex, Timestamp,
};

impl Cases {
    /// Makes another incident part of this one.
    pub(super) fn merge(&mut self, action: &Action, detector: &Detector, now: Timestamp) -> String {
        let id = action.incident;
        let other = match self.mergeable(action, now) {
            Ok(other) => other,
            Err(answer) => return answer,
        };
        let view = View { config: &self.config, detector, examples: &self.examples };
        let Some(mut case) = self.all.remove(&id) else { return not_open(id) };
        if let Some(its) = self.all.get_mut(&other) {
            let said = Said { by: &action.by, why: &action.text, at: now };
            self.events.extend(case.merge(its, said, view));
        }
        self.all.insert(id, case);
        format!("incident {} is part of incident {} now", other.short(), id.short())
    }

    /// The other incident, if it can be merged; else why not.
    fn mergeable(&self, action: &Action, now: Timestamp) -> Result<IncidentId, String> {
        let short = action.incident.short();
        let other = action.other.ok_or_else(|| format!("which incident is to be merged into {short}?"))?;
        if other == action.incident {
            return Err(format!("incident {short} cannot be merged into itself"));
        }
        let case = self.all.get(&action.incident).filter(|case| case.incident.is_open());
        let case = case.ok_or_else(|| not_open(action.incident))?;
        let within = self.config.reopen_within;
        let late = || format!("incident {} ended more than {} ago", other.short(), show_duration(within));
        let its = self.all.get(&other).ok_or_else(late)?;
        if let Some(into) = its.incident.corrected.merged_into {
            return Err(format!("incident {} was merged into incident {} already", other.short(), into.short()));
        }
        if its.incident.resolved.is_some_and(|ended| now.since(ended) >= within) {
            return Err(late());
        }
        match [&case.incident, &its.incident].into_iter().find(|incident| incident.is_our_own()) {
            Some(own) => Err(format!(
                "incident {} says that Tripline could not see, and nothing of the service: it is merged with no other",
                own.id.short()
            )),
            None => Ok(other),
        }
    }

    /// Takes the breaches of some components or rules out of an incident: they are another.
    pub(super) fn split(&mut self, action: &Action, detector: &Detector, now: Timestamp) -> String {
        let id = action.incident;
        let Some(case) = self.all.get(&id).filter(|case| case.incident.is_open()) else { return not_open(id) };
        let (theirs, leaving) = match self.part_of(&case.incident, &action.parts) {
            Ok(part) => part,
            Err(answer) => return answer,
        };
        let config = std::sync::Arc::clone(&self.config);
        let goes = |index: ProbeIndex, class: Option<FailureClass>| {
            let Some(probe) = config.probes.get(index) else { return false };
            let by_rule = leaving.iter().any(|breach| {
                theirs.rules.contains(&breach.rule) && explain::is_about(breach, probe, class, &config)
            });
            theirs.components.contains(&probe.component) || by_rule
        };
        let view = View { config: &config, detector, examples: &self.examples };
        let Some(case) = self.all.get_mut(&id) else { return not_open(id) };
        let said = Said { by: &action.by, why: &action.text, at: now };
        let Some((new, news)) = case.split(&leaving, theirs.clone(), goes, said, view) else {
            return format!("nothing is split from incident {}", id.short());
        };
        let other = new.incident.id;
        self.events.extend(news);
        self.all.insert(other, new);
        self.see_also(other, now);
        for (of, beside) in [(id, other), (other, id)] {
            let known = self.all.get(&of).is_some_and(|case| case.incident.see_also.contains_key(&beside));
            let what = self.all.get(&beside).map(|case| summary::title(&case.incident.finding, Some(&config)));
            if let Some(what) = what.filter(|_| !known) {
                self.note(of, IncidentChange::SeeAlso { other: beside, what }, now);
            }
        }
        format!("{theirs} is split from incident {}, as incident {}", id.short(), other.short())
    }

    /// What these names mean, and the breaches that are of that alone; else why nothing is split.
    fn part_of(&self, incident: &Incident, names: &BTreeSet<String>) -> Result<(Apart, Vec<Arc<Breach>>), String> {
        let short = incident.id.short();
        let mut theirs = Apart::default();
        for name in names {
            let component = ComponentId::from(name.as_str());
            if self.config.components.iter().any(|known| known.id == component) {
                theirs.components.insert(component);
            } else if incident.breaches.iter().any(|breach| breach.rule.as_str() == name)
                || self.config.rules.iter().any(|rule| rule.id.as_str() == name)
            {
                theirs.rules.insert(name.as_str().into());
            } else {
                return Err(format!(
                    "`{name}` is neither a component nor a rule of the configuration; nothing is split"
                ));
            }
        }
        let leaves = |breach: &&Arc<Breach>| {
            let components = self.components_of(breach);
            theirs.rules.contains(&breach.rule) || !components.is_empty() && components.is_subset(&theirs.components)
        };
        let last = incident.last_stretch();
        let leaving: Vec<Arc<Breach>> = last.iter().filter(leaves).cloned().collect();
        if leaving.is_empty() {
            let wide = last.iter().find(|breach| !self.components_of(breach).is_disjoint(&theirs.components));
            return Err(match wide {
                Some(wide) => format!(
                    "no breach of incident {short} is of {theirs} alone: the one of rule {} for {} is of other components \
                     too; nothing is split",
                    wide.rule, wide.slice
                ),
                None => format!("no breach of incident {short} is of {theirs}; nothing is split"),
            });
        }
        if leaving.len() == last.len() {
            return Err(format!("all breaches of incident {short} are of {theirs}; nothing is split"));
        }
        if leaving.iter().all(|breach| breach.cleared.is_some()) {
            return Err(format!("the breaches of {theirs} in incident {short} are over; nothing is split"));
        }
        Ok((theirs, leaving))
    }

    /// The components that a breach is of.
    fn components_of(&self, breach: &Breach) -> BTreeSet<ComponentId> {
        if !breach.marks.components.is_empty() {
            return breach.marks.components.clone();
        }
        correlate::component_of(&breach.slice, &self.config).into_iter().collect()
    }

    /// Notes that nothing was wrong, and ends what goes on.
    pub(super) fn false_alarm(&mut self, action: &Action, detector: &Detector, now: Timestamp) -> String {
        let short = action.incident.short();
        let view = View { config: &self.config, detector, examples: &self.examples };
        let Some(case) = self.all.get_mut(&action.incident) else {
            return format!("incident {short} ended too long ago");
        };
        let corrected = &case.incident.corrected;
        if let Some(into) = corrected.merged_into {
            return format!("incident {short} was merged into incident {}: say it of that one", into.short());
        }
        if let Some(alarm) = &corrected.false_alarm {
            return format!("incident {short} is a false alarm already, says {}", alarm.by);
        }
        let (by, why) = (action.by.clone(), action.text.clone());
        self.events.push(case.event(now, IncidentChange::FalseAlarm { by: by.clone(), why: why.clone() }));
        if case.incident.is_open() {
            case.watch_due = None;
            let (reason, finding) = (format!("it was a false alarm: {why}"), case.finding(view));
            self.events
                .push(case.event(now, IncidentChange::Resolved { by: Some(by), reason, finding, unwatched: false }));
        }
        format!("incident {short} is a false alarm, says {}", action.by)
    }

    /// Takes up an incident that ended long ago, because somebody asks something of it.
    pub(in crate::engine) fn recall(&mut self, incident: Incident) {
        if let std::collections::btree_map::Entry::Vacant(place) = self.all.entry(incident.id) {
            self.recalled.insert(incident.id);
            place.insert(Case::resume(incident, &self.config));
        }
    }

    /// The incident as part of which this one goes on: mostly itself.
    pub(super) fn root(&self, id: IncidentId) -> Option<&Case> {
        let mut case = self.all.get(&id)?;
        // An incident is merged into an open one, and that only once: there is no circle.
        while let Some(into) = case.incident.corrected.merged_into {
            case = self.all.get(&into)?;
        }
        Some(case)
    }

    /// Whether a bad check is of what was split from this incident, or of what this was split from.
    pub(super) fn is_apart(&self, case: &Case, entry: &Entry, clock: SteadyClock) -> bool {
        let Some(probe) = self.config.probes.get(entry.probe) else { return false };
        case.incident.corrected.apart.iter().any(|(other, theirs)| {
            let of_rules = |other: &Case| {
                let split = other.incident.corrected.split_from.as_ref();
                let is_its = |breach: &Breach| theirs.rules.contains(&breach.rule);
                split.is_some_and(|(from, _)| *from == case.incident.id)
                    && other.holds(entry.at, clock)
                    && other
                        .incident
                        .last_stretch()
                        .iter()
                        .any(|b| is_its(b) && explain::is_about(b, probe, entry.class, &self.config))
            };
            theirs.components.contains(&probe.component)
                || !theirs.rules.is_empty() && self.all.get(other).is_some_and(of_rules)
        })
    }

    /// Whether a breach is of what was split from this incident, or of what this was split from, and one of both is open.
    pub(super) fn stays_apart(&self, case: &Case, signs: &correlate::Signs<'_>) -> bool {
        case.incident.corrected.apart.iter().any(|(other, theirs)| {
            let is_open = |case: &Case| case.incident.is_open();
            let binds = is_open(case) || self.root(*other).is_some_and(is_open);
            binds && (theirs.rules.contains(&signs.breach.rule) || signs.is_of(&theirs.components))
        })
    }

    /// Where the breaches of this rule are of another than this incident, since one was split from the other: that, if it
    /// fails.
    pub(super) fn split_off(&self, id: IncidentId, breach: &Breach) -> Option<Option<&Case>> {
        let case = self.all.get(&id)?;
        let is_open = |case: &Case| case.incident.is_open();
        let binds = |other: IncidentId| is_open(case) || self.root(other).is_some_and(is_open);
        let mut apart = case.incident.corrected.apart.iter();
        let (other, _) = apart.find(|(other, theirs)| theirs.rules.contains(&breach.rule) && binds(**other))?;
        Some(self.root(*other).filter(|case| case.incident.is_failing()))
    }
}

pub(super) fn not_open(id: IncidentId) -> String {
    format!("incident {} is not open", id.short())
}
