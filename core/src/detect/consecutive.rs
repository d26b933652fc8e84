//! Consecutive failures: so many of one probe in a row.

use std::sync::Arc;
use std::time::Duration;

use super::bad;
use super::history::Entry;
use super::onset::breach_id;
use super::open_breaches::OpenBreaches;
use super::watch::{Kind, Signal, Watch};
use crate::config::Config;
use crate::model::unit::{show_about, show_duration};
use crate::model::{
    Bad, Breach, BreachId, Cadence, CheckResult, Consecutive, FailureClass, Marks, PerProbe, Probe, ProbeIndex,
    Probes, Rule, Slice, Timestamp,
};

/// How far back a run of failures is followed after a restart, at the most.
const LONGEST_RUN: Duration = Duration::from_secs(86_400);

impl Kind for Consecutive {
    fn watch(&self, rule: &Rule, config: &Arc<Config>) -> Box<dyn Watch> {
        Box::new(ConsecutiveWatch {
            rule: rule.clone(),
            run: *self,
            config: Arc::clone(config),
            covers: config.probes.iter().map(|probe| rule.over.covers(probe)).collect(),
            states: config.probes.iter().map(|_| State::default()).collect(),
            lasting: OpenBreaches::default(),
        })
    }

    /// A run reaches as far back as its probe takes to make it; for probes on a calendar a day is looked at.
    fn lookback(&self, probes: &Probes) -> Duration {
        let slowest = probes.iter().map(|probe| match probe.cadence {
            Cadence::Every(interval) => interval,
            Cadence::At(_) => LONGEST_RUN,
        });
        let run = slowest.max().unwrap_or_default().saturating_mul(self.count.saturating_add(1));
        run.min(LONGEST_RUN).saturating_add(self.clear_after)
    }

    fn history(&self) -> Duration {
        Duration::ZERO
    }

    fn is_prompt(&self) -> bool {
        true
    }
}

/// One consecutive-failures rule at work.
struct ConsecutiveWatch {
    rule: Rule,
    run: Consecutive,
    config: Arc<Config>,
    covers: PerProbe<bool>,
    /// Of no account for those that the rule does not cover.
    states: PerProbe<State>,
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

impl Watch for ConsecutiveWatch {
    fn rule(&self) -> &Rule {
        &self.rule
    }

    fn covers(&self, probe: ProbeIndex) -> bool {
        self.covers[probe]
    }

    fn is_bad(&self, _index: ProbeIndex, probe: &Probe, result: &CheckResult) -> bool {
        bad::is_bad(&Bad::Failed, probe, result)
    }

    fn counts(&self, entry: &Entry) -> bool {
        bad::counts(&Bad::Failed, entry)
    }

    fn observe(&mut self, entry: Entry, result: &CheckResult, signals: &mut Vec<Signal>) {
        let state = &mut self.states[entry.probe];
        let several = self.config.probes[entry.probe].resolve.each_address;
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
        self.judge(entry.probe, entry.at, signals);
    }

    /// Only what is due is looked at.
    fn pass(&mut self, at: Timestamp, signals: &mut Vec<Signal>) {
        for probe in self.lasting.due(self.run.clear_after, at) {
            self.judge_clear(probe, at, signals);
        }
    }

    fn next_timeout(&self) -> Option<Timestamp> {
        self.lasting.next_due(self.run.clear_after)
    }

    fn adopt(&mut self, breach: &Breach) -> bool {
        let Some(probe) = self.probe_of(breach) else { return false };
        let state = &mut self.states[probe];
        state.breach = Some(Active { id: breach.id, slice: breach.slice.clone() });
        self.lasting.begin(probe, state.well_since);
        true
    }

    fn forget(&mut self, breach: &Breach) {
        if let Some(probe) = self.probe_of(breach) {
            self.lasting.end(probe);
            self.states[probe] = State::default();
        }
    }
}

impl ConsecutiveWatch {
    /// The probe of a breach of this rule; none if it is of another rule, or of a probe that is no more.
    fn probe_of(&self, breach: &Breach) -> Option<ProbeIndex> {
        let probe = self.config.probes.index_of(breach.slice.probe.as_ref()?)?;
        (breach.rule == self.rule.id && self.covers[probe]).then_some(probe)
    }

    fn judge(&mut self, probe: ProbeIndex, now: Timestamp, signals: &mut Vec<Signal>) {
        let (state, asked) = (&mut self.states[probe], &self.config.probes[probe]);
        let Some(first) = state.first.filter(|_| state.breach.is_none() && state.failures >= self.run.count) else {
            return;
        };
        let slice = Slice::of(asked);
        let id = breach_id(&self.rule, &slice, &asked.id, first.started);
        let mut marks = Marks::default();
        marks.add(asked, state.class, &self.config.cohorts);
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
            usual: None,
            meaning: Some(self.rule.meaning()),
            cleared: None,
        }));
    }

    fn judge_clear(&mut self, probe: ProbeIndex, now: Timestamp, signals: &mut Vec<Signal>) {
        let state = &mut self.states[probe];
        let is_well = state.well_since.is_some_and(|since| now.since(since) >= self.run.clear_after);
        if let Some(active) = state.breach.take_if(|_| is_well) {
            let reason = format!("{} has not failed for {}", active.slice, show_duration(self.run.clear_after));
            signals.push(Signal::Cleared { breach: active.id, reason });
            self.lasting.end(probe);
        }
    }
}
