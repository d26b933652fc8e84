//! Floor 1: from results to breaches. Judged at every result, not on a tick; O(1) amortised per result and slice.

pub(crate) mod bad;
mod change;
mod consecutive;
mod error_rate;
pub mod factor;
pub mod history;
pub mod reach;
mod slices;
pub mod tally;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use crate::config::Config;
use crate::model::incident::Marks;
use crate::model::{Bad, Breach, BreachId, Cadence, CheckResult, Outcome, Probe, Rule, RuleKind, Slice, Timestamp};

use change::ChangeWatch;
use consecutive::ConsecutiveWatch;
use error_rate::ErrorRateWatch;
use history::{Entry, History};

/// A change in what the rules say.
#[derive(Clone, PartialEq, Debug)]
pub enum Signal {
    /// A rule, for one slice, crossed its threshold.
    Breached(Breach),
    /// A breach is over.
    Cleared {
        /// Which.
        breach: BreachId,
        /// Why, with the numbers.
        reason: String,
    },
}

/// All rules of a config, and the recent past that they look at.
pub struct Detector {
    config: Arc<Config>,
    watches: Vec<Watch>,
    /// For each probe, the rules that watch it.
    watched_by: Vec<Box<[usize]>>,
    history: History,
    /// What each of those rules says of the result at hand; kept for its memory.
    bad: Vec<bool>,
}

enum Watch {
    ErrorRate(ErrorRateWatch),
    Change(ChangeWatch),
    Consecutive(ConsecutiveWatch),
}

/// What a rule may look at beside its own state.
struct Surroundings<'a> {
    config: &'a Config,
    history: &'a History,
}

impl Surroundings<'_> {
    /// What the checks of a rule's slice bear that were bad since a moment.
    fn marks(&self, since: Timestamp, rule: &Rule, bad: &Bad, slice: &Slice) -> Marks {
        let mut marks = Marks::default();
        for entry in self.history.since(since).filter(|entry| entry.bad) {
            let counts = match bad {
                Bad::Failed => entry.class.is_some(),
                Bad::Class(class) => entry.class == Some(*class),
                Bad::When(_) => true,
            };
            let probe = self.config.probes.get(entry.probe);
            if let Some(probe) = probe.filter(|probe| counts && rule.over.covers(probe) && slice.covers(probe)) {
                marks.add(probe, entry.class, &self.config.cohorts);
            }
        }
        marks
    }
}

/// How far back the history goes when no rule looks further, so that the first finding has something to compare with.
const SHORTEST_HISTORY: Duration = Duration::from_secs(120);

/// How far back a baseline is learned again after a restart.
const BASELINE: Duration = Duration::from_secs(86_400);

/// How far back the checks of a change are shown: most are found sooner.
const SLOWEST_CHANGE: Duration = Duration::from_secs(3_600);

/// How far back a run of failures is followed after a restart, at the most.
const LONGEST_RUN: Duration = Duration::from_secs(86_400);

impl Detector {
    /// Rules that have seen nothing yet.
    #[must_use]
    pub fn new(config: Arc<Config>) -> Self {
        let watches: Vec<Watch> = config.rules.iter().map(|rule| Watch::new(rule, &config)).collect();
        let watched_by = (0..config.probes.len())
            .map(|probe| (0..watches.len()).filter(|&rule| watches[rule].covers(probe)).collect())
            .collect();
        let history = History::new(history(&config));
        Self { config, watches, watched_by, history, bad: Vec::new() }
    }

    /// Takes in a result of the probe with this index, judged at `at`, which must not run backwards.
    /// Void results say nothing and are passed over. Returns what went into the history.
    pub fn observe(
        &mut self,
        probe: usize,
        result: &CheckResult,
        at: Timestamp,
        signals: &mut Vec<Signal>,
    ) -> Option<Entry> {
        let (rules, asked) = (self.watched_by.get(probe)?, self.config.probes.get(probe)?);
        if matches!(result.outcome, Outcome::Void(_)) {
            return None;
        }
        self.bad.clear();
        self.bad.extend(rules.iter().map(|&rule| self.watches[rule].is_bad(asked, result)));
        let class = result.outcome.failure();
        let anyone = class.is_some() || self.bad.contains(&true);
        let kept = Entry { at, probe, bad: anyone, class, status: result.status };
        self.history.push(kept);
        let around = Surroundings { config: &self.config, history: &self.history };
        for (&rule, &bad) in rules.iter().zip(&self.bad) {
            let entry = Entry { at, probe, bad, class, status: result.status };
            self.watches[rule].observe(entry, result, &around, signals);
        }
        Some(kept)
    }

    /// Lets time pass without a result: breaches may be over.
    pub fn pass(&mut self, at: Timestamp, signals: &mut Vec<Signal>) {
        for watch in &mut self.watches {
            match watch {
                Watch::ErrorRate(watch) => watch.pass(at, signals),
                Watch::Change(watch) => watch.pass(at, signals),
                Watch::Consecutive(watch) => watch.pass(at, signals),
            }
        }
    }

    /// When time passing alone may change something.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Timestamp> {
        let each = self.watches.iter().filter_map(|watch| match watch {
            Watch::ErrorRate(watch) => watch.next_timeout(),
            Watch::Change(watch) => watch.next_timeout(),
            Watch::Consecutive(watch) => watch.next_timeout(),
        });
        each.min()
    }

    /// Takes a stored breach for the one of its slice: its id, not one derived from however much was replayed. Says no
    /// when no rule of this config could ever end it.
    pub fn adopt(&mut self, breach: &Breach) -> bool {
        self.watches.iter_mut().any(|watch| match watch {
            Watch::ErrorRate(watch) => watch.adopt(breach),
            Watch::Change(watch) => watch.adopt(breach),
            Watch::Consecutive(watch) => watch.adopt(breach, &self.config.probes),
        })
    }

    /// Drops the breach of a slice: the next one begins with the next bad check.
    pub fn forget(&mut self, breach: &Breach) {
        for watch in &mut self.watches {
            match watch {
                Watch::ErrorRate(watch) => watch.forget(breach),
                Watch::Change(watch) => watch.forget(breach),
                Watch::Consecutive(watch) => watch.forget(breach, &self.config.probes),
            }
        }
    }

    /// The recent past.
    #[must_use]
    pub fn history(&self) -> &History {
        &self.history
    }
}

impl Watch {
    fn new(rule: &Rule, config: &Config) -> Self {
        let probes = &config.probes;
        match &rule.kind {
            RuleKind::ErrorRate(rate) => Self::ErrorRate(ErrorRateWatch::new(rule, rate, probes)),
            RuleKind::Change(change) => Self::Change(ChangeWatch::new(rule, change, probes, &config.cohorts)),
            RuleKind::Consecutive(run) => Self::Consecutive(ConsecutiveWatch::new(rule, *run, probes)),
        }
    }

    fn covers(&self, probe: usize) -> bool {
        match self {
            Self::ErrorRate(watch) => watch.covers(probe),
            Self::Change(watch) => watch.covers(probe),
            Self::Consecutive(watch) => watch.covers(probe),
        }
    }

    fn is_bad(&self, probe: &Probe, result: &CheckResult) -> bool {
        match self {
            Self::ErrorRate(watch) => bad::is_bad(watch.bad(), probe, result),
            Self::Change(watch) => bad::is_bad(watch.bad(), probe, result),
            Self::Consecutive(_) => result.outcome.failure().is_some(),
        }
    }

    fn observe(&mut self, entry: Entry, result: &CheckResult, around: &Surroundings<'_>, signals: &mut Vec<Signal>) {
        match self {
            Self::ErrorRate(watch) => watch.observe(entry, result, around.config, signals),
            Self::Change(watch) => watch.observe(entry, result, around, signals),
            Self::Consecutive(watch) => watch.observe(entry, result, around.config, signals),
        }
    }
}

/// How much of the past a restart must replay, so that every window is full and every breach that could still be going
/// on has begun within it. A run of failures reaches as far back as its probe takes to make them; for probes on a
/// calendar a day is looked at.
#[must_use]
pub fn lookback(config: &Config) -> Duration {
    let slowest = config.probes.iter().map(|probe| match probe.cadence {
        Cadence::Every(interval) => interval,
        Cadence::At(_) => LONGEST_RUN,
    });
    let slowest = slowest.max().unwrap_or_default();
    let longest = config.rules.iter().map(|rule| match &rule.kind {
        RuleKind::ErrorRate(rate) => rate.within.saturating_mul(2).saturating_add(rate.clear.hold),
        RuleKind::Change(_) => BASELINE,
        RuleKind::Consecutive(run) => {
            slowest.saturating_mul(run.count.saturating_add(1)).min(LONGEST_RUN).saturating_add(run.clear_after)
        }
    });
    longest.max().unwrap_or_default().max(SHORTEST_HISTORY)
}

/// How much of the past the first finding of a breach may need.
fn history(config: &Config) -> Duration {
    let windows = config.rules.iter().map(|rule| match &rule.kind {
        RuleKind::ErrorRate(rate) => rate.within,
        RuleKind::Change(_) => SLOWEST_CHANGE,
        RuleKind::Consecutive(_) => SHORTEST_HISTORY,
    });
    windows.max().unwrap_or_default().max(SHORTEST_HISTORY)
}
