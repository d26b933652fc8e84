//! Missing: probes of which nothing was seen for too long.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::config::Config;
use crate::model::Marks;
use crate::model::unit::show_duration;
use crate::model::{
    Breach, BreachId, FailureClass, Missing, PerProbe, Probe, ProbeIndex, Probes, Rule, Slice, Timestamp,
};

use super::Signal;
use super::history::{Entry, History};

/// So long what is missing waits, again and again, until it is known that we see.
const PUT_OFF: Duration = Duration::from_secs(5);

/// One rule about missing checks at work.
pub(super) struct MissingWatch {
    rule: Rule,
    missing: Missing,
    /// One for each probe of the config; `None` for those that the rule does not cover.
    states: PerProbe<Option<State>>,
    /// The probes without a breach, the one that was seen longest ago first; empty until counting starts.
    waiting: BTreeSet<(Timestamp, ProbeIndex)>,
    /// A replay tells nothing about now: while Tripline was down nobody could look.
    started: bool,
}

#[derive(Default)]
struct State {
    /// When a check of it looked last, or when counting started.
    seen: Timestamp,
    breach: Option<BreachId>,
}

impl MissingWatch {
    pub(super) fn new(rule: &Rule, missing: Missing, probes: &Probes) -> Self {
        let states = probes.iter().map(|probe| rule.over.covers(probe).then(State::default)).collect();
        Self { rule: rule.clone(), missing, states, waiting: BTreeSet::new(), started: false }
    }

    pub(super) fn covers(&self, probe: ProbeIndex) -> bool {
        self.states[probe].is_some()
    }

    /// Counting starts now, for every probe.
    pub(super) fn start(&mut self, at: Timestamp) {
        self.started = true;
        self.waiting.clear();
        for (probe, state) in self.states.indexed_mut() {
            if let Some(state) = state {
                state.seen = at;
                if state.breach.is_none() {
                    self.waiting.insert((at, probe));
                }
            }
        }
    }

    pub(super) fn observe(&mut self, entry: Entry, signals: &mut Vec<Signal>) {
        let Some(state) = self.states[entry.probe].as_mut().filter(|_| self.started) else { return };
        self.waiting.remove(&(state.seen, entry.probe));
        self.waiting.insert((entry.at, entry.probe));
        state.seen = entry.at;
        if let Some(breach) = state.breach.take() {
            signals.push(Signal::Cleared { breach, reason: "a check has looked again".into() });
        }
    }

    /// A check of the probe came back, though it says nothing yet, or nothing of the service: it is not missing.
    pub(super) fn excuse(&mut self, probe: ProbeIndex, at: Timestamp) {
        let Some(state) = self.states[probe].as_mut().filter(|_| self.started) else { return };
        if self.waiting.remove(&(state.seen, probe)) {
            state.seen = state.seen.max(at);
            self.waiting.insert((state.seen, probe));
        }
    }

    /// We see again: counting starts anew, if it had started.
    pub(super) fn see_again(&mut self, at: Timestamp) {
        if self.started {
            self.start(at);
        }
    }

    /// Puts off what is due while it is not known whether we see: what does not arrive may be held up by our own network.
    pub(super) fn put_off(&mut self, at: Timestamp) {
        while let Some(&(seen, probe)) = self.waiting.first().filter(|(seen, _)| *seen + self.missing.after <= at) {
            self.waiting.pop_first();
            let Some(state) = &mut self.states[probe] else { continue };
            state.seen = (seen + PUT_OFF).max(at + PUT_OFF - self.missing.after);
            self.waiting.insert((state.seen, probe));
        }
    }

    pub(super) fn pass(&mut self, at: Timestamp, config: &Config, history: &mut History, signals: &mut Vec<Signal>) {
        while let Some(&(seen, probe)) = self.waiting.first().filter(|(seen, _)| *seen + self.missing.after <= at) {
            self.waiting.pop_first();
            let (Some(state), asked) = (&mut self.states[probe], &config.probes[probe]) else {
                continue;
            };
            let class = FailureClass::Missing;
            let slice = slice(asked);
            let last = seen.as_millis().to_string();
            let id = BreachId::derived(&[self.rule.id.as_str(), &slice.to_string(), class.as_str(), &last]);
            state.breach = Some(id);
            let mut marks = Marks::default();
            marks.add(asked, Some(class), &config.cohorts);
            // What did not come counts like a check that failed, once.
            history.push(Entry { at, probe, bad: true, class: Some(class), status: None, place: u16::MAX });
            signals.push(Signal::Breached(Breach {
                id,
                rule: self.rule.id.clone(),
                slice,
                severity: self.rule.severity,
                since: at,
                found: at,
                reason: format!("no check has looked for {}", show_duration(self.missing.after)),
                marks,
                cleared: None,
            }));
        }
    }

    pub(super) fn next_timeout(&self) -> Option<Timestamp> {
        self.waiting.first().map(|(seen, _)| *seen + self.missing.after)
    }

    pub(super) fn adopt(&mut self, breach: &Breach, probes: &Probes) -> bool {
        let Some((probe, state)) = self.place_of(breach, probes) else { return false };
        state.breach = Some(breach.id);
        let seen = state.seen;
        self.waiting.remove(&(seen, probe));
        true
    }

    pub(super) fn forget(&mut self, breach: &Breach, probes: &Probes) {
        if let Some((_, state)) = self.place_of(breach, probes) {
            state.breach = None;
        }
    }

    fn place_of(&mut self, breach: &Breach, probes: &Probes) -> Option<(ProbeIndex, &mut State)> {
        let probe = probes.index_of(breach.slice.probe.as_ref()?)?;
        let state = self.states[probe].as_mut()?;
        (breach.rule == self.rule.id).then_some((probe, state))
    }
}

pub(super) fn slice(probe: &Probe) -> Slice {
    Slice { labels: probe.labels.clone(), probe: Some(probe.id.clone()) }
}
