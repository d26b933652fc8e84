//! Thresholds: what the rules have in common that measure something over a window, slice by slice.
//!
//! A breach begins when what is measured is too high, and is over when it has been low for so long. What is measured,
//! over which windows, and what is too high or low, is the kind's own ([`Measure`]).

use std::sync::Arc;
use std::time::Duration;

use super::history::Entry;
use super::onset::Onset;
use super::open_breaches::OpenBreaches;
use super::slices::{PerSlice, SliceIndex, Slices};
use super::watch::{Signal, Watch};
use crate::config::Config;
use crate::model::{Breach, BreachId, CheckResult, Marks, Probe, ProbeIndex, Ratio, Rule, Slice, Timestamp};

/// What a kind of rule measures, and how it judges that.
pub(super) trait Measure: Send + Sync {
    /// What is counted of one slice.
    type Counts: Send + Sync;
    /// What one check adds to that.
    type Check: Copy;

    /// Whether the check is bad.
    fn is_bad(&self, probe: &Probe, result: &CheckResult) -> bool;

    /// Whether an entry of the history that some rule calls bad is bad for this one.
    fn counts(&self, entry: &Entry) -> bool;

    /// The share of bad checks with which it puts up; nothing where no share is judged.
    fn usual(&self) -> Option<Ratio> {
        None
    }

    /// A breach is over when its slice has been low for so long.
    fn hold(&self) -> Duration;

    /// What a good check takes away from a stretch of bad ones, in parts per thousand million of a check.
    fn decay(&self) -> u64;

    /// Takes a check into the window. Nothing if it says nothing about what is measured.
    fn enter(&mut self, entry: &Entry, result: &CheckResult) -> Option<Self::Check>;

    /// Takes the oldest check out of the window that does not belong there any more, and says of which probe it was.
    /// Counts that forget by themselves need none.
    fn leave(&mut self, _now: Timestamp) -> Option<(ProbeIndex, Self::Check)> {
        None
    }

    /// Counts a check that entered, and says whether it is bad.
    fn add(&self, counts: &mut Self::Counts, check: Self::Check, at: Timestamp) -> bool;

    /// Takes back a check that left, and says whether any bad one is left.
    fn remove(&self, _counts: &mut Self::Counts, _check: Self::Check) -> bool {
        true
    }

    /// Lets time pass for counts that forget by themselves.
    fn slide(&self, _counts: &mut Self::Counts, _now: Timestamp) {}

    /// Whether it is so high that a breach begins.
    fn is_high(&self, counts: &Self::Counts) -> bool;

    /// Whether it is so low that a breach may end. Nobody knows while the window has no checks.
    fn is_low(&self, counts: &Self::Counts) -> Option<bool>;

    /// Why a breach begins, with the numbers.
    fn why_high(&self, of: &Measured<'_, Self::Counts>, onset: &Onset, now: Timestamp) -> String;

    /// Why it is over, with the numbers.
    fn why_over(&self, of: &Measured<'_, Self::Counts>) -> String;

    /// What the bad checks bear from the onset on, where the history does not say it.
    fn marks(&self, _of: &Measured<'_, Self::Counts>, _onset: Timestamp, _now: Timestamp, _config: &Config) -> Marks {
        Marks::default()
    }
}

/// The slice that is judged, and its counts.
pub(super) struct Measured<'a, C> {
    pub(super) slice: SliceIndex,
    pub(super) slices: &'a Slices,
    pub(super) counts: &'a C,
}

/// One such rule at work.
pub(super) struct Thresholds<M: Measure> {
    rule: Rule,
    config: Arc<Config>,
    slices: Slices,
    states: PerSlice<State<M::Counts>>,
    /// The slices that have a breach.
    lasting: OpenBreaches<SliceIndex>,
    measure: M,
}

struct State<C> {
    counts: C,
    onset: Option<Onset>,
    /// Since when it has been low enough to end a breach, if it is; kept without a breach as well, so that one that is
    /// taken up after a restart ends when it should.
    low_since: Option<Timestamp>,
    breach: Option<BreachId>,
}

impl<M: Measure> Thresholds<M> {
    /// With the counts of a slice that has no checks yet, for each of the slices.
    pub(super) fn new(
        rule: &Rule,
        config: &Arc<Config>,
        slices: Slices,
        counts: impl IntoIterator<Item = M::Counts>,
        measure: M,
    ) -> Self {
        let state = |counts| State { counts, onset: None, low_since: None, breach: None };
        Self {
            rule: rule.clone(),
            config: Arc::clone(config),
            slices,
            states: counts.into_iter().map(state).collect(),
            lasting: OpenBreaches::default(),
            measure,
        }
    }

    /// Forgets what is older than the window.
    fn slide(&mut self, now: Timestamp) {
        while let Some((probe, check)) = self.measure.leave(now) {
            for &slice in self.slices.of(probe) {
                let state = &mut self.states[slice];
                if !self.measure.remove(&mut state.counts, check) {
                    // The last bad check was that long ago: whatever is bad next is another stretch.
                    state.onset = None;
                }
            }
        }
    }

    fn judge(&mut self, slice: SliceIndex, now: Timestamp, signals: &mut Vec<Signal>) {
        let state = &mut self.states[slice];
        if state.breach.is_some() || !self.measure.is_high(&state.counts) {
            return;
        }
        // Of what was forgotten the window still holds bad checks: the next breach begins with the next bad one.
        let Some(onset) = &state.onset else { return };
        let named = &self.slices[slice];
        let of = Measured { slice, slices: &self.slices, counts: &state.counts };
        let breach = Breach {
            id: onset.breach_id(&self.rule, named),
            rule: self.rule.id.clone(),
            slice: Slice::clone(named),
            severity: self.rule.severity,
            since: onset.at,
            found: now,
            reason: self.measure.why_high(&of, onset, now),
            marks: self.measure.marks(&of, onset.at, now, &self.config),
            usual: self.measure.usual(),
            meaning: Some(self.rule.meaning()),
            cleared: None,
        };
        (state.breach, state.low_since) = (Some(breach.id), None);
        self.lasting.begin(slice, None);
        signals.push(Signal::Breached(breach));
    }

    fn judge_clear(&mut self, slice: SliceIndex, now: Timestamp, signals: &mut Vec<Signal>) {
        let state = &mut self.states[slice];
        match self.measure.is_low(&state.counts) {
            // The next check says whether it is still low. Where checks are rarer than the window is long, that is so
            // between any two.
            None => self.lasting.note(slice, None),
            Some(false) => {
                state.low_since = None;
                self.lasting.note(slice, None);
            }
            Some(true) => {
                let low_since = *state.low_since.get_or_insert(now);
                self.lasting.note(slice, Some(low_since));
                if let Some(breach) = state.breach.filter(|_| now.since(low_since) >= self.measure.hold()) {
                    // What is bad next is another outage, with a beginning of its own.
                    (state.breach, state.onset) = (None, None);
                    self.lasting.end(slice);
                    let of = Measured { slice, slices: &self.slices, counts: &state.counts };
                    let (rule, named, why) = (&self.rule.id, &self.slices[slice], self.measure.why_over(&of));
                    signals.push(Signal::Cleared { breach, reason: format!("rule {rule} for {named}: {why}") });
                }
            }
        }
    }
}

impl<M: Measure> Watch for Thresholds<M> {
    fn rule(&self) -> &Rule {
        &self.rule
    }

    fn covers(&self, probe: ProbeIndex) -> bool {
        !self.slices.of(probe).is_empty()
    }

    fn is_bad(&self, _index: ProbeIndex, probe: &Probe, result: &CheckResult) -> bool {
        self.measure.is_bad(probe, result)
    }

    fn counts(&self, entry: &Entry) -> bool {
        self.measure.counts(entry)
    }

    fn is_alert(&self, probe: ProbeIndex) -> bool {
        self.slices.of(probe).iter().any(|&slice| self.states[slice].breach.is_none())
    }

    fn observe(&mut self, entry: Entry, result: &CheckResult, signals: &mut Vec<Signal>) {
        self.slide(entry.at);
        let (check, decay) = (self.measure.enter(&entry, result), self.measure.decay());
        for nth in 0..self.slices.of(entry.probe).len() {
            let slice = self.slices.of(entry.probe)[nth];
            if let Some(check) = check {
                let state = &mut self.states[slice];
                let bad = self.measure.add(&mut state.counts, check, entry.at);
                Onset::follow(&mut state.onset, entry.at, bad, result, decay);
            }
            self.judge_clear(slice, entry.at, signals);
            self.judge(slice, entry.at, signals);
        }
    }

    /// Only what is due is looked at.
    fn pass(&mut self, at: Timestamp, signals: &mut Vec<Signal>) {
        let due = self.lasting.due(self.measure.hold(), at);
        if due.is_empty() {
            return;
        }
        self.slide(at);
        for slice in due {
            self.measure.slide(&mut self.states[slice].counts, at);
            self.judge_clear(slice, at, signals);
        }
    }

    fn next_timeout(&self) -> Option<Timestamp> {
        self.lasting.next_due(self.measure.hold())
    }

    fn adopt(&mut self, breach: &Breach) -> bool {
        let Some(slice) = self.slices.index_of(breach, &self.rule.id) else { return false };
        let state = &mut self.states[slice];
        state.breach = Some(breach.id);
        self.lasting.begin(slice, state.low_since);
        true
    }

    fn forget(&mut self, breach: &Breach) {
        if let Some(slice) = self.slices.index_of(breach, &self.rule.id) {
            let state = &mut self.states[slice];
            (state.breach, state.onset) = (None, None);
            self.lasting.end(slice);
        }
    }
}
