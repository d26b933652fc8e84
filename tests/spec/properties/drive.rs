//! A driver of the engine that, at each input, holds what comes out against what must hold of every input.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use tripline::config::Config;
use tripline::engine::{Engine, Input, Output, Restoring, restart};
use tripline::incident::lifecycle;
use tripline::model::Dice;
use tripline::model::{
    Action, ActionId, CheckResult, FailureClass, Incident, IncidentChange, IncidentEvent, IncidentId, Judged,
    NotificationId, Outcome, Timestamp,
};

use super::history::{Round, Step};
use crate::given::{START, failure, seconds, success};

/// A round takes so long, however many probes there are.
const ROUND: Duration = Duration::from_secs(20);

/// An engine, its driver, and everything that came out.
pub(super) struct Drive {
    config: Arc<Config>,
    engine: Engine,
    pub(super) now: Timestamp,
    next_action: i64,
    /// How long the certificates last that are shown.
    certificate: Duration,
    pub(super) results: Vec<Judged>,
    pub(super) events: BTreeMap<IncidentId, Vec<IncidentEvent>>,
    /// In the order in which they were opened.
    pub(super) opened: Vec<IncidentId>,
    told: BTreeSet<NotificationId>,
}

impl Drive {
    pub(super) fn new(config: &Arc<Config>) -> Self {
        Self {
            config: Arc::clone(config),
            engine: Restoring::new(Arc::clone(config), Vec::new()).settle(START),
            now: START,
            next_action: 0,
            certificate: seconds(90 * 86_400),
            results: Vec::new(),
            events: BTreeMap::new(),
            opened: Vec::new(),
            told: BTreeSet::new(),
        }
    }

    pub(super) fn play(&mut self, steps: &[Step]) -> Result<(), TestCaseError> {
        steps.iter().try_for_each(|step| self.step(step))?;
        self.end()
    }

    fn step(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match step {
            Step::Check { probe, after, off, outcome } => {
                self.wait(Duration::from_millis(*after))?;
                let span = Duration::from_millis(off.unsigned_abs());
                let ended = if *off < 0 { self.now - span } else { self.now + span };
                let result = self.result(*probe, ended, *outcome);
                self.check(result, ended)
            }
            Step::Late { probe, ago, outcome } => {
                let result = self.result(*probe, self.now - Duration::from_millis(*ago), *outcome);
                self.check(result, self.now)
            }
            Step::Round(round) => self.round(*round),
            Step::Certificate(left) => {
                self.certificate = seconds(*left);
                Ok(())
            }
            Step::Silence(length) => self.wait(seconds(*length)),
            Step::ClockSet(by) => {
                let span = seconds(by.unsigned_abs());
                self.now = if *by < 0 { self.now - span } else { self.now + span };
                self.time_out()
            }
            Step::Act(which, kind) => {
                let Some(&incident) = self.opened.iter().cycle().nth(*which) else {
                    return Ok(());
                };
                let id = ActionId(self.next_action);
                self.next_action += 1;
                let other = self.opened.iter().cycle().nth(*which + 1).copied();
                let (by, text, parts) = ("ada".into(), "a word".into(), self.parts(*which));
                let action = Action { at: self.now, incident, kind: *kind, by, text, other, parts };
                let answers = self.hand(Input::Action(id, action), self.now)?;
                prop_assert_eq!(answers, [id], "an action has one answer");
                Ok(())
            }
            Step::Restart => self.restart(),
        }
    }

    /// A component, or a rule.
    fn parts(&self, which: usize) -> BTreeSet<String> {
        let config = &self.config;
        let rule = config.rules.get(which / 2).filter(|_| !which.is_multiple_of(2));
        let component = &config.components[which / 2 % config.components.len()].id;
        BTreeSet::from([rule.map_or_else(|| component.to_string(), |rule| rule.id.to_string())])
    }

    fn round(&mut self, round: Round) -> Result<(), TestCaseError> {
        let config = Arc::clone(&self.config);
        let all = config.probes.len();
        // Neighbours in time are of different components and customers.
        let stride = [5, 7, 11, 1].into_iter().find(|stride| !all.is_multiple_of(*stride)).unwrap_or(1);
        for turn in 0..all {
            self.wait(ROUND / u32::try_from(all).unwrap())?;
            let place = turn * stride % all;
            let hit = round.hit.hits(place, &config.probes[place], &config);
            let (noise, seed) = round.noise;
            let strays = Dice::of(seed, place as u64, 0).below(64) < noise;
            let fails = strays || (hit && round.late.is_none());
            let outcome = if fails { Outcome::Failure(round.class) } else { Outcome::Success };
            let mut result = self.result(place, self.now, outcome);
            if let Some(late) = round.late.filter(|_| hit && !fails) {
                let late = Duration::from_millis(late);
                result.started = result.started - late;
                result.phases.first_byte = Some(late);
                result.phases.total += late;
            }
            if fails && round.again {
                let first = CheckResult { superseded: true, ..result.clone() };
                self.check(first, self.now)?;
                self.wait(Duration::from_millis(50))?;
                result.started = result.started + Duration::from_millis(50);
            }
            self.check(result, self.now)?;
        }
        Ok(())
    }

    fn result(&self, probe: usize, ended: Timestamp, outcome: Outcome) -> CheckResult {
        let probe = &self.config.probes[probe % self.config.probes.len()];
        let template = if outcome.failure().is_some() { failure } else { success };
        let mut result = CheckResult { outcome, ..template(probe.id.as_str(), ended) };
        result.phases.total = Duration::from_millis(40);
        result.started = ended - result.phases.total;
        // Where no answer came, nothing of one is known.
        let answered = !matches!(
            outcome,
            Outcome::Failure(FailureClass::Timeout | FailureClass::Connect | FailureClass::Dns) | Outcome::Void(_)
        );
        result.status = result.status.filter(|_| answered);
        result.expires = answered.then(|| self.now + self.certificate);
        result
    }

    /// Time passes; the engine is woken whenever it asked to be.
    fn wait(&mut self, length: Duration) -> Result<(), TestCaseError> {
        let until = self.now + length;
        while let Some(due) = self.engine.poll_timeout().filter(|due| *due <= until) {
            self.now = self.now.max(due);
            self.time_out()?;
        }
        self.now = until;
        Ok(())
    }

    fn time_out(&mut self) -> Result<(), TestCaseError> {
        self.hand(Input::Timeout, self.now)?;
        let next = self.engine.poll_timeout();
        prop_assert!(next.is_none_or(|next| next > self.now), "woken at {:?}, and to be woken at {next:?}", self.now);
        Ok(())
    }

    fn check(&mut self, result: CheckResult, now: Timestamp) -> Result<(), TestCaseError> {
        let answers = self.hand(Input::Result(result), now)?;
        prop_assert_eq!(answers, []);
        Ok(())
    }

    /// Hands an input in, takes all that comes out, and holds it against what must hold of each input.
    fn hand(&mut self, input: Input, now: Timestamp) -> Result<Vec<ActionId>, TestCaseError> {
        let before = self.engine.time();
        self.engine.handle(input, now);
        prop_assert!(self.engine.time() >= before, "the engine's time ran back from {before}");
        self.drain()
    }

    fn drain(&mut self) -> Result<Vec<ActionId>, TestCaseError> {
        let (mut touched, mut given) = (BTreeSet::new(), BTreeMap::new());
        let (mut announced, mut owed, mut answers) = (Vec::new(), Vec::new(), Vec::new());
        while let Some(output) = self.engine.poll_output() {
            match output {
                Output::Result(judged) => self.results.push(judged),
                Output::Event(event) => {
                    let id = event.incident;
                    touched.insert(id);
                    if let IncidentChange::Opened { .. } = event.change {
                        prop_assert!(!self.opened.contains(&id), "{id} is opened twice");
                        self.opened.push(id);
                    }
                    if let IncidentChange::Told { notification, receiver, kind, reason, .. } = &event.change {
                        announced.push((*notification, id, receiver.clone(), *kind, reason.clone()));
                    }
                    let events = self.events.entry(id).or_default();
                    prop_assert_eq!(event.seq as usize, events.len(), "the numbers of {} have no gap", id);
                    let turns = |event: &&IncidentEvent| {
                        matches!(
                            event.change,
                            IncidentChange::Resolved { .. }
                                | IncidentChange::Reopened { .. }
                                | IncidentChange::MergedInto { .. }
                        )
                    };
                    let last = events.iter().rfind(turns);
                    let over = last.is_some_and(|event| !matches!(event.change, IncidentChange::Reopened { .. }));
                    let news = !matches!(
                        event.change,
                        IncidentChange::Told { .. }
                            | IncidentChange::Withheld { .. }
                            | IncidentChange::Reopened { .. }
                            | IncidentChange::SeeAlso { .. }
                            | IncidentChange::Undelivered { .. }
                            | IncidentChange::MergedInto { .. }
                            | IncidentChange::FalseAlarm { .. }
                    );
                    prop_assert!(!(over && news), "after its end an incident is only told of: {event:?}");
                    events.push(event);
                }
                Output::Owed(notification) => {
                    prop_assert!(self.told.insert(notification.id), "{} is owed twice", notification.id);
                    let it = notification;
                    owed.push((it.id, it.incident, it.receiver, it.kind, it.reason));
                }
                Output::Incident(incident) => {
                    given.insert(incident.id, incident);
                }
                Output::Answer(id, _) => answers.push(id),
                Output::Recheck(..) => prop_assert!(false, "a recheck is asked for"),
            }
        }
        prop_assert_eq!(announced, owed, "what is told is owed, in the same breath, and the reverse");
        for id in touched {
            let folded = lifecycle::fold(&self.events[&id]);
            prop_assert_eq!(
                folded.as_ref().ok(),
                self.engine.incident(id),
                "an incident is what its events make of it"
            );
            prop_assert_eq!(folded.ok(), given.remove(&id), "it is given out as it stands");
        }
        prop_assert!(given.is_empty(), "nothing happened to {given:?}");
        Ok(answers)
    }

    /// The daemon ends, and another starts at once with what is stored.
    pub(super) fn restart(&mut self) -> Result<(), TestCaseError> {
        let from = restart::replay_from(&self.config, &self.lasting(), self.now);
        self.restart_from(from)
    }

    /// What must hold at the end: what was opened is resolved, or open.
    pub(super) fn end(&self) -> Result<(), TestCaseError> {
        prop_assert_eq!(self.opened.len(), self.events.len());
        for (id, events) in &self.events {
            let incident = lifecycle::fold(events).unwrap();
            prop_assert!(incident.is_open() || incident.resolved.is_some(), "{id} is neither: {incident:?}");
            let known = self.engine.incident(*id);
            prop_assert!(known.is_some() || !incident.is_open(), "{id} is open, and the engine has forgotten it");
        }
        Ok(())
    }

    /// The incidents that a daemon takes up.
    fn lasting(&self) -> Vec<Incident> {
        let stored = self.events.values().map(|events| lifecycle::fold(events).unwrap());
        stored.filter(|incident| restart::lasts(incident, &self.config, self.now)).collect()
    }

    pub(super) fn restart_from(&mut self, from: Timestamp) -> Result<(), TestCaseError> {
        let incidents = self.lasting();
        let mut restoring = Restoring::new(Arc::clone(&self.config), incidents);
        for judged in self.results.iter().filter(|judged| judged.result.started >= from) {
            restoring.replay(judged);
        }
        self.engine = restoring.settle(self.now);
        self.drain()?;
        // The daemon's pump hands in a timeout as soon as one is due.
        if self.engine.poll_timeout().is_some_and(|due| due <= self.now) {
            self.time_out()?;
        }
        Ok(())
    }
}
