//! Restoring: an engine that is being taken up from what is stored. Results are counted again, and the stored breaches
//! go on; when that is settled, it is an engine.

use std::cmp::Reverse;
use std::collections::VecDeque;
use std::sync::Arc;

use super::cases::{Cases, Leftover};
use super::sight::Sight;
use super::steady::SteadyClock;
use super::tell::Tell;
use super::{Engine, restart};
use crate::config::Config;
use crate::detect::{Detector, Signal};
use crate::incident::{blind, lifecycle, rename};
use crate::model::{Breach, BreachId, Incident, IncidentEvent, Judged, Timestamp};

/// An engine that takes up where the stored incidents left off, and gives out nothing yet.
///
/// Give it the incidents that [last](restart::lasts), then [`replay`](Self::replay) the stored results from
/// [`restart::replay_from`] on, in the order in which they were stored; then [`settle`](Self::settle).
pub struct Restoring {
    engine: Engine,
    /// Breaches of the stored incidents that were not over.
    stored: Vec<Breach>,
    /// Overdrawn budgets whose incidents ended by other rules, with when, the first last; until the replay gets there.
    settled: Vec<(Timestamp, Breach)>,
    /// Breaches that the replay found and that did not end in it.
    replayed: Vec<Breach>,
    /// The last of each slice that the replay found and that did end in it.
    ended: Vec<Ended>,
    /// That stored incidents know something by another id now. When that was noticed is not said yet.
    renamed: Vec<IncidentEvent>,
    /// What the config has no use for.
    leftover: Leftover,
    /// Whether a result was replayed.
    began: bool,
}

/// A breach that began and ended in the results that are replayed.
struct Ended {
    breach: Breach,
    /// When it ended, in steady time.
    at: Timestamp,
    reason: String,
}

impl Restoring {
    /// Begins with the stored incidents, in any order.
    #[must_use]
    pub fn new(config: Arc<Config>, mut incidents: Vec<Incident>) -> Self {
        let renamed = incidents.iter_mut().flat_map(|incident| take_up_ids(incident, &config)).collect();
        // Of two breaches of one slice, the one of an open incident is the later, and goes on.
        incidents.sort_by_key(|incident| (incident.is_open(), incident.opened));
        let all = incidents.iter().flat_map(|incident| &incident.breaches);
        let stored = all.filter(|breach| breach.cleared.is_none()).map(|breach| breach.as_ref().clone()).collect();
        let settled = settled(&incidents, &config);
        let engine = Engine {
            clock: SteadyClock::default(),
            sight: Sight::new(Arc::clone(&config)),
            detector: Detector::new(Arc::clone(&config)),
            tell: Tell::resume(&incidents),
            cases: Cases::new(Arc::clone(&config), incidents),
            outputs: VecDeque::new(),
            config,
        };
        let (replayed, ended, leftover) = (Vec::new(), Vec::new(), Leftover::default());
        Self { engine, stored, settled, replayed, ended, renamed, leftover, began: false }
    }

    /// Takes in a stored result again: it is counted, but raises nothing, since what it raised is stored as well.
    pub fn replay(&mut self, judged: &Judged) {
        if !std::mem::replace(&mut self.began, true) {
            self.engine.cases.counts_from(judged.result.finished());
        }
        // What time alone had ended before this check had ended then.
        let at = self.engine.clock.place(judged.result.finished(), judged.at);
        let clock = self.engine.clock;
        while let Some((settled, breach)) = self.settled.pop_if(|(settled, _)| clock.to_steady(*settled) < at) {
            self.take_up_settled(&breach, clock.to_steady(settled));
        }
        let mut signals = self.pass_until(at);
        match self.engine.config.probe_index(&judged.result.probe) {
            Some(probe) => _ = self.engine.count(probe, &judged.result, at, &mut signals),
            None => self.engine.cases.note_gone(&judged.result, at, self.engine.clock, &mut self.leftover),
        }
        self.note_replayed(signals, at);
    }

    /// Ends the replay: from here on it is an engine. Stored breaches go on under their own ids. One that no rule judges
    /// any more is over, and so is one that has been well for long enough by now: of an incident that a person resolved,
    /// no end is stored. An open incident that nothing watches any more ends, and is not said to have recovered.
    ///
    /// What the replay found beyond them is dropped: it is too old to be seen whole, or the rules are new. In a slice
    /// that is still bad under new rules the next bad check is a breach.
    #[must_use]
    pub fn settle(mut self, now: Timestamp) -> Engine {
        let renamed = std::mem::take(&mut self.renamed).into_iter().map(|event| IncidentEvent { at: now, ..event });
        self.engine.cases.note_renamed(renamed.collect());
        // When results were judged was noted; what happened to the clock while nobody looked was not.
        let back = self.engine.clock.follow(now);
        self.engine.cases.note_set_back(back, now);
        let at = self.engine.clock.advance(now);
        while let Some((settled, breach)) = self.settled.pop() {
            self.take_up_settled(&breach, self.engine.clock.to_steady(settled).min(at));
        }
        self.engine.cases.take_up_watches(self.engine.clock);
        let mut signals = self.take_up_stored();
        let Self { mut engine, replayed, leftover, .. } = self;
        let unwatched = engine.cases.end_unwatched(&leftover, &engine.detector, now);
        for breach in replayed.iter().chain(unwatched.iter().map(Arc::as_ref)) {
            engine.detector.forget(breach);
        }
        engine.detector.start(at);
        engine.detector.pass(at, &mut signals);
        engine.follow(signals, now);
        engine.end_recovered(now);
        engine.give_out(now);
        engine
    }

    /// Goes on as it is: an engine for a recorded past, in which nothing is missing that does not come.
    #[must_use]
    pub fn begin(self) -> Engine {
        self.engine
    }

    /// Takes up the stored breaches; says which of them are over.
    fn take_up_stored(&mut self) -> Vec<Signal> {
        let mut over = Vec::new();
        let mut stored: VecDeque<Breach> = std::mem::take(&mut self.stored).into();
        while let Some(breach) = stored.pop_front() {
            self.replayed.retain(|other| !same_place(other, &breach));
            // Of two rules that are one since they were renamed.
            let is_twin = |other: &Breach| same_place(other, &breach);
            if stored.iter().any(is_twin) && self.engine.cases.has_open(breach.id) {
                let reason = "another breach of the same rule and slice goes on".to_owned();
                over.push(Signal::Cleared { breach: breach.id, reason });
                continue;
            }
            // The results show its end: were it taken up, it would have to be proved anew after every start.
            let found = self.engine.clock.to_steady(breach.found);
            let ended = self.ended.iter().find(|ended| same_place(&ended.breach, &breach) && ended.at >= found);
            if let Some(Ended { reason, .. }) = ended {
                self.leftover.over.insert(breach.id);
                over.push(Signal::Cleared { breach: breach.id, reason: reason.clone() });
                continue;
            }
            if !self.engine.detector.adopt(&breach) && !self.take_up_blind(&breach) {
                self.leftover.unjudged.insert(breach.id);
                let reason = "no rule of the config judges it any more".to_owned();
                over.push(Signal::Cleared { breach: breach.id, reason });
            }
        }
        over
    }

    /// Takes up a breach of our own; no if it is none, or nobody is told of that any more.
    fn take_up_blind(&mut self, breach: &Breach) -> bool {
        let Some(location) = blind::location(breach, &self.engine.config) else { return false };
        let told = self.engine.sight.take_up_told(&location);
        if told {
            self.engine.cases.take_up_blind(location, breach.id);
        }
        told
    }

    /// Lets time pass until this moment, as far as it alone changes something.
    fn pass_until(&mut self, at: Timestamp) -> Vec<Signal> {
        let mut signals = Vec::new();
        while let Some(due) = self.engine.detector.next_timeout().filter(|due| *due <= at) {
            self.engine.detector.pass(due, &mut signals);
        }
        signals
    }

    /// Takes up an overdrawn budget whose incident ended in this moment: it goes on, and is told of no more, until the
    /// results show that it is low.
    fn take_up_settled(&mut self, breach: &Breach, at: Timestamp) {
        let signals = self.pass_until(at);
        self.note_replayed(signals, at);
        let found = self.engine.clock.to_steady(breach.found);
        if self.ended.iter().any(|ended| same_place(&ended.breach, breach) && ended.at >= found) {
            return;
        }
        self.replayed.retain(|other| !same_place(other, breach));
        self.engine.detector.adopt(breach);
        // One that had been low for long enough by then was over.
        let mut signals = Vec::new();
        self.engine.detector.pass(at, &mut signals);
        self.note_replayed(signals, at);
    }

    /// Notes which breaches the replay found, and which ended in it.
    fn note_replayed(&mut self, signals: Vec<Signal>, at: Timestamp) {
        for signal in signals {
            match signal {
                Signal::Breached(breach) => {
                    self.ended.retain(|ended| !same_place(&ended.breach, &breach));
                    self.replayed.push(breach);
                }
                Signal::Cleared { breach, reason } => self.note_ended(breach, reason, at),
            }
        }
    }

    fn note_ended(&mut self, breach: BreachId, reason: String, at: Timestamp) {
        // The end of a breach that was taken up is not one of the replay's own.
        let Some(place) = self.replayed.iter().position(|other| other.id == breach) else { return };
        let ended = self.replayed.swap_remove(place);
        // A slice has one breach at a time: with this one, what was stored of it before had ended too. An open incident
        // would know of that, unless nobody was up for long enough to see it.
        let (cases, now) = (&self.engine.cases, self.engine.clock.to_wall(at));
        let mut over = Vec::new();
        self.stored.retain(|stored| {
            // In the moment in which one ends, the next may be found.
            let later = stored.found > now || (stored.found == now && stored.id != ended.id);
            let lasts = !same_place(stored, &ended) || later || cases.has_open(stored.id);
            over.extend((!lasts).then_some(stored.id));
            lasts
        });
        over.into_iter().for_each(|id| self.engine.cases.note_over(id, reason.clone()));
        self.ended.retain(|other| !same_place(&other.breach, &ended));
        self.ended.push(Ended { breach: ended, at, reason });
    }
}

/// The budgets that may still be overdrawn though their incidents ended by other rules, with when these did, the first
/// of them last. Of a slice only its last breach can go on.
fn settled(incidents: &[Incident], config: &Config) -> Vec<(Timestamp, Breach)> {
    let all = || incidents.iter().flat_map(|incident| &incident.breaches);
    let is_last = |breach: &Breach| all().all(|other| !same_place(other, breach) || other.found <= breach.found);
    let each = incidents.iter().flat_map(|incident| restart::settled(incident, config));
    let mut settled: Vec<(Timestamp, Breach)> =
        each.filter(|(_, breach)| is_last(breach)).map(|(at, breach)| (at, breach.clone())).collect();
    settled.sort_by_key(|(at, _)| Reverse(*at));
    settled
}

/// Lets an incident go on under the ids that the config has for what it knows, and says what was renamed.
fn take_up_ids(incident: &mut Incident, config: &Config) -> Vec<IncidentEvent> {
    let changes = rename::changes(incident, config).into_iter();
    let events = changes.map(|change| {
        let event =
            IncidentEvent { incident: incident.id, seq: incident.next_event, at: Timestamp::default(), change };
        lifecycle::apply(incident, &event);
        event
    });
    events.collect()
}

/// Whether both are of the same rule and slice, of which only one can go on.
fn same_place(a: &Breach, b: &Breach) -> bool {
    (&a.rule, &a.slice) == (&b.rule, &b.slice)
}
