//! Floor 1, the one door: inputs go in, and what must be stored and told comes out.
//!
//! The engine is a state machine without IO: whoever drives it (the daemon, a drill, a backtest) hands it an [`Input`]
//! together with the time, takes every [`Output`] until there is none left, and wakes it when
//! [`Engine::poll_timeout`] says. The same inputs at the same times give the same outputs, ids included.
//!
//! Behind the door stand four owners, each with a state of its own, none of which knows the door:
//!
//! ```text
//! Sight -Judged-> Detector -Signal-> Cases -incidents that something happened to-> Tell
//! ```
//!
//! An engine is taken up from what is stored by [`Restoring`], which replays and then becomes one.

mod case;
mod cases;
pub mod restart;
mod restoring;
mod sight;
mod steady;
mod tell;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::Arc;

use crate::config::Config;
use crate::detect::{Detector, Signal};
use crate::model::{
    Action, ActionId, CheckResult, Incident, IncidentEvent, IncidentId, Judged, Notification, ProbeIndex, Role,
    Timestamp, Undelivered, Why,
};

use cases::Cases;
pub use restoring::Restoring;
use sight::{News, Sight};
use steady::SteadyClock;
use tell::{Decided, Tell};

/// Something that the engine takes in.
#[derive(Clone, PartialEq, Debug)]
pub enum Input {
    /// A check ended; the time is that of its end, or later when it was held up.
    Result(CheckResult),
    /// An operator asked for something.
    Action(ActionId, Action),
    /// A message did not reach one of its destinations, and never will.
    Undelivered(Undelivered),
    /// An incident, as it is stored, of which an operator's action asks that comes next. It may have ended so long ago that
    /// it was forgotten here.
    Recall(Box<Incident>),
    /// Time has passed.
    Timeout,
}

/// Something that the engine gives out. All outputs of one input must become durable together.
#[derive(Clone, PartialEq, Debug)]
pub enum Output {
    /// A check, and when it was judged. They come in the order in which they were judged, which is the order in which
    /// they must be stored: a replay then sees what was seen.
    Result(Judged),
    /// Something happened to an incident.
    Event(IncidentEvent),
    /// An incident as it stands after the events that came before, once for each to which something happened.
    Incident(Incident),
    /// A message is owed.
    Owed(Notification),
    /// An action was carried out, or not: the answer says which.
    Answer(ActionId, String),
    /// A check that is wanted out of turn, and why.
    Recheck(ProbeIndex, Why),
}

/// Detection, incidents and the plan of who is told, for one config.
pub struct Engine {
    config: Arc<Config>,
    clock: SteadyClock,
    sight: Sight,
    detector: Detector,
    cases: Cases,
    tell: Tell,
    outputs: VecDeque<Output>,
}

impl Engine {
    /// Takes in one input. `now` is wall-clock time; it may step back, the engine's own time does not.
    pub fn handle(&mut self, input: Input, now: Timestamp) {
        let back = self.clock.follow(now);
        self.cases.note_set_back(back, now);
        self.cases.forget_ended(now);
        match input {
            Input::Result(result) => self.receive(result, now),
            Input::Action(id, action) => {
                let answer = self.cases.act(action, &self.detector, now);
                self.outputs.push_back(Output::Answer(id, answer));
            }
            Input::Undelivered(undelivered) => self.cases.undelivered(undelivered, now),
            Input::Recall(incident) => self.cases.recall(*incident),
            Input::Timeout => {
                // First what waits, which ended before this moment.
                let at = self.clock.look(now, now);
                self.sight.pass(at);
                self.release(at, now);
                let at = self.clock.advance(now);
                if self.sight.doubts() {
                    self.detector.put_off(at);
                }
                let mut signals = Vec::new();
                self.detector.pass(at, &mut signals);
                self.follow(signals, now);
            }
        }
        self.end_recovered(now);
        self.cases.end_watches(&self.detector, self.clock, now);
        self.give_out(now);
    }

    /// The next output, oldest first.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to hand in [`Input::Timeout`], if nothing else comes before.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        let steady = [self.detector.next_timeout(), self.sight.next_timeout(), self.cases.next_watch_due()];
        steady.into_iter().flatten().map(|at| self.clock.to_wall(at)).chain(self.tell.next_due()).min()
    }

    /// An incident as it stands: one that is open, or that may still come back.
    #[must_use]
    pub fn incident(&self, id: IncidentId) -> Option<&Incident> {
        self.cases.incident(id)
    }

    /// The config that this engine judges by.
    #[must_use]
    pub fn config(&self) -> &Arc<Config> {
        &self.config
    }

    /// The engine's own time, of the last thing that was judged: it never runs backwards, whatever the wall clock does.
    #[must_use]
    pub fn time(&self) -> Timestamp {
        self.clock.given()
    }

    /// Gives out what waits to be judged, as it came, for another engine to take in.
    pub fn take_waiting(&mut self) -> Vec<CheckResult> {
        self.sight.take_waiting()
    }

    /// Ends: what waits is void, since we stopped looking before it was known whether we see.
    pub fn finish(&mut self, now: Timestamp) {
        for (probe, result) in self.sight.finish() {
            self.judge(probe, result, now);
        }
        // Who is notified of what this showed is decided by the engine that comes next.
        let untold = Decided::nothing(&mut self.cases);
        self.put_out(untold);
    }

    /// Takes in a result: it is judged at once, or waits until it is known whether we see.
    fn receive(&mut self, result: CheckResult, now: Timestamp) {
        let ended = self.clock.look(result.finished(), now);
        let at = self.clock.look(now, now);
        let probe = self.config.probe_index(&result.probe);
        if let Some(excused) = self.sight.receive(probe, result, ended, at) {
            self.detector.excuse(excused, at);
        }
        self.release(at, now);
    }

    /// Judges what waits no longer, in the order in which it came, and follows what is known of our sight by then.
    fn release(&mut self, at: Timestamp, now: Timestamp) {
        while let Some((probe, result)) = self.sight.next(at) {
            self.judge(probe, result, now);
        }
        for news in self.sight.news(at) {
            match news {
                News::SeesAgain => self.detector.see_again(at),
                News::Blind(location, blindness) => {
                    self.cases.open_blind(location, blindness, at, self.clock, now);
                }
                News::Over(location, seen) => self.cases.end_blind(&location, self.clock.to_wall(seen), now),
            }
        }
    }

    /// Judges a result and gives it out.
    fn judge(&mut self, probe: Option<ProbeIndex>, result: CheckResult, now: Timestamp) {
        let at = self.clock.place(result.finished(), now);
        if let Some(probe) = probe {
            // However late anybody looks, what time alone had ended before this check had ended then.
            let mut signals = Vec::new();
            self.detector.pass_for(probe, at, &mut signals);
            self.follow(signals, now);
        }
        let mut signals = Vec::new();
        let bad = probe.is_some_and(|probe| self.count(probe, &result, at, &mut signals));
        self.outputs.push_back(Output::Result(Judged { result, at: now }));
        self.follow(signals, now);
        if bad {
            self.cases.reassess(&self.detector, now);
        }
    }

    /// Counts a result, in this moment of steady time. Returns whether it was bad.
    fn count(&mut self, probe: ProbeIndex, result: &CheckResult, at: Timestamp, signals: &mut Vec<Signal>) -> bool {
        let canary = self.config.probes.get(probe).is_some_and(|probe| probe.role == Role::Canary);
        if canary || result.superseded {
            return false;
        }
        self.cases.keep_example(probe, result);
        // As it was before this check; asked where something failed, for it is asked of every rule.
        let alert = result.outcome.failure().is_none() || self.detector.is_alert(probe);
        let Some(entry) = self.detector.observe(probe, result, at, signals) else { return false };
        self.cases.count(&entry, alert, &self.detector, self.clock);
        entry.bad
    }

    fn end_recovered(&mut self, now: Timestamp) {
        for breach in self.cases.end_recovered(&self.detector, self.clock, now) {
            self.detector.forget(&breach);
        }
    }

    fn follow(&mut self, signals: Vec<Signal>, now: Timestamp) {
        for signal in signals {
            match signal {
                Signal::Breached(breach) => {
                    if !self.cases.breached(breach.clone(), &self.detector, self.clock, now) {
                        // What is bad in its slice from now on is another breach.
                        self.detector.forget(&breach);
                    }
                }
                Signal::Cleared { breach, reason } => self.cases.cleared(breach, reason, now),
            }
        }
    }

    /// Gives out what happened to incidents, and who is told of it.
    fn give_out(&mut self, now: Timestamp) {
        let decided = self.tell.decide(&mut self.cases, &self.detector, now);
        self.put_out(decided);
    }

    fn put_out(&mut self, Decided { events, incidents, owed }: Decided) {
        self.outputs.extend(events.into_iter().map(Output::Event));
        self.outputs.extend(incidents.into_iter().map(Output::Incident));
        self.outputs.extend(owed.into_iter().map(Output::Owed));
    }
}
