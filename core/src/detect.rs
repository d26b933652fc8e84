//! Floor 1: from results to breaches. Judged at every result, not on a tick; O(1) amortised per result and slice.
//!
//! # Adding a rule kind
//! 1. `model/rule/`: a file with a struct of what is configured, and what it says of itself (`Judgement`); in
//!    `model/rule.rs` the variant of [`RuleKind`] that holds it, and its two arms. Once that is there,
//!    the compiler asks for 3 and 4.
//! 2. `config/rules/`: a file that reads it, and its row in the table of kinds.
//! 3. `detect/`: a file of its own, its `mod` line, and its arm in `kind_of` below. In the file are
//!    - `impl Kind` for the struct: how a rule of the kind is put to work, and how much of the past it needs;
//!    - `impl Watch` for a rule at work, of which it writes what it needs. A kind that counts checks in a window, slice by
//!      slice, and compares that with a threshold has it from `Thresholds`, and writes `impl Measure` instead: what it
//!      counts, and what is too much (`error_rate` is the shortest of these, `expiry` of the others).
//! 4. `detect/time_to_detect.rs`: its arm, with how long it takes at the worst; `outlook` has what is likely.
//! 5. `detect/tests/kinds.rs`: what it finds, when that is over, and what it says.
//!
//! `engine/case/assess.rs` may have words for what is wrong, where a check need not fail to be bad; it has a default.
//!
//! Nothing else in this room names a kind. `Slices` cuts a rule's checks into slices, `Onset` says when a stretch of bad
//! ones began, and `OpenBreaches` which breaches may be over.

mod bad;
mod change;
mod buckets;
mod burn_rate;
mod columns;
mod consecutive;
mod error_rate;
mod expiry;
mod factor;
pub mod history;
mod open_breaches;
mod places;
mod latency;
mod missing;
mod onset;
pub mod time_to_detect;
pub mod self_check;
mod slices;
pub mod tally;
mod thresholds;
mod watch;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use columns::Columns;
use history::{Entry, History};
use places::Places;
use tally::Tally;
pub use watch::Signal;
use watch::{Kind, Watch};

use crate::config::Config;
use crate::model::{Breach, CheckResult, Finding, Outcome, PerProbe, ProbeIndex, Rule, RuleKind, Slice, Timestamp};

/// The kind of a rule; `None` for the one that judges no probe: [`self_check`] does its work.
fn kind_of(rule: &Rule) -> Option<&dyn Kind> {
    Some(match &rule.kind {
        RuleKind::ErrorRate(rate) => rate,
        RuleKind::Change(change) => change,
        RuleKind::Consecutive(run) => run,
        RuleKind::Latency(latency) => latency,
        RuleKind::BurnRate(burn) => burn,
        RuleKind::Expiry(expiry) => expiry,
        RuleKind::Missing(missing) => missing,
        RuleKind::Offline => return None,
    })
}

/// All rules of a config, and the recent past that they look at.
pub struct Detector {
    config: Arc<Config>,
    watches: Vec<Box<dyn Watch>>,
    /// For each probe, the places of the rules that watch it.
    watched_by: PerProbe<Box<[usize]>>,
    history: History,
    places: Places,
    columns: Columns,
    /// What each of those rules says of the result at hand; kept for its memory.
    bad: Vec<bool>,
}

/// How far back the history goes when no rule looks further, so that the first finding has something to compare with.
const SHORTEST_HISTORY: Duration = Duration::from_secs(120);

impl Detector {
    /// Rules that have seen nothing yet.
    #[must_use]
    pub fn new(config: Arc<Config>) -> Self {
        let watches: Vec<Box<dyn Watch>> =
            config.rules.iter().filter_map(|rule| Some(kind_of(rule)?.watch(rule, &config))).collect();
        let watching = |probe| (0..watches.len()).filter(|&rule| watches[rule].covers(probe)).collect();
        Self {
            watched_by: config.probes.indexed().map(|(probe, _)| watching(probe)).collect(),
            watches,
            history: History::new(history(&config)),
            places: Places::default(),
            columns: Columns::new(&config),
            bad: Vec::new(),
            config,
        }
    }

    /// Takes in a result of the probe with this index, judged at `at`, which must not run backwards.
    /// Void results, and those of a check that was retried, say nothing and are passed over. Returns what went into
    /// the history.
    pub fn observe(
        &mut self,
        probe: ProbeIndex,
        result: &CheckResult,
        at: Timestamp,
        signals: &mut Vec<Signal>,
    ) -> Option<Entry> {
        if matches!(result.outcome, Outcome::Void(_)) || result.superseded {
            return None;
        }
        let (rules, asked) = (&self.watched_by[probe], &self.config.probes[probe]);
        self.bad.clear();
        self.bad.extend(rules.iter().map(|&rule| self.watches[rule].is_bad(probe, asked, result)));
        let class = result.outcome.failure();
        let anyone = class.is_some() || self.bad.contains(&true);
        let place = self.places.of(&result.location, result.address);
        let kept = Entry { at, probe, bad: anyone, class, status: result.status, place };
        self.history.push(kept);
        for (&rule, &bad) in rules.iter().zip(&self.bad) {
            self.watches[rule].observe(Entry { bad, ..kept }, result, signals);
        }
        Some(kept)
    }

    /// A check of the probe with this index came back, and may say nothing: nobody knows yet whether we see, or we do not.
    pub fn excuse(&mut self, probe: ProbeIndex, at: Timestamp) {
        self.watches.iter_mut().for_each(|watch| watch.excuse(probe, at));
    }

    /// Puts off what is missing by now, because we may be cut off.
    pub fn put_off(&mut self, at: Timestamp) {
        self.watches.iter_mut().for_each(|watch| watch.put_off(at));
    }

    /// We see again: what did not come meanwhile could not, and is counted anew.
    pub fn see_again(&mut self, at: Timestamp) {
        self.watches.iter_mut().for_each(|watch| watch.see_again(at));
    }

    /// Lets time pass without a result: breaches may be over, and checks may be missing.
    pub fn pass(&mut self, at: Timestamp, signals: &mut Vec<Signal>) {
        for watch in &mut self.watches {
            watch.pass(at, signals);
            watch.find_missing(at, &mut self.history, signals);
        }
    }

    /// Lets time pass for the rules that watch this probe, up to a check of it: breaches may be over. What is missing is
    /// found when its own turn comes, whatever was checked.
    pub fn pass_for(&mut self, probe: ProbeIndex, at: Timestamp, signals: &mut Vec<Signal>) {
        for &rule in &self.watched_by[probe] {
            self.watches[rule].pass(at, signals);
        }
    }

    /// When time passing alone may change something.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Timestamp> {
        self.watches.iter().filter_map(|watch| watch.next_timeout()).min()
    }

    /// Takes a stored breach for the one of its slice: its id, not one derived from however much was replayed. Says no
    /// when no rule of this config could ever end it.
    pub fn adopt(&mut self, breach: &Breach) -> bool {
        self.watches.iter_mut().any(|watch| watch.adopt(breach))
    }

    /// Drops the breach of a slice: the next one begins with the next bad check.
    pub fn forget(&mut self, breach: &Breach) {
        self.watches.iter_mut().for_each(|watch| watch.forget(breach));
    }

    /// What comes from here on is new, and what does not come is missing.
    pub fn start(&mut self, at: Timestamp) {
        self.watches.iter_mut().for_each(|watch| watch.start(at));
    }

    /// The bad checks that made a breach, oldest first, as far back as the history goes. There are none of a rule that
    /// judges no probe, or that is no more.
    pub fn bad_checks(&self, breach: &Breach) -> impl Iterator<Item = &Entry> {
        self.bad_checks_since(breach, breach.since)
    }

    /// Those of them that ended since this moment.
    pub fn bad_checks_since(&self, breach: &Breach, since: Timestamp) -> impl Iterator<Item = &Entry> {
        let watch = self.watches.iter().find(|watch| watch.rule().id == breach.rule);
        let (watches, slice) = (watch.into_iter(), breach.slice.clone());
        watches.flat_map(move |watch| {
            let slice = slice.clone();
            let entries = self.history.since(since).filter(|entry| entry.bad);
            entries.filter(move |entry| is_of(watch.as_ref(), entry, &slice, &self.config))
        })
    }

    /// How many checks of its slice ended since a breach began, bad or not, as far back as the history goes.
    #[must_use]
    pub fn checks(&self, breach: &Breach) -> usize {
        let watch = self.watches.iter().find(|watch| watch.rule().id == breach.rule);
        let covered = |entry: &&Entry| {
            watch.is_some_and(|watch| watch.covers(entry.probe))
                && breach.slice.covers(&self.config.probes[entry.probe])
        };
        self.history.since(breach.since).filter(covered).count()
    }

    /// Whether a bad check is among those that a breach of this rule and slice is about.
    #[must_use]
    pub fn is_of(&self, entry: &Entry, breach: &Breach) -> bool {
        let mut rule = self.watches.iter().filter(|watch| watch.rule().id == breach.rule);
        rule.any(|watch| is_of(watch.as_ref(), entry, &breach.slice, &self.config))
    }

    /// Whether more bad checks of this probe would soon be told by some rule that judges shares: a slice with its checks
    /// is not in breach.
    #[must_use]
    pub fn is_alert(&self, probe: ProbeIndex) -> bool {
        let prompt = |watch: &dyn Watch| kind_of(watch.rule()).is_some_and(Kind::is_prompt);
        let mut watching = self.watched_by[probe].iter().map(|&rule| self.watches[rule].as_ref());
        watching.any(|watch| prompt(watch) && watch.is_alert(probe))
    }

    /// The recent past.
    #[must_use]
    pub fn history(&self) -> &History {
        &self.history
    }

    /// What these checks, counted from entries of the history, have in common.
    #[must_use]
    pub fn finding(&self, tally: &Tally) -> Finding {
        factor::find(tally, self.places.all(), &self.columns)
    }
}

fn is_of(watch: &dyn Watch, entry: &Entry, slice: &Slice, config: &Config) -> bool {
    watch.covers(entry.probe) && watch.counts(entry) && slice.covers(&config.probes[entry.probe])
}

/// How much of the past a restart must replay, so that every window is full and every breach that could still be going
/// on has begun within it.
#[must_use]
pub fn lookback(config: &Config) -> Duration {
    let each = config.rules.iter().filter_map(kind_of).map(|kind| kind.lookback(&config.probes));
    each.max().unwrap_or_default().max(SHORTEST_HISTORY)
}

/// How much of the past the detector remembers: the first finding of a breach may need it.
#[must_use]
pub fn history(config: &Config) -> Duration {
    let each = config.rules.iter().filter_map(kind_of).map(Kind::history);
    each.max().unwrap_or_default().max(SHORTEST_HISTORY)
}
