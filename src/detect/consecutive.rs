//! Consecutive failures: so many of one probe in a row.

use crate::config::Config;
use crate::model::Marks;
use crate::model::unit::{show_about, show_duration};
use crate::model::{
    Breach, BreachId, CheckResult, Consecutive, FailureClass, PerProbe, ProbeIndex, Probes, Rule, Slice, Timestamp,
};

use super::Signal;
use super::history::Entry;
use super::onset::breach_id;
use super::open_breaches::OpenBreaches;

/// One consecutive-failures rule at work.
pub(super) struct ConsecutiveWatch {
    rule: Rule,
    run: Consecutive,
    /// One for each probe of the config; `None` for those that the rule does not cover.
    states: PerProbe<Option<State>>,
    /// The probes that have a breach.
    lasting: OpenBreaches<ProbeIndex>,
}

#[derive(Default)]
struct State {
    failures: u32,
    first: Option<First>,
    class: Option<FailureClass>,
    /// Since when it has succeeded without a failure between; kept without a breach as well, so that one that is taken
    /// up after a restart ends when it should.
    well_since: Option<Timestamp>,
    breach: Option<Active>,
    /// The last check, where one has several results.
    check: Option<Check>,
}

#[derive(Clone, Copy)]
struct First {
    at: Timestamp,
    started: Timestamp,
}

/// A check that asks each address: it failed when any of its results did.
#[derive(Clone, Copy)]
struct Check {
    started: Timestamp,
    bad: bool,
    /// What the state was before it.
    failures: u32,
    first: Option<First>,
    well_since: Option<Timestamp>,
}

struct Active {
    id: BreachId,
    slice: Slice,
}

impl ConsecutiveWatch {
    pub(super) fn new(rule: &Rule, run: Consecutive, probes: &Probes) -> Self {
        let states = probes.iter().map(|probe| rule.over.covers(probe).then(State::default)).collect();
        Self { rule: rule.clone(), run, states, lasting: OpenBreaches::default() }
    }

    pub(super) fn covers(&self, probe: ProbeIndex) -> bool {
        self.states[probe].is_some()
    }

    pub(super) fn observe(&mut self, entry: Entry, result: &CheckResult, config: &Config, signals: &mut Vec<Signal>) {
        let Some(state) = &mut self.states[entry.probe] else { return };
        let several = config.probes[entry.probe].resolve.each_address;
        match &mut state.check {
            Some(check) if several && check.started == result.started => {
                if check.bad || !entry.bad {
                    return;
                }
                check.bad = true;
                (state.failures, state.first, state.well_since) = (check.failures, check.first, check.well_since);
            }
            _ => {
                let (started, bad) = (result.started, entry.bad);
                let (failures, first, well_since) = (state.failures, state.first, state.well_since);
                state.check = several.then_some(Check { started, bad, failures, first, well_since });
            }
        }
        if entry.bad {
            state.failures = state.failures.saturating_add(1);
            state.first.get_or_insert(First { at: entry.at, started: result.started });
            state.class = entry.class;
            state.well_since = None;
        } else {
            state.failures = 0;
            state.first = None;
            state.well_since.get_or_insert(entry.at);
        }
        self.lasting.note(entry.probe, state.well_since);
        self.judge_clear(entry.probe, entry.at, signals);
        self.judge(entry.probe, entry.at, config, signals);
    }

    pub(super) fn pass(&mut self, at: Timestamp, signals: &mut Vec<Signal>) {
        for probe in self.lasting.due(self.run.clear_after, at) {
            self.judge_clear(probe, at, signals);
        }
    }

    pub(super) fn next_timeout(&self) -> Option<Timestamp> {
        self.lasting.next_due(self.run.clear_after)
    }

    pub(super) fn forget(&mut self, breach: &Breach, probes: &Probes) {
        if let Some(probe) = self.probe_of(breach, probes) {
            self.lasting.end(probe);
            self.states[probe] = Some(State::default());
        }
    }

    pub(super) fn adopt(&mut self, breach: &Breach, probes: &Probes) -> bool {
        let Some(probe) = self.probe_of(breach, probes) else { return false };
        let Some(state) = &mut self.states[probe] else { return false };
        state.breach = Some(Active { id: breach.id, slice: breach.slice.clone() });
        self.lasting.begin(probe, state.well_since);
        true
    }

    fn probe_of(&self, breach: &Breach, probes: &Probes) -> Option<ProbeIndex> {
        let probe = probes.index_of(breach.slice.probe.as_ref()?)?;
        (breach.rule == self.rule.id && self.covers(probe)).then_some(probe)
    }

    fn judge(&mut self, probe: ProbeIndex, now: Timestamp, config: &Config, signals: &mut Vec<Signal>) {
        let (Some(state), asked) = (&mut self.states[probe], &config.probes[probe]) else { return };
        let Some(first) = state.first.filter(|_| state.breach.is_none() && state.failures >= self.run.count) else {
            return;
        };
        let slice = Slice { labels: asked.labels.clone(), probe: Some(asked.id.clone()) };
        let id = breach_id(&self.rule, &slice, &asked.id, first.started);
        let mut marks = Marks::default();
        marks.add(asked, state.class, &config.cohorts);
        let reason = format!(
            "{} failures in a row in {}; the rule: {} in a row",
            state.failures,
            show_about(now.since(first.at)),
            self.run.count,
        );
        state.breach = Some(Active { id, slice: slice.clone() });
        self.lasting.begin(probe, None);
        signals.push(Signal::Breached(Breach {
            id,
            rule: self.rule.id.clone(),
            slice,
            severity: self.rule.severity,
            since: first.at,
            found: now,
            reason,
            marks,
            cleared: None,
        }));
    }

    fn judge_clear(&mut self, probe: ProbeIndex, now: Timestamp, signals: &mut Vec<Signal>) {
        let Some(state) = &mut self.states[probe] else { return };
        let Some(active) = &state.breach else { return };
        if state.well_since.is_none_or(|since| now.since(since) < self.run.clear_after) {
            return;
        }
        let reason = format!("{} has not failed for {}", active.slice, show_duration(self.run.clear_after));
        signals.push(Signal::Cleared { breach: active.id, reason });
        state.breach = None;
        self.lasting.end(probe);
    }
}
