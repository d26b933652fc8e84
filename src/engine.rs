//! Floor 1, the one door: inputs go in, and what must be stored and told comes out.
//!
//! The engine is a state machine without IO: whoever drives it (the daemon, a drill, a replay) hands it an [`Input`]
//! together with the time, takes every [`Output`] until there is none left, and wakes it when
//! [`Engine::poll_timeout`] says. The same inputs at the same times give the same outputs, ids included.

mod case;
pub mod restart;
mod steady;
mod tell;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use crate::config::Config;
use crate::detect::{Detector, Signal};
use crate::incident::correlate;
use crate::model::incident::Example;
use crate::model::{
    Action, ActionId, ActionKind, Breach, BreachId, CheckResult, FailureClass, Incident, IncidentChange,
    IncidentEvent, IncidentId, Notification, Outcome, ProbeId, Timestamp,
};

use case::Case;
use steady::SteadyClock;

/// Something that the engine takes in.
#[derive(Clone, PartialEq, Debug)]
pub enum Input {
    /// A check ended; the time is that of its end, or later when it was held up.
    Result(CheckResult),
    /// An operator asked for something.
    Action(ActionId, Action),
    /// Time has passed.
    Timeout,
}

/// Something that the engine gives out. All outputs of one input must become durable together.
#[derive(Clone, PartialEq, Debug)]
pub enum Output {
    /// Something happened to an incident.
    Event(IncidentEvent),
    /// A message is owed.
    Owed(Notification),
    /// An action was carried out, or not: the answer says which.
    Answer(ActionId, String),
}

/// The last failure of each probe that fails, by its index.
type Examples = BTreeMap<usize, (FailureClass, Example)>;

/// Detection, incidents and the plan of who is told, for one config.
pub struct Engine {
    config: Arc<Config>,
    index: HashMap<ProbeId, usize>,
    detector: Detector,
    cases: BTreeMap<IncidentId, Case>,
    examples: Examples,
    clock: SteadyClock,
    outputs: VecDeque<Output>,
    signals: Vec<Signal>,
    /// Breaches of the open incidents that were not over, until the replay is settled.
    stored: Vec<Breach>,
    /// Breaches that the replay found and that did not end in it, until it is settled.
    replayed: Vec<Breach>,
}

impl Engine {
    /// An engine that takes up where the stored incidents left off.
    ///
    /// Give it the incidents that are open, and those that a person resolved while a breach was going on. Then
    /// [`replay`](Self::replay) the stored results of [`lookback`](crate::detect::lookback), and of the open
    /// incidents' time, in the order in which they were stored; then [`settle`](Self::settle).
    #[must_use]
    pub fn restore(config: Arc<Config>, mut incidents: Vec<Incident>) -> Self {
        // Of two breaches of one slice, the one of an open incident is the later, and goes on.
        incidents.sort_by_key(|incident| (incident.is_open(), incident.opened));
        let stored = lasting(&incidents);
        let open = incidents.into_iter().filter(Incident::is_open);
        let cases = open.map(|incident| (incident.id, Case::resume(incident, &config))).collect();
        Self {
            index: config.probes.iter().enumerate().map(|(index, probe)| (probe.id.clone(), index)).collect(),
            detector: Detector::new(Arc::clone(&config)),
            cases,
            examples: BTreeMap::new(),
            clock: SteadyClock::default(),
            outputs: VecDeque::new(),
            signals: Vec::new(),
            stored,
            replayed: Vec::new(),
            config,
        }
    }

    /// Takes in a stored result again: it is counted, but raises nothing, since what it raised is stored as well.
    pub fn replay(&mut self, result: &CheckResult) {
        // What time alone had ended before this check had ended then.
        let at = self.clock.advance(result.finished());
        while let Some(due) = self.detector.next_timeout().filter(|due| *due <= at) {
            self.detector.pass(due, &mut self.signals);
        }
        self.take_in(result, result.finished());
        for signal in self.signals.drain(..) {
            match signal {
                Signal::Breached(breach) => self.replayed.push(breach),
                Signal::Cleared { breach, .. } => {
                    let Some(place) = self.replayed.iter().position(|other| other.id == breach) else { continue };
                    let ended = self.replayed.swap_remove(place);
                    // A slice has one breach at a time: with this one, what was stored of it before had ended too. An
                    // open incident would know of that.
                    let (cases, now) = (&self.cases, self.clock.to_wall(at));
                    self.stored.retain(|stored| {
                        let held = |case: &Case| case.incident.breaches.iter().any(|other| other.id == stored.id);
                        !same_place(stored, &ended) || stored.found > now || cases.values().any(held)
                    });
                }
            }
        }
    }

    /// Ends the replay. Stored breaches go on under their own ids. One that no rule judges any more is over, and so is
    /// one that has been well for long enough by now: of an incident that a person resolved, no end is stored.
    ///
    /// What the replay found beyond them is dropped: it is too old to be seen whole, or the rules are new. In a slice
    /// that is still bad under new rules the next bad check is a breach.
    pub fn settle(&mut self, now: Timestamp) {
        let at = self.clock.advance(now);
        for breach in std::mem::take(&mut self.stored) {
            self.replayed.retain(|other| !same_place(other, &breach));
            if !self.detector.adopt(&breach) {
                let reason = "no rule of the config judges it any more".to_owned();
                self.signals.push(Signal::Cleared { breach: breach.id, reason });
            }
        }
        for breach in std::mem::take(&mut self.replayed) {
            self.detector.forget(&breach);
        }
        self.detector.pass(at, &mut self.signals);
        self.follow_signals(now);
        self.tell(now);
    }

    /// Takes in one input. `now` is wall-clock time; it may step back, the engine's own time does not.
    pub fn handle(&mut self, input: Input, now: Timestamp) {
        self.cases.retain(|_, case| case.incident.is_open());
        match input {
            Input::Result(result) => {
                if let Some(bad) = self.take_in(&result, now) {
                    self.follow_signals(now);
                    if bad {
                        self.reassess(now);
                    }
                }
            }
            Input::Action(id, action) => {
                let answer = self.act(action, now);
                self.outputs.push_back(Output::Answer(id, answer));
            }
            Input::Timeout => {
                let at = self.clock.advance(now);
                self.detector.pass(at, &mut self.signals);
                self.follow_signals(now);
            }
        }
        self.tell(now);
    }

    /// The next output, oldest first.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to hand in [`Input::Timeout`], if nothing else comes before.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        let detector = self.detector.next_timeout().map(|at| self.clock.to_wall(at));
        let decisions = self.cases.values().filter_map(|case| case.decide_at);
        detector.into_iter().chain(decisions).min()
    }

    /// An incident as it stands: one that is open, or that the last input resolved.
    #[must_use]
    pub fn incident(&self, id: IncidentId) -> Option<&Incident> {
        self.cases.get(&id).map(|case| &case.incident)
    }

    /// The config that this engine judges by.
    #[must_use]
    pub fn config(&self) -> &Arc<Config> {
        &self.config
    }

    /// Counts a result. Returns whether it was bad; nothing if it says nothing.
    fn take_in(&mut self, result: &CheckResult, now: Timestamp) -> Option<bool> {
        let at = self.clock.place(result.finished(), now);
        let &probe = self.index.get(&result.probe)?;
        self.keep_example(probe, result);
        let entry = self.detector.observe(probe, result, at, &mut self.signals)?;
        for case in self.cases.values_mut() {
            if self.clock.to_steady(case.incident.since) <= at {
                case.count(&entry);
            }
        }
        Some(entry.bad)
    }

    fn keep_example(&mut self, probe: usize, result: &CheckResult) {
        match (result.outcome, &result.evidence) {
            (Outcome::Failure(class), Some(evidence)) => {
                let example = Example {
                    probe: result.probe.clone(),
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

    fn follow_signals(&mut self, now: Timestamp) {
        for signal in std::mem::take(&mut self.signals) {
            match signal {
                Signal::Breached(breach) => self.breached(breach, now),
                Signal::Cleared { breach, reason } => self.cleared(breach, reason, now),
            }
        }
    }

    fn breached(&mut self, mut breach: Breach, now: Timestamp) {
        let since = breach.since;
        breach.since = self.clock.to_wall(breach.since);
        breach.found = self.clock.to_wall(breach.found);
        let history = self.detector.history();
        let home = self.cases.values_mut().find_map(|case| {
            let reason = correlate::belongs(&breach, &case.incident)?;
            Some((case, reason))
        });
        if let Some((case, reason)) = home {
            let since = since.min(self.clock.to_steady(case.incident.since));
            let event = case.join(breach, reason, since, now, history, &self.config);
            self.outputs.push_back(Output::Event(event));
        } else if let Some((case, event)) = Case::open(breach, since, now, history, &self.examples, &self.config) {
            self.cases.insert(case.incident.id, case);
            self.outputs.push_back(Output::Event(event));
        }
    }

    fn cleared(&mut self, id: BreachId, reason: String, now: Timestamp) {
        let lasting = |breach: &Breach| breach.id == id && breach.cleared.is_none();
        // A breach whose incident a person resolved ends without a word.
        let Some(case) = self.cases.values_mut().find(|case| case.incident.breaches.iter().any(lasting)) else {
            return;
        };
        let event = case.event(now, IncidentChange::Cleared { breach: id, reason: reason.clone() });
        self.outputs.push_back(Output::Event(event));
        if case.incident.breaches.iter().all(|breach| breach.cleared.is_some()) {
            let finding = case.finding(&self.examples, &self.config);
            let event = case.event(now, IncidentChange::Resolved { by: None, reason, finding });
            self.outputs.push_back(Output::Event(event));
        }
    }

    fn reassess(&mut self, now: Timestamp) {
        for case in self.cases.values_mut().filter(|case| case.incident.is_open()) {
            if let Some(event) = case.reassess(now, &self.examples, &self.config) {
                self.outputs.push_back(Output::Event(event));
            }
        }
    }

    fn act(&mut self, action: Action, now: Timestamp) -> String {
        let short = action.incident.short();
        let Some(case) = self.cases.get_mut(&action.incident) else {
            return format!("incident {short} is not open");
        };
        let by = action.by;
        let (change, answer) = match action.kind {
            ActionKind::Acknowledge => match &case.incident.acknowledged {
                Some((other, at)) if *other == by => {
                    return format!("incident {short} was taken on by {other} at {} already", at.show());
                }
                _ => {
                    let answer = format!("incident {short} is taken on by {by}");
                    (IncidentChange::Acknowledged { by }, answer)
                }
            },
            ActionKind::Note => {
                (IncidentChange::Noted { by, text: action.text }, format!("noted on incident {short}"))
            }
            ActionKind::Resolve => {
                let finding = case.finding(&self.examples, &self.config);
                let reason = if action.text.is_empty() { format!("{by} resolved it") } else { action.text };
                let answer = format!("incident {short} is resolved by {by}");
                (IncidentChange::Resolved { by: Some(by), reason, finding }, answer)
            }
        };
        let event = case.event(now, change);
        case.decide_at = Some(now);
        self.outputs.push_back(Output::Event(event));
        answer
    }
}

/// The breaches of these incidents that are not over.
fn lasting(incidents: &[Incident]) -> Vec<Breach> {
    let all = incidents.iter().flat_map(|incident| &incident.breaches);
    all.filter(|breach| breach.cleared.is_none()).cloned().collect()
}

/// Whether both are of the same rule and slice, of which only one can go on.
fn same_place(a: &Breach, b: &Breach) -> bool {
    (&a.rule, &a.slice) == (&b.rule, &b.slice)
}
