//! Change: more checks of a slice fail than usually do.
//!
//! Every slice has its own learned baseline (`baseline`) and sums up the evidence against it (`evidence`). While there
//! is any, the baseline stands still: the checks of a stretch that came to nothing are learned when it has ended. Those
//! of an outage are learned with caution: they count less, and for no more than the most that can be usual.

pub(super) mod baseline;
pub(super) mod evidence;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::model::Marks;
use crate::model::unit::{show_about, show_duration, show_share};
use crate::model::{
    Bad, Breach, BreachId, Cadence, Change, CheckResult, LabelName, ProbeId, ProbeIndex, Probes, Rule, Timestamp,
};

use super::Signal;
use super::history::Entry;
use super::onset::breach_id;
use super::open_breaches::OpenBreaches;
use super::slices::Slices;
use baseline::Baseline;
use evidence::{SIZES, Sums, Weights, gain};

/// How strongly checks must speak for the usual rate again before a breach is over: a hundred to one, in nats.
const WELL: f64 = 4.605;
/// One bad check takes back no more than half of what is needed: a stray failure does not prove that it goes on, and for
/// every size of outage the good checks between two bad ones bring less.
const MOST_LOST: f64 = WELL / 2.0;
/// A breach is over as well when so many checks, for so long, were all good.
const QUIET_CHECKS: u64 = 10;
const QUIET: Duration = Duration::from_secs(600);
/// ... or when at least this part of what fails in it has become usual.
const BECOME_USUAL: f64 = 2.0 / 3.0;

/// One change rule at work.
pub(super) struct ChangeWatch {
    rule: Rule,
    change: Change,
    slices: Slices,
    /// One for each of the slices; the first is the whole.
    states: Vec<State>,
    lasting: OpenBreaches<usize>,
}

struct State {
    threshold: f64,
    usual: f64,
    weights: Weights,
    /// Whether the baseline was young when the weights were made.
    young: bool,
    sums: Sums,
    baseline: Baseline,
    /// All checks, and all bad ones, that were ever seen.
    seen: Counts,
    /// When the last bad check was, and how many good ones came after it; kept without a breach as well, so that one
    /// that is taken up after a restart ends when it should.
    last_bad: Option<Timestamp>,
    good_after: u64,
    /// While there is any evidence.
    stretch: Option<Box<Stretch>>,
    breach: Option<Box<Ongoing>>,
}

#[derive(Clone, Copy, Default)]
struct Counts {
    looked: u64,
    bad: u64,
}

/// Checks since the evidence was last zero.
struct Stretch {
    before: Counts,
    /// For each size, where its sum last left zero.
    onsets: [Option<Onset>; SIZES.len()],
}

#[derive(Clone)]
struct Onset {
    at: Timestamp,
    probe: ProbeId,
    started: Timestamp,
    before: Counts,
}

/// A breach that is not over.
struct Ongoing {
    id: BreachId,
    before: Counts,
    /// The share of bad checks since its onset.
    share: f64,
    /// How strongly the checks speak for the usual rate again, in nats; at most twice what is needed.
    wellness: f64,
    well_since: Option<Timestamp>,
    found: Timestamp,
    /// What was seen and not learned.
    unlearned: Counts,
}

impl ChangeWatch {
    pub(super) fn new<V>(rule: &Rule, change: &Change, probes: &Probes, cohorts: &BTreeMap<LabelName, V>) -> Self {
        let slices = slices(rule, probes, cohorts);
        let states = thresholds(change, &slices, probes).into_iter().map(State::new).collect();
        Self { rule: rule.clone(), change: change.clone(), slices, states, lasting: OpenBreaches::default() }
    }

    pub(super) fn covers(&self, probe: ProbeIndex) -> bool {
        !self.slices.of(probe).is_empty()
    }

    pub(super) fn bad(&self) -> &Bad {
        &self.change.bad
    }

    pub(super) fn observe(&mut self, entry: Entry, result: &CheckResult, signals: &mut Vec<Signal>) {
        let overall = self.states.first().map_or(baseline::FLOOR, |state| state.usual);
        for index in 0..self.slices.of(entry.probe).len() {
            let slice = self.slices.of(entry.probe)[index];
            let state = &mut self.states[slice];
            let overall = if slice == 0 { baseline::FLOOR } else { overall };
            state.seen.looked += 1;
            state.seen.bad += u64::from(entry.bad);
            if entry.bad {
                (state.last_bad, state.good_after) = (Some(entry.at), 0);
            } else {
                state.good_after += 1;
            }
            if state.breach.is_some() {
                let well_since = state.follow(entry, overall);
                self.lasting.note(slice, well_since);
                self.judge_clear(slice, entry.at, signals);
            } else if let Some(size) = state.weigh(entry, result, overall) {
                self.breach(slice, size, entry.at, signals);
            }
        }
    }

    /// Ends what has been well for long enough. Only what is due is looked at: how often time passes is of no account.
    pub(super) fn pass(&mut self, at: Timestamp, signals: &mut Vec<Signal>) {
        for slice in self.lasting.due(self.change.clear_hold, at) {
            self.judge_clear(slice, at, signals);
        }
    }

    pub(super) fn next_timeout(&self) -> Option<Timestamp> {
        self.lasting.next_due(self.change.clear_hold)
    }

    pub(super) fn forget(&mut self, breach: &Breach) {
        if let Some(slice) = self.slices.place_of(breach, &self.rule.id) {
            self.states[slice].end();
            self.lasting.end(slice);
        }
    }

    pub(super) fn adopt(&mut self, breach: &Breach) -> bool {
        let Some(slice) = self.slices.place_of(breach, &self.rule.id) else { return false };
        let state = &mut self.states[slice];
        let new = || Box::new(Ongoing::new(breach.id, state.seen, breach.found));
        let ongoing = state.breach.get_or_insert_with(new);
        ongoing.id = breach.id;
        self.lasting.begin(slice, ongoing.well_since);
        true
    }

    fn breach(&mut self, slice: usize, size: usize, now: Timestamp, signals: &mut Vec<Signal>) {
        let state = &mut self.states[slice];
        let Some(onset) = state.stretch.as_ref().and_then(|stretch| stretch.onsets[size].clone()) else { return };
        let named = &self.slices.all()[slice];
        let id = breach_id(&self.rule, named, &onset.probe, onset.started);
        let counts = state.seen.since(onset.before);
        let reason = format!(
            "{} of {} checks {} in {}; usually {} do",
            counts.bad,
            counts.looked,
            if matches!(self.change.bad, Bad::Failed) { "failed" } else { "were bad" },
            show_about(now.since(onset.at)),
            show_share(state.usual),
        );
        let mut ongoing = Ongoing::new(id, onset.before, now);
        ongoing.share = likely_share(counts, state.usual);
        ongoing.unlearned = counts;
        state.end();
        state.breach = Some(Box::new(ongoing));
        self.lasting.begin(slice, None);
        signals.push(Signal::Breached(Breach {
            id,
            rule: self.rule.id.clone(),
            slice: named.clone(),
            severity: self.rule.severity,
            since: onset.at,
            found: now,
            reason,
            marks: Marks::default(),
            cleared: None,
        }));
    }

    fn judge_clear(&mut self, slice: usize, now: Timestamp, signals: &mut Vec<Signal>) {
        let state = &mut self.states[slice];
        let Some(ongoing) = &state.breach else { return };
        let is_well = ongoing.well_since.is_some_and(|since| now.since(since) >= self.change.clear_hold);
        let (usual, named) = (show_share(state.usual), &self.slices.all()[slice]);
        let reason = if is_well {
            format!(
                "rule {} for {named}: no more fail than usual ({usual}) for {}",
                self.rule.id,
                show_duration(self.change.clear_hold),
            )
        } else if let Some(quiet) = state.quiet(ongoing, now) {
            format!(
                "rule {} for {named}: none of the last {} checks failed in {}",
                self.rule.id,
                state.good_after,
                show_about(quiet)
            )
        } else if state.usual >= BECOME_USUAL * ongoing.share {
            format!("rule {} for {named}: what fails has become usual ({usual})", self.rule.id)
        } else {
            return;
        };
        signals.push(Signal::Cleared { breach: ongoing.id, reason });
        state.baseline.learn_with_caution(ongoing.unlearned.looked, ongoing.unlearned.bad);
        state.end();
        self.lasting.end(slice);
    }
}

impl State {
    fn new(threshold: f64) -> Self {
        Self {
            threshold,
            usual: baseline::FLOOR,
            weights: Weights::against(baseline::FLOOR, 1),
            young: true,
            sums: Sums::default(),
            baseline: Baseline::default(),
            seen: Counts::default(),
            last_bad: None,
            good_after: 0,
            stretch: None,
            breach: None,
        }
    }

    /// Adds a check to the evidence. Gives the size of the outage that it completes.
    fn weigh(&mut self, entry: Entry, result: &CheckResult, overall: f64) -> Option<usize> {
        if self.stretch.is_none() && !entry.bad {
            self.baseline.learn(1, 0);
            if self.baseline.is_due(entry.at) {
                self.fold(entry.at, overall);
            }
            return None;
        }
        let mut before = self.seen;
        before.looked -= 1;
        before.bad -= u64::from(entry.bad);
        let stretch = self.stretch.get_or_insert_with(|| Box::new(Stretch { before, onsets: Default::default() }));
        self.sums.add(entry.bad, &self.weights);
        for (size, onset) in stretch.onsets.iter_mut().enumerate() {
            if self.sums.is_zero(size) {
                *onset = None;
            } else if onset.is_none() {
                let (probe, started) = (result.probe.clone(), result.started);
                *onset = Some(Onset { at: entry.at, probe, started, before });
            }
        }
        let found = self.sums.beyond(self.threshold);
        if found.is_none() && self.sums.are_zero() {
            // It came to nothing, so it is part of what is usual.
            let counts = self.seen.since(stretch.before);
            self.stretch = None;
            self.baseline.learn(counts.looked, counts.bad);
            self.fold(entry.at, overall);
        }
        found
    }

    /// Follows a breach: does it end, does it become usual? Returns since when it has been well, if it is.
    fn follow(&mut self, entry: Entry, overall: f64) -> Option<Timestamp> {
        let ongoing = self.breach.as_mut()?;
        if entry.bad {
            let counts = self.seen.since(ongoing.before);
            ongoing.share = likely_share(counts, self.usual);
            ongoing.wellness += gain(self.usual, ongoing.share).max(-MOST_LOST);
        } else {
            ongoing.wellness += gain(1.0 - self.usual, 1.0 - ongoing.share);
        }
        ongoing.wellness = ongoing.wellness.clamp(0.0, 2.0 * WELL);
        if ongoing.wellness >= WELL {
            ongoing.well_since.get_or_insert(entry.at);
        } else if ongoing.wellness <= 0.0 {
            ongoing.well_since = None;
        }
        let well_since = ongoing.well_since;
        ongoing.unlearned.looked += 1;
        ongoing.unlearned.bad += u64::from(entry.bad);
        if self.baseline.is_due(entry.at) {
            let counts = std::mem::take(&mut ongoing.unlearned);
            self.baseline.learn_with_caution(counts.looked, counts.bad);
            self.fold(entry.at, overall);
        }
        well_since
    }

    fn fold(&mut self, at: Timestamp, overall: f64) {
        let usual = self.baseline.fold(at, overall);
        // Logarithms cost more than the rest of a check, and most folds change nothing.
        let young = self.baseline.is_young();
        if (usual / self.usual - 1.0).abs() > 0.02 || young != self.young {
            self.usual = usual;
            self.young = young;
            self.weights = Weights::against(usual, usize::from(young));
        }
    }

    /// How long nothing has failed, if for so long that it need not be proved: a small outage of a slice with few checks
    /// would else be told as lasting an hour after its end.
    fn quiet(&self, ongoing: &Ongoing, now: Timestamp) -> Option<Duration> {
        let quiet = now.since(self.last_bad.unwrap_or(ongoing.found));
        (self.good_after >= QUIET_CHECKS && quiet >= QUIET).then_some(quiet)
    }

    /// Back to no evidence and no breach.
    fn end(&mut self) {
        self.sums = Sums::default();
        self.stretch = None;
        self.breach = None;
    }
}

impl Ongoing {
    fn new(id: BreachId, before: Counts, found: Timestamp) -> Self {
        let (share, unlearned) = (SIZES[SIZES.len() - 1], Counts::default());
        Self { id, before, share, wellness: 0.0, well_since: None, found, unlearned }
    }
}

impl Counts {
    fn since(self, before: Self) -> Self {
        Self { looked: self.looked - before.looked, bad: self.bad - before.bad }
    }
}

/// The share of bad checks, kept within the sizes that are looked for and clear of what is usual.
#[expect(clippy::cast_precision_loss, reason = "counts of checks are far below 2^52")]
fn likely_share(counts: Counts, usual: f64) -> f64 {
    let share = counts.bad as f64 / counts.looked.max(1) as f64;
    share.clamp((2.0 * usual).max(SIZES[0]), SIZES[SIZES.len() - 1])
}

/// The slices of a change rule: everything, each component, each cohort value, and each component with each of these.
pub(super) fn slices<V>(rule: &Rule, probes: &Probes, cohorts: &BTreeMap<LabelName, V>) -> Slices {
    Slices::families(&rule.over, probes, cohorts)
}

/// The threshold of each slice: the budget is shared out equally over the slices.
pub(super) fn thresholds(change: &Change, slices: &Slices, probes: &Probes) -> Vec<f64> {
    let per = change.false_alarms.per.as_secs_f64();
    let mut checks = vec![0.0; slices.all().len()];
    for (index, probe) in probes.indexed() {
        let interval = match &probe.cadence {
            Cadence::Every(interval) => interval.as_secs_f64(),
            Cadence::At(_) => AT_MOST_EVERY,
        };
        for &slice in slices.of(index) {
            checks[slice] += per / interval.max(0.001);
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let alarms = f64::from(change.false_alarms.count) / checks.len().max(1) as f64;
    checks.into_iter().map(|checks| evidence::threshold(checks, alarms)).collect()
}

/// A probe on a calendar counts as if it ran each minute, in seconds: more often is rare.
const AT_MOST_EVERY: f64 = 60.0;
