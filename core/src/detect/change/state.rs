//! What is known of one slice of a change rule: its baseline, the evidence for an outage, and the breach that goes on.

use std::time::Duration;

use super::baseline::{self, Baseline};
use super::evidence::{SIZES, Sums, Weights, gain};
use crate::detect::history::Entry;
use crate::model::unit::{show_about, show_duration, show_share};
use crate::model::{BreachId, CheckResult, ProbeId, Timestamp};

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

/// One slice.
pub(super) struct State {
    threshold: f64,
    /// The share of its checks that usually fails.
    pub(super) usual: f64,
    weights: Weights,
    /// Whether the baseline was young when the weights were made.
    young: bool,
    sums: Sums,
    baseline: Baseline,
    /// All checks, and all bad ones, that were ever seen.
    pub(super) seen: Counts,
    /// When the last bad check was, and how many good ones came after it; kept without a breach as well, so that one
    /// that is taken up after a restart ends when it should.
    last_bad: Option<Timestamp>,
    good_after: u64,
    /// While there is any evidence.
    stretch: Option<Box<Stretch>>,
    pub(super) breach: Option<Box<Ongoing>>,
}

#[derive(Clone, Copy, Default)]
pub(super) struct Counts {
    pub(super) looked: u64,
    pub(super) bad: u64,
}

/// Checks since the evidence was last zero.
struct Stretch {
    before: Counts,
    /// For each size, where its sum last left zero.
    onsets: [Option<Onset>; SIZES.len()],
}

/// The check with which an outage of some size begins.
#[derive(Clone)]
pub(super) struct Onset {
    pub(super) at: Timestamp,
    pub(super) probe: ProbeId,
    pub(super) started: Timestamp,
    /// What was seen before it.
    pub(super) before: Counts,
}

/// A breach that is not over.
pub(super) struct Ongoing {
    pub(super) id: BreachId,
    before: Counts,
    /// The share of bad checks since its onset.
    share: f64,
    /// How strongly the checks speak for the usual rate again, in nats; at most twice what is needed.
    wellness: f64,
    pub(super) well_since: Option<Timestamp>,
    found: Timestamp,
    /// What was seen and not learned.
    unlearned: Counts,
}

impl State {
    /// Nothing has been seen; from this sum on it is in an outage.
    pub(super) fn new(threshold: f64) -> Self {
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

    /// Counts a check.
    pub(super) fn count(&mut self, entry: Entry) {
        self.seen.looked += 1;
        self.seen.bad += u64::from(entry.bad);
        if entry.bad {
            (self.last_bad, self.good_after) = (Some(entry.at), 0);
        } else {
            self.good_after += 1;
        }
    }

    /// Adds a check to the evidence. Gives the onset of the outage that it completes.
    pub(super) fn weigh(&mut self, entry: Entry, result: &CheckResult, overall: f64) -> Option<Onset> {
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
        // A size has an onset while its sum is above zero, as one beyond the threshold is.
        let found = self.sums.beyond(self.threshold).and_then(|size| stretch.onsets[size].clone());
        if found.is_none() && self.sums.are_zero() {
            // It came to nothing, so it is part of what is usual.
            let counts = self.seen.since(stretch.before);
            self.stretch = None;
            self.baseline.learn(counts.looked, counts.bad);
            self.fold(entry.at, overall);
        }
        found
    }

    /// Follows a breach: does it end, does it become usual?
    pub(super) fn follow(&mut self, ongoing: &mut Ongoing, entry: Entry, overall: f64) {
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
        ongoing.unlearned.looked += 1;
        ongoing.unlearned.bad += u64::from(entry.bad);
        if self.baseline.is_due(entry.at) {
            let counts = std::mem::take(&mut ongoing.unlearned);
            self.baseline.learn_with_caution(counts.looked, counts.bad);
            self.fold(entry.at, overall);
        }
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

    /// Why the breach is over, if it is.
    pub(super) fn why_over(&self, ongoing: &Ongoing, hold: Duration, now: Timestamp) -> Option<String> {
        let usual = || show_share(self.usual);
        if ongoing.well_since.is_some_and(|since| now.since(since) >= hold) {
            Some(format!("no more fail than usual ({}) for {}", usual(), show_duration(hold)))
        } else if let Some(quiet) = self.quiet(ongoing, now) {
            Some(format!("none of the last {} checks failed in {}", self.good_after, show_about(quiet)))
        } else {
            let is_usual = self.usual >= BECOME_USUAL * ongoing.share;
            is_usual.then(|| format!("what fails has become usual ({})", usual()))
        }
    }

    /// A breach begins.
    pub(super) fn begin(&mut self, id: BreachId, onset: &Onset, now: Timestamp) {
        let counts = self.seen.since(onset.before);
        let share = likely_share(counts, self.usual);
        self.drop_all();
        self.breach = Some(Box::new(Ongoing { share, unlearned: counts, ..Ongoing::new(id, onset.before, now) }));
    }

    /// Takes a stored breach for its own. Returns since when it has been well, if it is.
    pub(super) fn adopt(&mut self, id: BreachId, found: Timestamp) -> Option<Timestamp> {
        let new = || Box::new(Ongoing::new(id, self.seen, found));
        let ongoing = self.breach.get_or_insert_with(new);
        ongoing.id = id;
        ongoing.well_since
    }

    /// Ends the breach that was taken out, and learns from its checks.
    pub(super) fn end(&mut self, ongoing: &Ongoing) {
        self.baseline.learn_with_caution(ongoing.unlearned.looked, ongoing.unlearned.bad);
        self.drop_all();
    }

    /// Back to no evidence and no breach.
    pub(super) fn drop_all(&mut self) {
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
    /// What came since.
    pub(super) fn since(self, before: Self) -> Self {
        Self { looked: self.looked - before.looked, bad: self.bad - before.bad }
    }
}

/// The share of bad checks, kept within the sizes that are looked for and clear of what is usual.
#[expect(clippy::cast_precision_loss, reason = "counts of checks are far below 2^52")]
fn likely_share(counts: Counts, usual: f64) -> f64 {
    let share = counts.bad as f64 / counts.looked.max(1) as f64;
    share.clamp((2.0 * usual).max(SIZES[0]), SIZES[SIZES.len() - 1])
}
