//! Floor 1, the one door: inputs go in, and what must be stored and told comes out.
//!
//! The engine is a state machine without IO: whoever drives it (the daemon, a drill, a replay) hands it an [`Input`]
//! together with the time, takes every [`Output`] until there is none left, and wakes it when
//! [`Engine::poll_timeout`] says. The same inputs at the same times give the same outputs, ids included.

mod act;
mod case;
mod replay;
pub mod restart;
mod sight;
mod steady;
mod tell;

#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use crate::config::Config;
use crate::detect::history::Entry;
use crate::detect::self_check::SelfCheck;
use crate::detect::{Detector, Signal};
use crate::incident::correlate::{self, BadChecks};
use crate::model::{
    Action, ActionId, Breach, BreachId, CheckResult, FailureClass, Incident, IncidentChange, IncidentEvent,
    IncidentId, Notification, Outcome, ProbeId, ProbeIndex, Role, Timestamp,
};
use crate::model::{Example, Marks};

use case::{Case, View};
use replay::Ended;
use sight::Held;
pub use steady::HandedIn;
use steady::SteadyClock;

/// By less than this a clock is put right all the time, and results come in another order: it is not worth a word.
const LEAST_SET_BACK: Duration = Duration::from_secs(10);

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
#[expect(clippy::large_enum_variant, reason = "taken at once, and never many")]
pub enum Output {
    /// A check, as it was judged. They come in the order in which they were judged, which is the order in which they
    /// must be stored: a replay then sees what was seen.
    Result(CheckResult),
    /// Something happened to an incident.
    Event(IncidentEvent),
    /// A message is owed.
    Owed(Notification),
    /// An action was carried out, or not: the answer says which.
    Answer(ActionId, String),
}

/// The last failure of each probe that fails, by its index.
type Examples = BTreeMap<ProbeIndex, (FailureClass, Example)>;

/// Detection, incidents and the plan of who is told, for one config.
pub struct Engine {
    config: Arc<Config>,
    index: HashMap<ProbeId, ProbeIndex>,
    detector: Detector,
    cases: BTreeMap<IncidentId, Case>,
    examples: Examples,
    clock: SteadyClock,
    /// When the results that are replayed were handed in.
    handed_in: HandedIn,
    outputs: VecDeque<Output>,
    signals: Vec<Signal>,
    /// Breaches of the open incidents that were not over, until the replay is settled.
    stored: Vec<Breach>,
    /// Overdrawn budgets whose incidents ended by other rules, with when, the first last; until the replay gets there.
    settled: Vec<(Timestamp, Breach)>,
    /// Breaches that the replay found and that did not end in it, until it is settled.
    replayed: Vec<Breach>,
    /// The last of each slice that the replay found and that did end in it, until it is settled.
    ended: Vec<Ended>,
    self_check: SelfCheck,
    /// Results that wait until it is known whether we see.
    held: VecDeque<Held>,
    /// The breach of our own rule that goes on: people were told that we cannot see.
    own: Option<BreachId>,
    /// Whether we could not see when it was last looked.
    blind: bool,
}

impl Engine {
    /// An engine that takes up where the stored incidents left off.
    ///
    /// Give it the incidents that [last](restart::lasts). Then [`replay`](Self::replay) the stored results of [`lookback`](crate::detect::lookback), and of the open
    /// incidents' time, in the order in which they were stored; then [`settle`](Self::settle).
    #[must_use]
    pub fn restore(config: Arc<Config>, mut incidents: Vec<Incident>) -> Self {
        // Of two breaches of one slice, the one of an open incident is the later, and goes on.
        incidents.sort_by_key(|incident| (incident.is_open(), incident.opened));
        let stored = lasting(&incidents);
        let settled = replay::settled(&incidents, &config);
        let cases = incidents.into_iter().map(|incident| (incident.id, Case::resume(incident, &config))).collect();
        Self {
            index: config.probes.indexed().map(|(index, probe)| (probe.id.clone(), index)).collect(),
            detector: Detector::new(Arc::clone(&config)),
            cases,
            examples: BTreeMap::new(),
            clock: SteadyClock::default(),
            handed_in: HandedIn::default(),
            outputs: VecDeque::new(),
            signals: Vec::new(),
            stored,
            settled,
            replayed: Vec::new(),
            ended: Vec::new(),
            self_check: SelfCheck::new(&config),
            held: VecDeque::new(),
            own: None,
            blind: false,
            config,
        }
    }

    /// Takes in one input. `now` is wall-clock time; it may step back, the engine's own time does not.
    pub fn handle(&mut self, input: Input, now: Timestamp) {
        let back = self.clock.follow(now);
        self.note_set_back(back, now);
        let reopen_within = self.config.reopen_within;
        self.cases.retain(|_, case| {
            let ended = case.incident.resolved.filter(|_| !case.incident.is_open());
            ended.is_none_or(|ended| now.since(ended) < reopen_within)
        });
        match input {
            Input::Result(result) => self.receive(result, now),
            Input::Action(id, action) => {
                let answer = self.act(action, now);
                self.outputs.push_back(Output::Answer(id, answer));
            }
            Input::Timeout => {
                // First what waits, which ended before this moment.
                self.pass_sight(now);
                let at = self.clock.advance(now);
                if self.self_check.doubts() {
                    self.detector.put_off(at);
                }
                self.detector.pass(at, &mut self.signals);
                self.follow_signals(now);
            }
        }
        self.end_watches(now);
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
        let sight = self.sight_timeout().map(|at| self.clock.to_wall(at));
        let decisions = self.cases.values().filter_map(|case| case.decide_at);
        let watches = self.cases.values().filter_map(|case| case.watch_due).map(|at| self.clock.to_wall(at));
        detector.into_iter().chain(sight).chain(decisions).chain(watches).min()
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

    /// Puts the open incidents' times to where the wall clock has them after it was set back.
    fn note_set_back(&mut self, back: Duration, now: Timestamp) {
        if back < LEAST_SET_BACK {
            return;
        }
        for case in self.cases.values_mut().filter(|case| case.incident.is_open()) {
            let event = case.event(now, IncidentChange::ClockSetBack { by: back });
            case.set_back(back, now);
            self.outputs.push_back(Output::Event(event));
        }
    }

    /// Judges a result and gives it out.
    fn take(&mut self, result: CheckResult, now: Timestamp) {
        let at = self.clock.place(result.finished(), now);
        if let Some(&probe) = self.index.get(&result.probe) {
            // However late anybody looks, what time alone had ended before this check had ended then.
            self.detector.pass_for(probe, at, &mut self.signals);
            self.follow_signals(now);
        }
        let judged = self.take_in(&result, at);
        self.outputs.push_back(Output::Result(result));
        if let Some(bad) = judged {
            self.follow_signals(now);
            if bad {
                self.reassess(now);
            }
        }
    }

    /// Counts a result, in this moment of steady time. Returns whether it was bad; nothing if it says nothing.
    fn take_in(&mut self, result: &CheckResult, at: Timestamp) -> Option<bool> {
        let &probe = self.index.get(&result.probe)?;
        let canary = self.config.probes.get(probe).is_some_and(|probe| probe.role == Role::Canary);
        if canary || result.superseded {
            return None;
        }
        self.keep_example(probe, result);
        let entry = self.detector.observe(probe, result, at, &mut self.signals)?;
        // A bad check is of one incident: the one that most speaks for.
        let owner = if entry.bad { self.owner(&entry) } else { None };
        for (id, case) in self.cases.iter_mut().filter(|(_, case)| case.incident.is_open()) {
            let own = !entry.bad || owner == Some(*id);
            if own && self.clock.to_steady(case.from) <= at {
                case.count(&entry);
            }
        }
        Some(entry.bad)
    }

    /// The open incident of which a bad check is, the oldest of equals.
    fn owner(&self, entry: &Entry) -> Option<IncidentId> {
        let open = self.cases.iter().filter(|(_, case)| case.incident.is_open());
        let each = open.map(|(id, case)| (case.likeness(entry, &self.config), Reverse(case.incident.opened), *id));
        each.filter(|(likeness, ..)| *likeness > 0)
            .max_by_key(|(likeness, opened, id)| (*likeness, *opened, Reverse(*id)))
            .map(|(.., id)| id)
    }

    fn keep_example(&mut self, probe: ProbeIndex, result: &CheckResult) {
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
        let counts = self.detector.bad_checks(&breach);
        let bad: Vec<BadChecks<'_>> = counts
            .iter()
            .filter_map(|(&(probe, class), &count)| {
                Some(BadChecks { probe: self.config.probes.get(probe)?, class, count })
            })
            .collect();
        if breach.marks == Marks::default()
            && let Some(marks) = correlate::main_outage(&bad, &self.config.cohorts)
        {
            breach.marks = marks;
        }
        breach.since = self.clock.to_wall(breach.since);
        breach.found = self.clock.to_wall(breach.found);
        let view = View { config: &self.config, detector: &self.detector, examples: &self.examples };
        // Those that are open come first, the oldest of them before the others.
        let mut order: Vec<(bool, Timestamp, IncidentId)> = self
            .cases
            .values()
            .map(|case| (!case.incident.is_open(), case.incident.opened, case.incident.id))
            .collect();
        order.sort_unstable();
        let home = order.into_iter().find_map(|(_, _, id)| {
            let reason = correlate::belongs(&breach, &bad, &self.cases.get(&id)?.incident, view.config)?;
            Some((id, reason))
        });
        let mut news = Vec::new();
        if let Some((id, reason)) = home {
            let Some(case) = self.cases.get_mut(&id) else { return };
            let begun = since.min(self.clock.to_steady(case.incident.since));
            news.extend(case.join(breach, reason, since, begun, now, view));
        } else {
            let open = || self.cases.values().filter(|case| case.incident.is_open());
            let others =
                |entry: &Entry| open().map(|case| case.likeness(entry, view.config)).max().unwrap_or_default();
            if let Some((case, event)) = Case::open(breach, since, now, others, view) {
                news.push(event);
                self.cases.insert(case.incident.id, case);
            }
        }
        self.outputs.extend(news.into_iter().map(Output::Event));
    }

    fn cleared(&mut self, id: BreachId, reason: String, now: Timestamp) {
        let lasting = |breach: &Breach| breach.id == id && breach.cleared.is_none();
        let holds = |case: &Case| case.incident.is_open() && case.incident.breaches.iter().any(lasting);
        let Some(case) = self.cases.values_mut().find(|case| holds(case)) else {
            // A breach whose incident a person resolved ends without a word.
            self.note_over(id, reason);
            return;
        };
        let event = case.event(now, IncidentChange::Cleared { breach: id, reason: reason.clone() });
        self.outputs.push_back(Output::Event(event));
        // A budget goes on being overdrawn for long after what burnt it is over: that alone holds no incident open that
        // other rules saw as well.
        let lingers = |breach: &Breach| restart::lingers(breach, &self.config);
        let lasting: Vec<BreachId> =
            case.incident.breaches.iter().filter(|b| b.cleared.is_none()).map(|b| b.id).collect();
        let held = case.incident.breaches.iter().any(|breach| breach.cleared.is_none() && !lingers(breach));
        if !held && !case.incident.breaches.iter().all(lingers) {
            for breach in lasting {
                let reason = "what burnt the budget is over by the other rules".to_owned();
                let event = case.event(now, IncidentChange::Cleared { breach, reason });
                self.outputs.push_back(Output::Event(event));
            }
        }
        if !case.incident.is_failing() {
            let view = View { config: &self.config, detector: &self.detector, examples: &self.examples };
            let event = case.end(reason, now, self.clock.to_steady(now), view);
            self.outputs.push_back(Output::Event(event));
        }
    }

    /// Remembers that a breach is over whose incident a person resolved, in case it comes back.
    fn note_over(&mut self, id: BreachId, reason: String) {
        let lasting = |breach: &Breach| breach.id == id && breach.cleared.is_none();
        if let Some(case) = self.cases.values_mut().find(|case| case.incident.breaches.iter().any(lasting)) {
            case.over.push((id, reason));
        }
    }

    /// Ends the incidents that have stayed well for long enough.
    fn end_watches(&mut self, now: Timestamp) {
        let at = self.clock.to_steady(now);
        let view = View { config: &self.config, detector: &self.detector, examples: &self.examples };
        for case in self.cases.values_mut().filter(|case| case.watch_due.is_some_and(|due| due <= at)) {
            let event = case.end("it came back before, and has stayed well since".to_owned(), now, at, view);
            self.outputs.push_back(Output::Event(event));
        }
    }

    fn reassess(&mut self, now: Timestamp) {
        let view = View { config: &self.config, detector: &self.detector, examples: &self.examples };
        let mut news = Vec::new();
        for case in self.cases.values_mut().filter(|case| case.incident.is_failing() && case.incident.is_open()) {
            case.reassess(now, view, &mut news);
        }
        self.outputs.extend(news.into_iter().map(Output::Event));
    }
}

/// The breaches of these incidents that are not over.
fn lasting(incidents: &[Incident]) -> Vec<Breach> {
    let all = incidents.iter().flat_map(|incident| &incident.breaches);
    all.filter(|breach| breach.cleared.is_none()).cloned().collect()
}
