//! Retries: whether a failed check is retried at once.
//!
//! A name that did not resolve, a connection that did not come about, a silence: these may be the fault of the network
//! on our side, and a second look a moment later tells. What the service itself answered is believed the first time.

use std::collections::BTreeSet;
use std::time::Duration;

use super::outcome::{FailureClass, Outcome};

/// When a failed check is retried, and how often.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Retry {
    /// How many tries may follow the first; 0: what failed has failed.
    pub times: u32,
    /// The pause before each of them.
    pub after: Duration,
    /// The failures that may be our own network's.
    pub on: BTreeSet<FailureClass>,
}

/// Whether a check is retried, and why not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Again {
    /// It is.
    Yes {
        /// After this pause.
        after: Duration,
        /// How long the next try may take.
        timeout: Duration,
    },
    /// This result counts.
    No {
        /// Why.
        reason: &'static str,
    },
}

/// A try that could only take less than this is not made.
pub const SHORTEST_TRY: Duration = Duration::from_secs(1);
/// So long before the probe's next turn its last try is over, so that no timer that rings late makes it an overrun.
const BREATH: Duration = Duration::from_millis(100);

impl Retry {
    /// No retries at all.
    #[must_use]
    pub fn never() -> Self {
        Self { times: 0, ..Self::default() }
    }

    /// Whether a check is retried.
    ///
    /// `attempt` counts the tries so far, from 1; `outcome` is that of the last; `timeout` is the probe's own;
    /// `until_next_turn` is how long it is from now until the probe is due again, `None` if it never is.
    #[must_use]
    pub fn again(
        &self,
        attempt: u32,
        outcome: Outcome,
        timeout: Duration,
        until_next_turn: Option<Duration>,
    ) -> Again {
        let no = |reason| Again::No { reason };
        let Outcome::Failure(class) = outcome else { return no("it did not fail") };
        if !self.on.contains(&class) {
            return no("a failure of this class is believed the first time");
        }
        if attempt > self.times {
            return no("it has been tried often enough");
        }
        let left = until_next_turn.map(|left| left.saturating_sub(self.after + BREATH));
        if left.is_some_and(|left| left < SHORTEST_TRY) {
            return no("the probe's next turn is too near");
        }
        Again::Yes { after: self.after, timeout: left.map_or(timeout, |left| left.min(timeout)) }
    }

    /// How long a check with all its tries may take, for a probe with this timeout and interval (`None`: it has a
    /// calendar). Never longer than the interval, except where the timeout itself is.
    #[must_use]
    pub fn longest(&self, timeout: Duration, interval: Option<Duration>) -> Duration {
        let mut spent = timeout;
        for attempt in 1..=self.times {
            let left = interval.map(|interval| interval.saturating_sub(spent));
            // Every class may have failed the try before; one that is retried is as good as any.
            let Some(class) = self.on.first() else { break };
            match self.again(attempt, Outcome::Failure(*class), timeout, left) {
                Again::Yes { after, timeout } => spent += after + timeout,
                Again::No { .. } => break,
            }
        }
        spent
    }
}

impl Default for Retry {
    /// Once, after 2 s, when no answer came from the other side.
    fn default() -> Self {
        Self { times: 1, after: Duration::from_secs(2), on: FailureClass::NETWORK.into_iter().collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOST: Outcome = Outcome::Failure(FailureClass::Timeout);

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn what_may_be_our_own_network_is_tried_again_and_an_answer_is_believed() {
        let retry = Retry::default();
        for class in FailureClass::ALL {
            let again = retry.again(1, Outcome::Failure(class), secs(10), None);
            let network = ["dns", "connect", "tls", "timeout"].contains(&class.as_str());
            assert_eq!(matches!(again, Again::Yes { .. }), network, "{class}: {again:?}");
        }
        assert!(matches!(retry.again(1, Outcome::Success, secs(10), None), Again::No { .. }));
    }

    #[test]
    fn a_check_is_tried_again_only_so_often() {
        let retry = Retry { times: 2, ..Retry::default() };
        let yes = Again::Yes { after: secs(2), timeout: secs(10) };
        assert_eq!([1, 2].map(|attempt| retry.again(attempt, LOST, secs(10), None)), [yes, yes]);
        assert_eq!(retry.again(3, LOST, secs(10), None), Again::No { reason: "it has been tried often enough" });
        assert!(matches!(Retry::never().again(1, LOST, secs(10), None), Again::No { .. }));
    }

    #[test]
    fn a_second_try_is_over_before_the_next_turn() {
        let retry = Retry::default();
        let left = |millis| retry.again(1, LOST, secs(10), Some(Duration::from_millis(millis)));
        assert_eq!(left(20_000), Again::Yes { after: secs(2), timeout: secs(10) });
        assert_eq!(left(10_000), Again::Yes { after: secs(2), timeout: Duration::from_millis(7_900) });
        assert_eq!(left(3_100), Again::Yes { after: secs(2), timeout: SHORTEST_TRY });
        assert_eq!(left(3_099), Again::No { reason: "the probe's next turn is too near" });
        assert_eq!(left(0), Again::No { reason: "the probe's next turn is too near" });
    }

    #[test]
    fn the_longest_check_is_that_of_its_tries() {
        let retry = Retry { times: 5, ..Retry::default() };
        assert_eq!(Retry::default().longest(secs(10), Some(secs(60))), secs(22));
        assert_eq!(Retry::default().longest(secs(10), None), secs(22));
        assert_eq!(retry.longest(secs(10), Some(secs(20))), Duration::from_millis(19_900));
        assert_eq!(retry.longest(secs(10), None), secs(70));
        assert_eq!(Retry::never().longest(secs(10), Some(secs(20))), secs(10));
    }
}
