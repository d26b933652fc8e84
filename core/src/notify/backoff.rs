//! When to try again to deliver, and when to stop trying.

use std::time::Duration;

use crate::model::id::stable_hash;
use crate::model::{Backoff, Timestamp};

/// What follows a failed attempt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Next {
    /// Another attempt at that time.
    At(Timestamp),
    /// None: the time for trying is over.
    GiveUp,
}

impl Backoff {
    /// What follows when attempt number `attempt` (from 1) of the delivery called `id`, owed since `owed`, has failed
    /// at `now`. The same question has the same answer.
    ///
    /// The last attempt is made when the time is just over, however long the pause before it would have been.
    #[must_use]
    pub fn next(&self, id: &str, attempt: u32, owed: Timestamp, now: Timestamp) -> Next {
        let end = owed + self.give_up_after;
        if now >= end {
            return Next::GiveUp;
        }
        Next::At((now + self.pause(id, attempt)).min(end))
    }

    /// Between three quarters of the doubled pause and the whole: many deliveries that failed together do not come back
    /// together.
    fn pause(&self, id: &str, attempt: u32) -> Duration {
        let doubled = 2_u32.checked_pow(attempt.saturating_sub(1)).and_then(|factor| self.first.checked_mul(factor));
        let full = doubled.map_or(self.longest, |pause| pause.min(self.longest));
        let share = u32::try_from(stable_hash(&[id, &attempt.to_string()]) % 251).unwrap_or(0);
        full * (750 + share) / 1_000
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::EmailReceiver;

    const MAIL: Backoff = EmailReceiver::BACKOFF;
    const OWED: Timestamp = Timestamp::from_millis(1_739_288_467_000);

    fn pause(attempt: u32) -> Duration {
        match MAIL.next("a", attempt, OWED, OWED) {
            Next::At(at) => at.since(OWED),
            Next::GiveUp => panic!("gave up after attempt {attempt}"),
        }
    }

    #[test]
    fn the_pause_doubles_from_five_seconds_to_a_quarter_of_an_hour() {
        for (attempt, full) in [(1, 5), (2, 10), (3, 20), (8, 640), (9, 900), (40, 900), (u32::MAX, 900)] {
            let full = Duration::from_secs(full);
            assert!(pause(attempt) <= full && pause(attempt) >= full * 3 / 4, "{attempt}: {:?}", pause(attempt));
        }
    }

    #[test]
    fn two_deliveries_that_failed_together_do_not_come_back_together() {
        let at = |id| MAIL.next(id, 5, OWED, OWED);
        assert_ne!(at("a"), at("b"));
        assert_eq!(at("a"), at("a"));
    }

    #[test]
    fn the_last_attempt_is_made_when_a_day_is_over_and_none_after_it() {
        let end = OWED + Duration::from_secs(86_400);
        assert_eq!(MAIL.next("a", 99, OWED, end - Duration::from_secs(1)), Next::At(end));
        assert_eq!(MAIL.next("a", 100, OWED, end), Next::GiveUp);
    }

    proptest! {
        #[test]
        fn the_next_attempt_is_later_and_never_later_than_the_longest_pause_or_the_end(
            id in "[a-z]{0,8}", attempt in 1_u32.., waited in 0_u64..100_000_000,
        ) {
            let now = OWED + Duration::from_millis(waited);
            match MAIL.next(&id, attempt, OWED, now) {
                Next::At(at) => {
                    prop_assert!(at > now && at <= now + MAIL.longest);
                    prop_assert!(at <= OWED + MAIL.give_up_after);
                }
                Next::GiveUp => prop_assert!(waited >= 86_400_000),
            }
        }

        #[test]
        fn a_later_attempt_never_waits_less_than_three_quarters_of_an_earlier_ones_pause(
            id in "[a-z]{0,8}", attempt in 1_u32..1_000, later in 0_u32..1_000,
        ) {
            let (early, late) = (MAIL.pause(&id, attempt), MAIL.pause(&id, attempt + later));
            prop_assert!(late >= early * 3 / 4);
        }
    }
}
