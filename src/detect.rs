//! Floor 1: from results to breaches. Judged at every result, not on a tick; O(1) amortised per result and slice.

pub(crate) mod bad;
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

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::config::Config;
use crate::model::{
    Bad, Breach, BreachId, Cadence, CheckResult, FailureClass, Finding, Outcome, PerProbe, Probe, ProbeIndex, Rule,
    RuleKind, Timestamp,
};

use burn_rate::BurnRateWatch;
use change::ChangeWatch;
use columns::Columns;
use consecutive::ConsecutiveWatch;
use error_rate::ErrorRateWatch;
use expiry::ExpiryWatch;
use history::{Entry, History};
use latency::LatencyWatch;
use missing::MissingWatch;
use places::Places;
use tally::Tally;

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
    watched_by: PerProbe<Box<[usize]>>,
    history: History,
    places: Places,
    columns: Columns,
    /// What each of those rules says of the result at hand; kept for its memory.
    bad: Vec<bool>,
}

enum Watch {
    ErrorRate(ErrorRateWatch),
    Change(ChangeWatch),
    Consecutive(ConsecutiveWatch),
    Latency(LatencyWatch),
    BurnRate(BurnRateWatch),
    Expiry(ExpiryWatch),
    Missing(MissingWatch),
}

/// How far back the history goes when no rule looks further, so that the first finding has something to compare with.
const SHORTEST_HISTORY: Duration = Duration::from_secs(120);

/// How far back a baseline is learned again after a restart.
const BASELINE: Duration = Duration::from_secs(86_400);

/// How far back the checks of a change are shown: most are found sooner.
const SLOWEST_CHANGE: Duration = Duration::from_secs(3_600);

/// How far back a run of failures is followed after a restart, at the most.
const LONGEST_RUN: Duration = Duration::from_secs(86_400);

/// How far back the windows of a burn rate are filled again after a restart, at the most: the longest of the usual
/// ones, and the end of a breach of it.
const LONGEST_BURN: Duration = Duration::from_secs(3 * 86_400 + 6 * 3_600);

/// How much of the past the first finding of a burn rate's breach looks at, at the most: every check of it is kept.
const LONGEST_BURN_HISTORY: Duration = Duration::from_secs(1_800);

impl Detector {
    /// Rules that have seen nothing yet.
    #[must_use]
    pub fn new(config: Arc<Config>) -> Self {
        let watches: Vec<Watch> = config.rules.iter().filter_map(|rule| Watch::new(rule, &config)).collect();
        let watched_by = (config.probes.indexed())
            .map(|(probe, _)| (0..watches.len()).filter(|&rule| watches[rule].covers(probe)).collect())
            .collect();
        let history = History::new(history(&config));
        let columns = Columns::new(&config);
        Self { config, watches, watched_by, history, places: Places::default(), columns, bad: Vec::new() }
    }

    /// Takes in a result of the probe with this index, judged at `at`, which must not run backwards.
    /// Void results, and those of a check that was made again, say nothing and are passed over. Returns what went into the history.
    pub fn observe(
        &mut self,
        probe: ProbeIndex,
        result: &CheckResult,
        at: Timestamp,
        signals: &mut Vec<Signal>,
    ) -> Option<Entry> {
        let (rules, asked) = (self.watched_by.get(probe)?, self.config.probes.get(probe)?);
        if matches!(result.outcome, Outcome::Void(_)) || result.superseded {
            return None;
        }
        self.bad.clear();
        self.bad.extend(rules.iter().map(|&rule| self.watches[rule].is_bad(probe, asked, result)));
        let class = result.outcome.failure();
        let anyone = class.is_some() || self.bad.contains(&true);
        let place = self.places.of(&result.location, result.address);
        let kept = Entry { at, probe, bad: anyone, class, status: result.status, place };
        self.history.push(kept);
        for (&rule, &bad) in rules.iter().zip(&self.bad) {
            let entry = Entry { bad, ..kept };
            self.watches[rule].observe(entry, result, &self.config, signals);
        }
        Some(kept)
    }

    /// A check of the probe with this index came back, and may say nothing: nobody knows yet whether we see, or we do not.
    pub fn excuse(&mut self, probe: ProbeIndex, at: Timestamp) {
        for watch in &mut self.watches {
            if let Watch::Missing(watch) = watch {
                watch.excuse(probe, at);
            }
        }
    }

    /// Puts off what is missing by now, because we may be cut off.
    pub fn put_off(&mut self, at: Timestamp) {
        for watch in &mut self.watches {
            if let Watch::Missing(watch) = watch {
                watch.put_off(at);
            }
        }
    }

    /// We see again: what did not come meanwhile could not, and is counted anew.
    pub fn see_again(&mut self, at: Timestamp) {
        for watch in &mut self.watches {
            if let Watch::Missing(watch) = watch {
                watch.see_again(at);
            }
        }
    }

    /// Lets time pass without a result: breaches may be over.
    pub fn pass(&mut self, at: Timestamp, signals: &mut Vec<Signal>) {
        for watch in &mut self.watches {
            match watch {
                Watch::Missing(watch) => watch.pass(at, &self.config, &mut self.history, signals),
                watch => watch.pass(at, signals),
            }
        }
    }

    /// Lets time pass for the rules that watch this probe, up to a check of it.
    pub fn pass_for(&mut self, probe: ProbeIndex, at: Timestamp, signals: &mut Vec<Signal>) {
        for &rule in self.watched_by.get(probe).map_or(&[][..], |rules| rules) {
            self.watches[rule].pass(at, signals);
        }
    }

    /// When time passing alone may change something.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Timestamp> {
        let each = self.watches.iter().filter_map(|watch| match watch {
            Watch::ErrorRate(watch) => watch.next_timeout(),
            Watch::Change(watch) => watch.next_timeout(),
            Watch::Consecutive(watch) => watch.next_timeout(),
            Watch::Latency(watch) => watch.next_timeout(),
            Watch::BurnRate(watch) => watch.next_timeout(),
            Watch::Expiry(_) => None,
            Watch::Missing(watch) => watch.next_timeout(),
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
            Watch::Latency(watch) => watch.adopt(breach),
            Watch::BurnRate(watch) => watch.adopt(breach),
            Watch::Expiry(watch) => watch.adopt(breach),
            Watch::Missing(watch) => watch.adopt(breach, &self.config.probes),
        })
    }

    /// Drops the breach of a slice: the next one begins with the next bad check.
    pub fn forget(&mut self, breach: &Breach) {
        for watch in &mut self.watches {
            match watch {
                Watch::ErrorRate(watch) => watch.forget(breach),
                Watch::Change(watch) => watch.forget(breach),
                Watch::Consecutive(watch) => watch.forget(breach, &self.config.probes),
                Watch::Latency(watch) => watch.forget(breach),
                Watch::BurnRate(watch) => watch.forget(breach),
                Watch::Expiry(watch) => watch.forget(breach),
                Watch::Missing(watch) => watch.forget(breach, &self.config.probes),
            }
        }
    }

    /// What comes from here on is new, and what does not come is missing.
    pub fn start(&mut self, at: Timestamp) {
        for watch in &mut self.watches {
            if let Watch::Missing(watch) = watch {
                watch.start(at);
            }
        }
    }

    /// The bad checks that made a breach, by probe and failure class, as far back as the history goes.
    #[must_use]
    pub fn bad_checks(&self, breach: &Breach) -> BTreeMap<(ProbeIndex, Option<FailureClass>), u64> {
        let mut counts = BTreeMap::new();
        let judging = self.config.rules.iter().filter(|rule| !matches!(rule.kind, RuleKind::Offline));
        let Some((watch, _)) = self.watches.iter().zip(judging).find(|(_, rule)| rule.id == breach.rule) else {
            return counts;
        };
        for entry in self.history.since(breach.since).filter(|entry| entry.bad) {
            let covered = watch.covers(entry.probe) && watch.counts(entry);
            let probe = self.config.probes.get(entry.probe).filter(|_| covered);
            if probe.is_some_and(|probe| breach.slice.covers(probe)) {
                *counts.entry((entry.probe, entry.class)).or_default() += 1;
            }
        }
        counts
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

impl Watch {
    /// `None` for the rule that judges no probe: [`self_check`] does its work.
    fn new(rule: &Rule, config: &Config) -> Option<Self> {
        let probes = &config.probes;
        Some(match &rule.kind {
            RuleKind::ErrorRate(rate) => Self::ErrorRate(ErrorRateWatch::new(rule, rate, probes)),
            RuleKind::Change(change) => Self::Change(ChangeWatch::new(rule, change, probes, &config.cohorts)),
            RuleKind::Consecutive(run) => Self::Consecutive(ConsecutiveWatch::new(rule, *run, probes)),
            RuleKind::Latency(latency) => Self::Latency(LatencyWatch::new(rule, latency, probes)),
            RuleKind::BurnRate(burn) => Self::BurnRate(BurnRateWatch::new(rule, burn, probes)),
            RuleKind::Expiry(expiry) => Self::Expiry(ExpiryWatch::new(rule, *expiry, probes)),
            RuleKind::Missing(missing) => Self::Missing(MissingWatch::new(rule, *missing, probes)),
            RuleKind::Offline => return None,
        })
    }

    fn covers(&self, probe: ProbeIndex) -> bool {
        match self {
            Self::ErrorRate(watch) => watch.covers(probe),
            Self::Change(watch) => watch.covers(probe),
            Self::Consecutive(watch) => watch.covers(probe),
            Self::Latency(watch) => watch.covers(probe),
            Self::BurnRate(watch) => watch.covers(probe),
            Self::Expiry(watch) => watch.covers(probe),
            Self::Missing(watch) => watch.covers(probe),
        }
    }

    fn is_bad(&self, index: ProbeIndex, probe: &Probe, result: &CheckResult) -> bool {
        match self {
            Self::ErrorRate(watch) => bad::is_bad(watch.bad(), probe, result),
            Self::Change(watch) => bad::is_bad(watch.bad(), probe, result),
            Self::Consecutive(_) => result.outcome.failure().is_some(),
            Self::Latency(watch) => watch.is_bad(result),
            Self::BurnRate(watch) => bad::is_bad(watch.bad(), probe, result),
            Self::Expiry(watch) => watch.is_bad(index, result),
            // A check that comes is not missing, whatever it finds.
            Self::Missing(_) => false,
        }
    }

    /// Ends what time alone ends. What is missing is found when its turn comes, whatever was checked.
    fn pass(&mut self, at: Timestamp, signals: &mut Vec<Signal>) {
        match self {
            Self::ErrorRate(watch) => watch.pass(at, signals),
            Self::Change(watch) => watch.pass(at, signals),
            Self::Consecutive(watch) => watch.pass(at, signals),
            Self::Latency(watch) => watch.pass(at, signals),
            Self::BurnRate(watch) => watch.pass(at, signals),
            // Only a check can show another certificate.
            Self::Expiry(_) | Self::Missing(_) => {}
        }
    }

    /// Whether an entry of the history that some rule calls bad is bad for this one.
    fn counts(&self, entry: &Entry) -> bool {
        let bad = match self {
            Self::ErrorRate(watch) => watch.bad(),
            Self::Change(watch) => watch.bad(),
            Self::BurnRate(watch) => watch.bad(),
            Self::Consecutive(_) => &Bad::Failed,
            // What made the check bad is not kept.
            Self::Latency(_) | Self::Expiry(_) | Self::Missing(_) => return true,
        };
        match bad {
            Bad::Failed => entry.class.is_some(),
            Bad::Class(class) => entry.class == Some(*class),
            // What a condition said of a check is not kept; that any rule called it bad must do.
            Bad::When(_) => true,
        }
    }

    fn observe(&mut self, entry: Entry, result: &CheckResult, config: &Config, signals: &mut Vec<Signal>) {
        match self {
            Self::ErrorRate(watch) => watch.observe(entry, result, signals),
            Self::Change(watch) => watch.observe(entry, result, signals),
            Self::Consecutive(watch) => watch.observe(entry, result, config, signals),
            Self::Latency(watch) => watch.observe(entry, result, config, signals),
            Self::BurnRate(watch) => watch.observe(entry, result, config, signals),
            Self::Expiry(watch) => watch.observe(entry, result, config, signals),
            Self::Missing(watch) => watch.observe(entry, signals),
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
        RuleKind::Latency(latency) => latency.within.saturating_mul(2).saturating_add(latency.hold),
        RuleKind::BurnRate(burn) => burn.long.saturating_add(burn.hold).min(LONGEST_BURN),
        // The next check shows the certificate again, and what is missing is counted anew from the start.
        RuleKind::Expiry(_) | RuleKind::Missing(_) | RuleKind::Offline => Duration::ZERO,
    });
    longest.max().unwrap_or_default().max(SHORTEST_HISTORY)
}

/// How much of the past the first finding of a breach may need.
fn history(config: &Config) -> Duration {
    let windows = config.rules.iter().map(|rule| match &rule.kind {
        RuleKind::ErrorRate(rate) => rate.within,
        RuleKind::Change(_) => SLOWEST_CHANGE,
        RuleKind::Latency(latency) => latency.within,
        RuleKind::BurnRate(burn) => burn.short.min(LONGEST_BURN_HISTORY),
        RuleKind::Consecutive(_) | RuleKind::Expiry(_) | RuleKind::Missing(_) | RuleKind::Offline => SHORTEST_HISTORY,
    });
    windows.max().unwrap_or_default().max(SHORTEST_HISTORY)
}
