//! What is asked of a kind of rule, and of a rule at work. Each kind takes up what it needs, in its own file.

use std::sync::Arc;
use std::time::Duration;

use super::history::{Entry, History};
use crate::config::Config;
use crate::model::{Breach, BreachId, CheckResult, Probe, ProbeIndex, Probes, Rule, Timestamp};

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

/// A kind of rule, as it was configured.
pub(super) trait Kind {
    /// Puts the rule, whose kind this is, to work. It has seen nothing yet.
    fn watch(&self, rule: &Rule, config: &Arc<Config>) -> Box<dyn Watch>;

    /// How much of the past a restart must replay, so that every window is full and every breach that could still be
    /// going on has begun within it. Nothing where it need not be known.
    fn lookback(&self, probes: &Probes) -> Duration;

    /// How much of the past the first finding of a breach may need. Nothing where any will do.
    fn history(&self) -> Duration;

    /// Whether it is there to tell of failing checks soon, so that a time to detect can be asked of it.
    fn is_prompt(&self) -> bool {
        false
    }
}

/// A rule at work: it is shown what the checks of its probes came to, and signals what becomes of its breaches.
///
/// Times do not run backwards. What is said of a probe is said of those that the rule covers, but for
/// [`excuse`](Self::excuse).
pub(super) trait Watch: Send + Sync {
    /// The rule.
    fn rule(&self) -> &Rule;

    /// Whether it judges the checks of this probe.
    fn covers(&self, probe: ProbeIndex) -> bool;

    /// Whether this check, which is still to be observed, is bad.
    fn is_bad(&self, index: ProbeIndex, probe: &Probe, result: &CheckResult) -> bool;

    /// Whether an entry of the history that some rule calls bad is bad for this one. Where what made it bad is not
    /// kept, that must do.
    fn counts(&self, _entry: &Entry) -> bool {
        true
    }

    /// Whether the rule judges shares, and a slice with the checks of this probe, which it covers, is not in breach.
    fn is_alert(&self, _probe: ProbeIndex) -> bool {
        false
    }

    /// Takes in a check. The entry is bad when this rule says so.
    fn observe(&mut self, entry: Entry, result: &CheckResult, signals: &mut Vec<Signal>);

    /// Ends what time alone ends. How often it is called is of no account.
    fn pass(&mut self, _at: Timestamp, _signals: &mut Vec<Signal>) {}

    /// Finds what has not come in time. The history is told of it, for there is no check to tell.
    fn find_missing(&mut self, _at: Timestamp, _history: &mut History, _signals: &mut Vec<Signal>) {}

    /// When one of these two may do something, if nothing else comes before.
    fn next_timeout(&self) -> Option<Timestamp> {
        None
    }

    /// Takes a stored breach for the one of its slice. Says no when it is none of this rule's, or has no slice now.
    fn adopt(&mut self, breach: &Breach) -> bool;

    /// Drops the breach of a slice, if it is this rule's: the next one begins with the next bad check.
    fn forget(&mut self, breach: &Breach);

    /// A check of some probe came back, and may say nothing: nobody knows yet whether we see, or we do not.
    fn excuse(&mut self, _probe: ProbeIndex, _at: Timestamp) {}

    /// Puts off what is missing by now, because we may be cut off.
    fn put_off(&mut self, _at: Timestamp) {}

    /// We see again: what did not come meanwhile could not, and is counted anew.
    fn see_again(&mut self, _at: Timestamp) {}

    /// What comes from here on is new, and what does not come is missing.
    fn start(&mut self, _at: Timestamp) {}
}
