//! Missing: probes of which nothing was seen for too long.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::history::{Entry, History};
use super::watch::{Kind, Signal, Watch};
use crate::config::Config;
use crate::model::unit::show_duration;
use crate::model::{
    Breach, BreachId, CheckResult, FailureClass, Marks, Missing, PerProbe, Probe, ProbeIndex, Probes, Rule, Slice,
    Timestamp,
};

/// So long what is missing waits, again and again, until it is known that we see.
const PUT_OFF: Duration = Duration::from_secs(5);

impl Kind for Missing {
    fn watch(&self, rule: &Rule, config: &Arc<Config>) -> Box<dyn Watch> {
        Box::new(MissingWatch {
            rule: rule.clone(),
            missing: *self,
            config: Arc::clone(config),
            covers: config.probes.iter().map(|probe| rule.over.covers(probe)).collect(),
            states: config.probes.iter().map(|_| State::default()).collect(),
            waiting: BTreeSet::new(),
            started: false,
        })
    }

    /// Counting begins anew at the start.
    fn lookback(&self, _probes: &Probes) -> Duration {
        Duration::ZERO
    }

    fn history(&self) -> Duration {
        Duration::ZERO
    }
}

/// One rule about missing checks at work.
struct MissingWatch {
    rule: Rule,
    missing: Missing,
    config: Arc<Config>,
    covers: PerProbe<bool>,
    /// Of no account for those that the rule does not cover.
    states: PerProbe<State>,
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

impl Watch for MissingWatch {
    fn rule(&self) -> &Rule {
        &self.rule
    }

    fn covers(&self, probe: ProbeIndex) -> bool {
        self.covers[probe]
    }

    /// A check that comes is not missing, whatever it finds.
    fn is_bad(&self, _index: ProbeIndex, _probe: &Probe, _result: &CheckResult) -> bool {
        false
    }

    fn observe(&mut self, entry: Entry, _result: &CheckResult, signals: &mut Vec<Signal>) {
        if !self.started {
            return;
        }
        let state = &mut self.states[entry.probe];
        self.waiting.remove(&(state.seen, entry.probe));
        self.waiting.insert((entry.at, entry.probe));
        state.seen = entry.at;
        if let Some(breach) = state.breach.take() {
            signals.push(Signal::Cleared { breach, reason: "a check has looked again".into() });
        }
    }

    fn find_missing(&mut self, at: Timestamp, history: &mut History, signals: &mut Vec<Signal>) {
        while let Some((seen, probe)) = self.take_due(at) {
            let (state, asked) = (&mut self.states[probe], &self.config.probes[probe]);
            let class = FailureClass::Missing;
            let slice = Slice::of(asked);
            let last = seen.as_millis().to_string();
            let id = BreachId::derived(&[self.rule.id.as_str(), &slice.to_string(), class.as_str(), &last]);
            state.breach = Some(id);
            let mut marks = Marks::default();
            marks.add(asked, Some(class), &self.config.cohorts);
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
                usual: None,
                meaning: Some(self.rule.meaning()),
                cleared: None,
            }));
        }
    }

    fn next_timeout(&self) -> Option<Timestamp> {
        self.waiting.first().map(|(seen, _)| *seen + self.missing.after)
    }

    fn adopt(&mut self, breach: &Breach) -> bool {
        let Some(probe) = self.probe_of(breach) else { return false };
        let state = &mut self.states[probe];
        state.breach = Some(breach.id);
        self.waiting.remove(&(state.seen, probe));
        true
    }

    fn forget(&mut self, breach: &Breach) {
        if let Some(probe) = self.probe_of(breach) {
            self.states[probe].breach = None;
        }
    }

    /// It is not missing. What is missing already stays so until a check looks.
    fn excuse(&mut self, probe: ProbeIndex, at: Timestamp) {
        let state = &mut self.states[probe];
        if self.waiting.remove(&(state.seen, probe)) {
            state.seen = state.seen.max(at);
            self.waiting.insert((state.seen, probe));
        }
    }

    /// What does not arrive may be held up by our own network.
    fn put_off(&mut self, at: Timestamp) {
        while let Some((seen, probe)) = self.take_due(at) {
            let seen = (seen + PUT_OFF).max(at + PUT_OFF - self.missing.after);
            self.states[probe].seen = seen;
            self.waiting.insert((seen, probe));
        }
    }

    fn see_again(&mut self, at: Timestamp) {
        if self.started {
            self.start(at);
        }
    }

    /// Counting starts now, for every probe.
    fn start(&mut self, at: Timestamp) {
        self.started = true;
        self.waiting.clear();
        for (probe, state) in self.states.indexed_mut().filter(|(probe, _)| self.covers[*probe]) {
            state.seen = at;
            if state.breach.is_none() {
                self.waiting.insert((at, probe));
            }
        }
    }
}

impl MissingWatch {
    /// Takes out the probe that was seen longest ago, with when that was, if it is missing by now.
    fn take_due(&mut self, at: Timestamp) -> Option<(Timestamp, ProbeIndex)> {
        self.waiting.first().filter(|(seen, _)| *seen + self.missing.after <= at)?;
        self.waiting.pop_first()
    }

    /// The probe of a breach of this rule; none if it is of another rule, or of a probe that is no more.
    fn probe_of(&self, breach: &Breach) -> Option<ProbeIndex> {
        let probe = self.config.probes.index_of(breach.slice.probe.as_ref()?)?;
        (breach.rule == self.rule.id && self.covers[probe]).then_some(probe)
    }
}
