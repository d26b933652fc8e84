//! Error rate: the share of bad checks in a sliding window, for each slice of a rule.

use std::collections::VecDeque;

use crate::model::Marks;
use crate::model::unit::{show_about, show_duration};
use crate::model::{Bad, Breach, BreachId, CheckResult, ErrorRate, ProbeIndex, Probes, Rule, Timestamp};

use super::Signal;
use super::history::Entry;
use super::onset::Onset;
use super::open_breaches::OpenBreaches;
use super::slices::Slices;

/// One error-rate rule at work.
pub(super) struct ErrorRateWatch {
    rule: Rule,
    rate: ErrorRate,
    slices: Slices,
    /// One for each of the slices.
    states: Vec<State>,
    /// The slices that have a breach.
    lasting: OpenBreaches<usize>,
    /// The checks in the window, oldest first.
    window: VecDeque<Entry>,
}

#[derive(Default)]
struct State {
    bad: u64,
    looked: u64,
    onset: Option<Onset>,
    /// Since when the share has been low enough to end a breach, if it is; kept without a breach as well, so that one
    /// that is taken up after a restart ends when it should.
    low_since: Option<Timestamp>,
    breach: Option<BreachId>,
}

/// What a good check takes away, at the least: with a threshold of 0% no stretch would ever end.
const LEAST_DECAY: u64 = 10_000_000;

impl ErrorRateWatch {
    pub(super) fn new(rule: &Rule, rate: &ErrorRate, probes: &Probes) -> Self {
        let slices = Slices::new(&rule.over, &rate.per, probes);
        let states = slices.all().iter().map(|_| State::default()).collect();
        Self {
            rule: rule.clone(),
            rate: rate.clone(),
            slices,
            states,
            lasting: OpenBreaches::default(),
            window: VecDeque::new(),
        }
    }

    pub(super) fn covers(&self, probe: ProbeIndex) -> bool {
        !self.slices.of(probe).is_empty()
    }

    pub(super) fn bad(&self) -> &Bad {
        &self.rate.bad
    }

    pub(super) fn observe(&mut self, entry: Entry, result: &CheckResult, signals: &mut Vec<Signal>) {
        self.slide(entry.at);
        self.window.push_back(entry);
        let decay = (1_000 * u64::from(self.rate.above.ppm())).max(LEAST_DECAY);
        for &slice in self.slices.of(entry.probe) {
            let state = &mut self.states[slice];
            state.looked += 1;
            state.bad += u64::from(entry.bad);
            Onset::follow(&mut state.onset, entry.at, entry.bad, result, decay);
        }
        for index in 0..self.slices.of(entry.probe).len() {
            let slice = self.slices.of(entry.probe)[index];
            self.judge(slice, entry.at, signals);
        }
    }

    /// Ends what has been low for long enough. Only what is due is looked at: how often time passes is of no account.
    pub(super) fn pass(&mut self, at: Timestamp, signals: &mut Vec<Signal>) {
        let due = self.lasting.due(self.rate.clear.hold, at);
        if due.is_empty() {
            return;
        }
        self.slide(at);
        for slice in due {
            self.judge_clear(slice, at, signals);
        }
    }

    pub(super) fn next_timeout(&self) -> Option<Timestamp> {
        self.lasting.next_due(self.rate.clear.hold)
    }

    pub(super) fn forget(&mut self, breach: &Breach) {
        if let Some(slice) = self.slices.place_of(breach, &self.rule.id) {
            self.states[slice].breach = None;
            self.states[slice].onset = None;
            self.lasting.end(slice);
        }
    }

    pub(super) fn adopt(&mut self, breach: &Breach) -> bool {
        let Some(slice) = self.slices.place_of(breach, &self.rule.id) else { return false };
        let state = &mut self.states[slice];
        state.breach = Some(breach.id);
        self.lasting.begin(slice, state.low_since);
        true
    }

    /// Forgets what is older than the window.
    fn slide(&mut self, now: Timestamp) {
        while let Some(oldest) = self.window.front().copied().filter(|oldest| oldest.at + self.rate.within < now) {
            self.window.pop_front();
            for &slice in self.slices.of(oldest.probe) {
                let state = &mut self.states[slice];
                state.looked -= 1;
                state.bad -= u64::from(oldest.bad);
                if state.bad == 0 {
                    // The last bad check was that long ago: whatever fails next is another stretch.
                    state.onset = None;
                }
            }
        }
    }

    fn judge(&mut self, slice: usize, now: Timestamp, signals: &mut Vec<Signal>) {
        self.judge_clear(slice, now, signals);
        let state = &self.states[slice];
        if state.breach.is_none()
            && state.bad >= u64::from(self.rate.at_least)
            && self.rate.above.is_exceeded_by(state.bad, state.looked)
            && let Some(onset) = &state.onset
        {
            let breach = self.breach(slice, onset, now);
            self.states[slice].breach = Some(breach.id);
            self.states[slice].low_since = None;
            self.lasting.begin(slice, None);
            signals.push(Signal::Breached(breach));
        }
    }

    fn judge_clear(&mut self, slice: usize, now: Timestamp, signals: &mut Vec<Signal>) {
        let State { bad, looked, breach, onset, low_since } = &mut self.states[slice];
        // With no checks in the window nobody knows: the next check says whether it is still low. Where checks are
        // rarer than the window is long, that is so between any two.
        if *looked == 0 {
            self.lasting.note(slice, None);
            return;
        }
        if !self.rate.clear.below.is_above(*bad, *looked) {
            *low_since = None;
            self.lasting.note(slice, None);
            return;
        }
        let low_since = *low_since.get_or_insert(now);
        self.lasting.note(slice, Some(low_since));
        let Some(id) = *breach else { return };
        if now.since(low_since) >= self.rate.clear.hold {
            let reason = format!(
                "rule {} for {}: {bad} of {looked} checks bad in the last {}, below {} for {}",
                self.rule.id,
                self.slices.all()[slice],
                show_duration(self.rate.within),
                self.rate.clear.below,
                show_duration(self.rate.clear.hold),
            );
            signals.push(Signal::Cleared { breach: id, reason });
            *breach = None;
            // What fails next is another outage, with a beginning of its own.
            *onset = None;
            self.lasting.end(slice);
        }
    }

    fn breach(&self, slice: usize, onset: &Onset, now: Timestamp) -> Breach {
        let named = &self.slices.all()[slice];
        // Of a stretch whose beginning was dropped when rules or a start were taken up, the window knows more.
        let by_itself =
            onset.bad >= u64::from(self.rate.at_least) && self.rate.above.is_exceeded_by(onset.bad, onset.looked);
        let State { bad, looked, .. } = self.states[slice];
        let seen = if by_itself {
            format!("{} of {} checks bad in {}", onset.bad, onset.looked, show_about(now.since(onset.at)))
        } else {
            format!("{bad} of {looked} checks bad in the last {}", show_duration(self.rate.within))
        };
        let reason = format!(
            "{seen}; the rule: above {} and at least {} within {}",
            self.rate.above,
            self.rate.at_least,
            show_duration(self.rate.within),
        );
        Breach {
            id: onset.breach_id(&self.rule, named),
            rule: self.rule.id.clone(),
            slice: named.clone(),
            severity: self.rule.severity,
            since: onset.at,
            found: now,
            reason,
            marks: Marks::default(),
            cleared: None,
        }
    }
}
