//! Cases: the incidents, open ones and those that may still come back. They alone change them.

mod changed_config;
mod corrections;
mod end;
mod home;
mod people;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::config::Config;
use crate::detect::Detector;
use crate::detect::history::Entry;
use crate::detect::self_check::Blindness;
use crate::incident::{blind, summary};
use crate::model::incident::Told;
use crate::model::{
    Breach, BreachId, CheckResult, Example, Incident, IncidentChange, IncidentEvent, IncidentId, Location, Outcome,
    ProbeIndex, Timestamp, Undelivered, WithheldFor,
};
use crate::notify::mute::Hit;

pub(super) use self::changed_config::Leftover;
use self::home::{Home, Housed};
use super::case::{Case, Examples, Moment, View};
use super::restart;
use super::steady::SteadyClock;

/// By less than this a clock is put right all the time, and results come in another order: it is not worth a word.
const LEAST_SET_BACK: Duration = Duration::from_secs(10);

/// An incident names so many others beside it, and no more.
const MOST_BESIDE: usize = 5;

/// The incidents of an engine.
pub(super) struct Cases {
    config: Arc<Config>,
    all: BTreeMap<IncidentId, Case>,
    examples: Examples,
    /// The breaches that say of a location that we cannot see from there, while they go on.
    blind: BTreeMap<Location, BreachId>,
    /// Those that ended long ago, and of which somebody asked something since.
    recalled: BTreeSet<IncidentId>,
    /// What happened and was not given out yet.
    events: Vec<IncidentEvent>,
}

impl Cases {
    /// Takes up stored incidents; their counts come from the results that are replayed after.
    pub(super) fn new(config: Arc<Config>, incidents: Vec<Incident>) -> Self {
        let all = incidents.into_iter().map(|incident| (incident.id, Case::resume(incident, &config))).collect();
        let (examples, blind, recalled) = (BTreeMap::new(), BTreeMap::new(), BTreeSet::new());
        Self { config, all, examples, blind, recalled, events: Vec::new() }
    }

    /// A replay begins with a check that ended at this wall-clock time.
    pub(super) fn counts_from(&mut self, first: Timestamp) {
        self.all.values_mut().for_each(|case| case.counts_from(first));
    }

    /// An incident as it stands.
    pub(super) fn incident(&self, id: IncidentId) -> Option<&Incident> {
        self.all.get(&id).map(|case| &case.incident)
    }

    /// The config that they are judged by.
    pub(super) fn config(&self) -> &Arc<Config> {
        &self.config
    }

    /// An incident as it stands, with today's counts while it is open: the record has those of its events.
    pub(super) fn today(&self, id: IncidentId, detector: &Detector) -> Option<Incident> {
        let case = self.all.get(&id)?;
        let mut incident = case.incident.clone();
        if incident.is_open() {
            incident.finding = case.finding(self.view(detector));
        }
        Some(incident)
    }

    /// The probes that an incident hits.
    pub(super) fn hit(&self, id: IncidentId, detector: &Detector) -> Hit<'_> {
        let view = self.view(detector);
        self.all.get(&id).map(|case| case.hit(&case.finding(view), &self.config)).unwrap_or_default()
    }

    /// Lets something happen to an incident that is told of it.
    pub(super) fn note(&mut self, id: IncidentId, change: IncidentChange, now: Timestamp) {
        if let Some(case) = self.all.get_mut(&id) {
            self.events.push(case.event(now, change));
        }
    }

    /// Notes that a message was not delivered, once: who is notified next hears of it.
    pub(super) fn undelivered(&mut self, undelivered: Undelivered, now: Timestamp) {
        let Undelivered { incident, notification, receiver, address, why } = undelivered;
        // By the ids of today: it may have been renamed since, or merged into another.
        let incident = self.root(incident).map_or(incident, |case| case.incident.id);
        let receiver = self.config.receiver(&receiver).map_or(receiver, |known| known.id.clone());
        let told = self.incident(incident).and_then(|incident| incident.told.get(&receiver));
        let is_known =
            |told: &Told| told.undelivered.get(&address).is_some_and(|(all, _)| all.contains(&notification));
        if told.is_some_and(|told| !is_known(told)) {
            self.note(incident, IncidentChange::Undelivered { notification, receiver, address, why }, now);
        }
    }

    /// What happened since this was last asked, in its order.
    pub(super) fn take_events(&mut self) -> Vec<IncidentEvent> {
        std::mem::take(&mut self.events)
    }

    /// The incidents to which something happened that was not given out yet.
    pub(super) fn touched(&self) -> BTreeSet<IncidentId> {
        self.events.iter().map(|event| event.incident).collect()
    }

    /// When the first of those that are watched will have stayed well for long enough; steady time.
    pub(super) fn next_watch_due(&self) -> Option<Timestamp> {
        self.all.values().filter_map(|case| case.watch_due).min()
    }

    /// Puts the open incidents' times to where the wall clock has them after it was set back.
    pub(super) fn note_set_back(&mut self, back: Duration, now: Timestamp) {
        if back < LEAST_SET_BACK {
            return;
        }
        for case in self.all.values_mut() {
            if case.incident.is_open() {
                self.events.push(case.event(now, IncidentChange::ClockSetBack { by: back }));
            }
            case.set_back(back);
        }
    }

    /// Forgets those that ended too long ago to come back, or to have a bad check in the history; those of which a breach
    /// goes on, later.
    pub(super) fn forget_ended(&mut self, now: Timestamp) {
        let remembered = restart::remembered(&self.config);
        self.all.retain(|id, case| {
            let alarm = case.incident.corrected.false_alarm.as_ref();
            // Whoever was notified of it is told that nothing was wrong.
            let owes = || {
                alarm
                    .is_some_and(|alarm| alarm.untold.iter().any(|receiver| self.config.receiver(receiver).is_some()))
            };
            let is_recalled = self.recalled.contains(id) || owes();
            let age = case.ended().filter(|_| !is_recalled).map(|ended| now.since(ended));
            age.is_none_or(|age| age < remembered || age < restart::ENDED_EARLY && case.lasting().next().is_some())
        });
        self.recalled.retain(|id| self.all.contains_key(id));
    }

    /// Remembers the failure of a probe, until it succeeds.
    pub(super) fn keep_example(&mut self, probe: ProbeIndex, result: &CheckResult) {
        match (result.outcome, &result.evidence) {
            (Outcome::Failure(class), Some(evidence)) => {
                let example = Example {
                    // What was asked under a former id as well.
                    probe: self.config.probes.get(probe).map_or(&result.probe, |probe| &probe.id).clone(),
                    at: result.finished(),
                    request: evidence.request.clone(),
                    fault: evidence.fault.clone(),
                };
                self.examples.insert(probe, (class, example));
            }
            (Outcome::Success, _) => {
                self.examples.remove(&probe);
            }
            _ => {}
        }
    }

    /// Counts a check. A bad one is of one incident: the one that most speaks for. `alert`: whether some rule would tell of
    /// it by itself.
    pub(super) fn count(&mut self, entry: &Entry, alert: bool, detector: &Detector, clock: SteadyClock) {
        let like = if entry.bad { self.owner(entry, clock) } else { None };
        let owner = like.or_else(|| if alert { None } else { self.last_resort(entry, detector, clock) });
        for (id, case) in self.all.iter_mut().filter(|(_, case)| case.incident.is_open()) {
            let own = !entry.bad || owner == Some(*id) && !case.has_counted(entry, clock, &self.config);
            if own && clock.to_steady(case.from) <= entry.at {
                case.count(entry, clock);
            }
        }
    }

    /// Looks again at what the checks of the failing incidents show.
    pub(super) fn reassess(&mut self, detector: &Detector, now: Timestamp) {
        let view = View { config: &self.config, detector, examples: &self.examples };
        for case in self.all.values_mut().filter(|case| case.incident.is_failing()) {
            case.reassess(now, view, &mut self.events);
        }
    }

    /// A rule crossed its threshold: the breach joins the incident to which it belongs, brings one back, or opens one. No
    /// where it says nothing that was not said.
    pub(super) fn breached(
        &mut self,
        mut breach: Breach,
        detector: &Detector,
        clock: SteadyClock,
        now: Timestamp,
    ) -> bool {
        let Housed { home, since, marks } = self.home(&breach, detector, clock, now);
        breach.since = clock.to_wall(since);
        breach.found = clock.to_wall(breach.found);
        breach.marks = marks;
        let config = Arc::clone(&self.config);
        let id = match &home {
            Home::Joins(id, _) | Home::Returns(id, _) => Some(*id),
            Home::New | Home::Past(_) => None,
        };
        let mut case = id.and_then(|id| self.all.remove(&id));
        let own = |entry: &Entry| self.owner(entry, clock).is_none();
        let view = View { config: &config, detector, examples: &self.examples };
        let moment = Moment { at: now, clock };
        let news = match (home, &mut case) {
            (Home::Joins(_, reason), Some(case)) => vec![case.join(breach, reason, since, own, moment, view)],
            (Home::Returns(_, reason), Some(case)) => case.come_back(breach, reason, since, own, moment, view),
            (Home::Past(id), _) => {
                self.note_past(id, &breach, now);
                return false;
            }
            (Home::New | Home::Joins(..) | Home::Returns(..), _) => {
                let (new, event) = Case::open(breach, since, own, moment, view);
                let id = new.incident.id;
                self.events.push(event);
                self.all.insert(id, new);
                self.see_also(id, now);
                return true;
            }
        };
        self.events.extend(news);
        self.all.extend(case.map(|case| (case.incident.id, case)));
        true
    }

    /// Notes of an incident that is over why a breach that says nothing new of it notifies nobody, once.
    fn note_past(&mut self, id: IncidentId, breach: &Breach, now: Timestamp) {
        let (receiver, cause) = (None, WithheldFor::Said);
        let known =
            |incident: &Incident| incident.withheld.get(&receiver).is_some_and(|known| known.contains(&cause));
        if self.incident(id).is_none_or(known) {
            return;
        }
        let reason = format!(
            "rule {} crossed its threshold for {} only with bad checks of this incident, which is resolved",
            breach.rule, breach.slice
        );
        self.note(id, IncidentChange::Withheld { receiver, cause, reason }, now);
    }

    /// Notes of an incident that was opened, and of those beside which it was, that there is the other.
    fn see_also(&mut self, id: IncidentId, now: Timestamp) {
        let named = |case: &Case| summary::title(&case.incident.finding, Some(&self.config));
        let Some(what) = self.all.get(&id).filter(|case| case.tells_of_components()).map(named) else { return };
        let is_beside = |case: &&Case| {
            let there = case.ended().is_none_or(|ended| now.since(ended) < self.config.reopen_within);
            there
                && case.incident.id != id
                && case.incident.corrected.merged_into.is_none()
                && case.tells_of_components()
                && case.incident.see_also.len() < MOST_BESIDE
        };
        let beside: Vec<(IncidentId, String)> =
            self.all.values().filter(is_beside).map(|case| (case.incident.id, named(case))).collect();
        for (other, its) in beside.into_iter().take(MOST_BESIDE) {
            for (of, other, what) in [(id, other, its), (other, id, what.clone())] {
                self.note(of, IncidentChange::SeeAlso { other, what }, now);
            }
        }
    }

    /// A breach is over.
    pub(super) fn cleared(&mut self, id: BreachId, reason: String, now: Timestamp) {
        let goes_on = |breach: &Arc<Breach>| breach.id == id && breach.cleared.is_none();
        let holds = |case: &Case| case.incident.is_open() && case.incident.breaches.iter().any(goes_on);
        let Some(case) = self.all.values_mut().find(|case| holds(case)) else {
            // A breach whose incident a person resolved ends without a word.
            self.note_over(id, reason);
            return;
        };
        self.events.push(case.clear(id, reason, now));
        // A budget goes on being overdrawn for long after what burnt it is over: that alone holds no incident open that
        // other rules saw as well.
        let lingers = |breach: &Arc<Breach>| restart::lingers(breach, &self.config);
        let open: Vec<BreachId> =
            case.incident.breaches.iter().filter(|b| b.cleared.is_none()).map(|b| b.id).collect();
        let held = case.incident.breaches.iter().any(|breach| breach.cleared.is_none() && !lingers(breach));
        if !held && !case.incident.breaches.iter().all(lingers) {
            for breach in open {
                let reason = "what burnt the budget is over by the other rules".to_owned();
                self.events.push(case.clear(breach, reason, now));
            }
        }
    }

    /// Remembers that a breach is over whose incident a person resolved, in case it comes back.
    pub(super) fn note_over(&mut self, id: BreachId, reason: String) {
        let goes_on = |breach: &Arc<Breach>| breach.id == id && breach.cleared.is_none();
        if let Some(case) = self.all.values_mut().find(|case| case.incident.breaches.iter().any(goes_on)) {
            case.over.push((id, reason));
        }
    }

    /// Whether an open incident has this breach.
    pub(super) fn has_open(&self, id: BreachId) -> bool {
        let open = self.all.values().filter(|case| case.incident.is_open());
        open.flat_map(|case| &case.incident.breaches).any(|breach| breach.id == id)
    }

    /// Takes up the ends of those that are watched, after a replay.
    pub(super) fn take_up_watches(&mut self, clock: SteadyClock) {
        for case in self.all.values_mut() {
            case.watch_due = case.incident.watched_until.map(|until| clock.to_steady(until));
        }
    }

    /// Ends the incidents that have stayed well for long enough.
    pub(super) fn end_watches(&mut self, detector: &Detector, clock: SteadyClock, now: Timestamp) {
        let at = clock.to_steady(now);
        let view = View { config: &self.config, detector, examples: &self.examples };
        for case in self.all.values_mut().filter(|case| case.watch_due.is_some_and(|due| due <= at)) {
            self.events.push(case.end("it came back before, and has stayed well since".to_owned(), now, at, view));
        }
    }

    /// Opens the incident of our own: nothing can be seen from there.
    pub(super) fn open_blind(
        &mut self,
        location: Location,
        blindness: Blindness,
        at: Timestamp,
        clock: SteadyClock,
        now: Timestamp,
    ) {
        let since = clock.to_wall(blindness.since);
        let lasted = at.since(blindness.since);
        let told = blind::breach(&location, &blindness, since, lasted, now, &self.config);
        // Sight says so only where a rule is about that.
        let Some((breach, finding)) = told else { return };
        self.blind.insert(location, breach.id);
        let (case, event) = Case::found(breach, finding, now, &self.config);
        self.events.push(event);
        self.all.insert(case.incident.id, case);
    }

    /// Takes up a stored breach that says that nothing can be seen from there.
    pub(super) fn take_up_blind(&mut self, location: Location, breach: BreachId) {
        self.blind.insert(location, breach);
    }

    /// Ends the incident of our own, unless a person has: something was seen again from there, at that time.
    pub(super) fn end_blind(&mut self, location: &Location, seen: Timestamp, now: Timestamp) {
        let Some(breach) = self.blind.remove(location) else { return };
        let ours = |case: &&mut Case| {
            case.incident.is_open() && case.incident.breaches.iter().any(|other| other.id == breach)
        };
        let Some(case) = self.all.values_mut().find(ours) else { return };
        for change in blind::end(&case.incident, breach, seen) {
            self.events.push(case.event(now, change));
        }
    }

    fn view<'a>(&'a self, detector: &'a Detector) -> View<'a> {
        View { config: &self.config, detector, examples: &self.examples }
    }
}
