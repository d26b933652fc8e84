//! Whose a bad check is, and where a breach belongs: to an incident that fails, to one that it brings back, or to a new
//! one.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::super::case::Case;
use super::super::restart;
use super::super::steady::SteadyClock;
use super::Cases;
use crate::detect::Detector;
use crate::detect::history::Entry;
use crate::incident::correlate::{self, BadChecks};
use crate::model::{Breach, Cadence, FailureClass, IncidentId, Marks, ProbeIndex, Timestamp};

/// Where a breach belongs.
pub(super) enum Home {
    /// To an incident that fails, and why.
    Joins(IncidentId, String),
    /// To one that recovered or ended, and has come back by it.
    Returns(IncidentId, String),
    /// To none: it is another outage.
    New,
    /// All that it says has been said by this incident, which is over.
    Past(IncidentId),
}

/// A breach that has its home, with what is its own.
pub(super) struct Housed {
    pub(super) home: Home,
    /// When the first of its own bad checks ended, in steady time.
    pub(super) since: Timestamp,
    /// What they bear.
    pub(super) marks: Marks,
}

impl Cases {
    /// The incident of which a bad check is, the oldest of equals. One that has recovered has the checks of its time; one that
    /// a person resolved while it failed has those that came after as well, as long as its breaches go on.
    pub(super) fn owner(&self, entry: &Entry, clock: SteadyClock) -> Option<IncidentId> {
        let likeness = |case: &Case| {
            // Of what a person resolved, a breach of everything keeps no other outage back.
            let least = match case.holds(entry.at, clock) {
                true => 1,
                false if case.outlasts(entry, clock, &self.config) => 2,
                false => return 0,
            };
            let likeness = case.likeness(entry, &self.config);
            if likeness >= least && !self.is_apart(case, entry, clock) { likeness } else { 0 }
        };
        let each = self.all.iter().map(|(id, case)| (likeness(case), Reverse(case.incident.opened), *id));
        let best = each.filter(|(likeness, ..)| *likeness > 0);
        let best = best.max_by_key(|(likeness, opened, id)| (*likeness, *opened, Reverse(*id)));
        best.map(|(.., id)| id)
    }

    /// The incident of a bad check that is like none, and that no rule would tell of by itself: a breach that goes on covers
    /// it.
    pub(super) fn last_resort(&self, entry: &Entry, detector: &Detector, clock: SteadyClock) -> Option<IncidentId> {
        let holds = |case: &Case| case.holds(entry.at, clock) && !self.is_apart(case, entry, clock);
        let fails = self.all.iter().filter(|(_, case)| case.incident.is_failing() && holds(case));
        let covers = |breach: &Arc<Breach>| breach.cleared.is_none() && detector.is_of(entry, breach);
        fails.filter(|(_, case)| case.incident.breaches.iter().any(covers)).map(|(id, _)| *id).next()
    }

    /// Finds the home of a breach, whose times are steady. What a person split stays apart.
    pub(super) fn home(&self, breach: &Breach, detector: &Detector, clock: SteadyClock, now: Timestamp) -> Housed {
        let housed = self.likely_home(breach, detector, clock, now);
        let (Home::Joins(id, _) | Home::Returns(id, _)) = &housed.home else { return housed };
        match self.split_off(*id, breach) {
            None => housed,
            Some(Some(other)) => {
                let reason = format!("the breaches of rule {} were split off to this incident", breach.rule);
                Housed { home: Home::Joins(other.incident.id, reason), ..housed }
            }
            Some(None) => Housed { home: Home::New, ..housed },
        }
    }

    fn likely_home(&self, breach: &Breach, detector: &Detector, clock: SteadyClock, now: Timestamp) -> Housed {
        let mut owned: BTreeMap<IncidentId, Vec<&Entry>> = BTreeMap::new();
        let mut own: Vec<&Entry> = Vec::new();
        for entry in detector.bad_checks(breach) {
            match self.owner(entry, clock) {
                Some(id) => owned.entry(id).or_default().push(entry),
                None => own.push(entry),
            }
        }
        let of_others: usize = owned.values().map(Vec::len).sum();
        let fails = |id: &IncidentId| self.all.get(id).is_some_and(|case| case.incident.is_failing());
        if of_others > own.len() {
            let failing = owned.iter().filter(|(id, _)| fails(id));
            if let Some((id, entries)) = failing.max_by_key(|(id, entries)| (entries.len(), Reverse(**id))) {
                let reason =
                    format!("{} of its {} bad checks are of this incident", entries.len(), of_others + own.len());
                return self.housed(Home::Joins(*id, reason), breach, entries);
            }
            if own.is_empty() {
                if !restart::lingers(breach, &self.config) {
                    let of = owned.iter().max_by_key(|(id, entries)| (entries.len(), Reverse(**id)));
                    let past = of.map_or(Home::New, |(id, _)| Home::Past(*id));
                    return self.housed(past, breach, &own);
                }
                own = owned.into_values().flatten().collect();
                own.sort_by_key(|entry| entry.at);
            }
        }
        if let Some(past) = self.of_past(breach, own.len(), detector, clock) {
            return self.housed(Home::Past(past), breach, &own);
        }
        let housed = self.housed(Home::New, breach, &own);
        let bad = self.counted(&own);
        let is_diffuse = |case: &Case| case.incident.is_failing() && case.incident.finding.is_diffuse();
        let few = self.all.values().any(is_diffuse) && own.len() * FEW < detector.checks(breach);
        let signs = correlate::Signs { breach, few, marks: &housed.marks, bad: &bad, config: &self.config };
        let home = self.joins(&signs, housed.since, clock).or_else(|| self.returns(&signs, now));
        Housed { home: home.unwrap_or(Home::New), ..housed }
    }

    /// The incident, which is over, without whose bad checks this would not be a breach: so few are of no incident.
    fn of_past(&self, breach: &Breach, own: usize, detector: &Detector, clock: SteadyClock) -> Option<IncidentId> {
        let rule = self.config.rules.iter().find(|rule| rule.id == breach.rule)?;
        let (least, within) = rule.kind.least_bad()?;
        if u32::try_from(own).is_ok_and(|own| own >= least) {
            return None;
        }
        let mut owned: BTreeMap<Option<IncidentId>, u32> = BTreeMap::new();
        for entry in detector.bad_checks_since(breach, breach.found - within) {
            *owned.entry(self.owner(entry, clock)).or_default() += 1;
        }
        if owned.remove(&None).is_some_and(|own| own >= least) {
            return None;
        }
        let (most, _) = owned.into_iter().max_by_key(|(id, bad)| (*bad, Reverse(*id)))?;
        most.filter(|id| self.all.get(id).is_some_and(|case| !case.incident.is_open()))
    }

    fn housed(&self, home: Home, breach: &Breach, own: &[&Entry]) -> Housed {
        let given = (breach.marks != Marks::default()).then(|| breach.marks.clone());
        let marks = given.or_else(|| correlate::main_outage(&self.counted(own), &self.config.cohorts));
        let since = own.first().map_or(breach.since, |first| first.at);
        Housed { home, since, marks: marks.unwrap_or_default() }
    }

    fn counted(&self, entries: &[&Entry]) -> Vec<BadChecks<'_>> {
        let mut counts: BTreeMap<(ProbeIndex, Option<FailureClass>), u64> = BTreeMap::new();
        entries.iter().for_each(|entry| *counts.entry((entry.probe, entry.class)).or_default() += 1);
        let each = counts.into_iter();
        each.filter_map(|((probe, class), count)| {
            Some(BadChecks { probe: self.config.probes.get(probe)?, class, count })
        })
        .collect()
    }

    /// The incident that fails to which it belongs, the oldest first.
    fn joins(&self, signs: &correlate::Signs<'_>, since: Timestamp, clock: SteadyClock) -> Option<Home> {
        let mut fails: Vec<&Case> = self.all.values().filter(|case| case.incident.is_failing()).collect();
        fails.sort_by_key(|case| (case.incident.opened, case.incident.id));
        fails.into_iter().find_map(|case| {
            let apart = since.since(clock.to_steady(case.from)).max(clock.to_steady(case.from).since(since));
            let together = apart <= self.longest_check(signs, case);
            let reason = signs.joins(&case.incident, &case.marks, together)?;
            (!self.stays_apart(case, signs)).then_some(Home::Joins(case.incident.id, reason))
        })
    }

    /// The incident that recovered, or ended not long ago, and that it brings back; the last first.
    fn returns(&self, signs: &correlate::Signs<'_>, now: Timestamp) -> Option<Home> {
        let within = self.config.reopen_within;
        let comes_back = |case: &&Case| match case.ended() {
            Some(ended) => now.since(ended) < within && case.incident.corrected.false_alarm.is_none(),
            None => case.incident.watched_until.is_some(),
        };
        let mut over: Vec<&Case> = self.all.values().filter(comes_back).collect();
        over.sort_by_key(|case| Reverse((case.incident.opened, case.incident.id)));
        over.into_iter().find_map(|case| {
            let reason = signs.returns(&case.incident, &case.marks)?;
            // What was merged comes back as part of what it was merged into.
            let home = self.root(case.incident.id).filter(|home| !self.stays_apart(home, signs))?;
            let id = home.incident.id;
            if home.incident.is_failing() {
                return Some(Home::Joins(id, reason));
            }
            comes_back(&home).then_some(Home::Returns(id, reason))
        })
    }

    /// The longest time between the ends of two checks of a probe that either hits: one cause has reached all by then.
    fn longest_check(&self, signs: &correlate::Signs<'_>, case: &Case) -> Duration {
        let both = signs.bad.iter().map(|bad| bad.probe).chain(case.hit_probes(&self.config));
        let each = both.map(|probe| match probe.cadence {
            Cadence::Every(interval) => interval + probe.timeout,
            Cadence::At(_) => CALENDAR,
        });
        each.max().unwrap_or_default()
    }
}

/// Fewer bad checks than one in so many are few.
const FEW: usize = 5;

/// One on a calendar counts as if it ran so often, when it is asked whether two outages began together.
const CALENDAR: Duration = Duration::from_secs(300);
