//! Recovery: whether an incident is over, judged on all its checks together.
//!
//! A filter over hidden states (W. M. Wonham, "Some applications of stochastic differential equations to optimal
//! nonlinear filtering", SIAM J. Control 2, 1965, in discrete time): the service is well, where no more fails than
//! usual, or a share of the checks fails. Each check makes the states that would have brought it more likely. Between
//! two checks an outage may end, rarely; it may also shrink to a smaller share that goes on. So a few good checks show
//! that a total outage is over, and a small share that comes again and again is not over because of a lucky stretch.

use crate::model::{Ratio, Timestamp};

/// The shares of failing checks of an outage that are told apart.
const SHARES: [f64; 7] = [0.03, 0.05, 0.10, 0.30, 0.60, 0.90, 0.99];
/// A share is told from what is usual when it is so many times as much.
const CLEAR_OF: f64 = 2.0;
/// The chance that an outage is over by the next check. With [`SURE`] it sets how rarely one that goes on is taken to be
/// over: one that is a steady 5% in 26,000 checks in one case of thirty, simulated.
const ENDS: f64 = 0.000_4;
/// The same where next to every check fails: no luck brings two good ones then.
const TOTAL_ENDS: f64 = 0.05;
/// Of those that end, so many shrink to each of the smaller shares instead, where checks are often enough that it costs
/// little to wait for a dozen: so many a minute.
const SHRINKS: f64 = 0.005;
const OFTEN: f64 = 6.0;
/// It is over when that is so much more likely than all else; of checks that are rare it need not be so sure.
const SURE: f64 = 100.0;
const LEAST_SURE: f64 = 10.0;
/// Before anything was seen, next to every check failing is so many times as likely as each smaller share.
const MOSTLY_TOTAL: f64 = 5.0;
/// What is taken for usual at the least.
const LEAST_USUAL: f64 = 0.001;

/// What the checks of an incident say about its end.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Recovery {
    usual: f64,
    /// How likely it is that the service is well.
    well: f64,
    /// How likely each share is.
    ill: [f64; SHARES.len()],
    /// When the first check ended, and how many came since.
    first: Option<Timestamp>,
    checks: u32,
    /// How often they come, as a part of often; one where they are.
    pace: f64,
}

impl Recovery {
    /// An outage has begun; usually so much fails.
    #[must_use]
    pub fn new(usual: Ratio) -> Self {
        let usual = share(usual).max(LEAST_USUAL);
        // Weights need not add up to one before the first check.
        let mut ill = SHARES.map(|share| if share >= CLEAR_OF * usual { 1.0 } else { 0.0 });
        ill[SHARES.len() - 1] *= MOSTLY_TOTAL;
        Self { usual, well: 0.0, ill, first: None, checks: 0, pace: 1.0 }
    }

    /// More is usual than was known.
    pub fn allow(&mut self, usual: Ratio) {
        if share(usual) > self.usual {
            self.usual = share(usual);
            for (ill, share) in self.ill.iter_mut().zip(SHARES) {
                *ill = if share >= CLEAR_OF * self.usual { *ill } else { 0.0 };
            }
        }
    }

    /// What the checks of two outages say that are one: it is over when both are.
    #[must_use]
    pub fn join(self, other: Self) -> Self {
        let (mut ill, usual) = (self.ill, self.usual.max(other.usual));
        ill.iter_mut().zip(other.ill).for_each(|(ill, its)| *ill += its);
        let first = [self.first, other.first].into_iter().flatten().min();
        let checks = self.checks.saturating_add(other.checks);
        Self { usual, well: self.well.min(other.well), ill, first, checks, pace: self.pace.max(other.pace) }
    }

    /// Takes in a check of a probe that was hit, which ended at this moment.
    pub fn count(&mut self, bad: bool, at: Timestamp) {
        self.keep_pace(at);
        let shrinks = SHRINKS * self.pace;
        let likely = |share: f64| if bad { share } else { 1.0 - share };
        let before = self.ill;
        for (place, ill) in before.into_iter().enumerate().filter(|(_, ill)| *ill > 0.0) {
            let ends = ill * if place == SHARES.len() - 1 { TOTAL_ENDS } else { ENDS };
            self.ill[place] -= ends;
            let mut to_well = ends;
            for (smaller, share) in SHARES.into_iter().enumerate().take(place) {
                if share >= CLEAR_OF * self.usual {
                    self.ill[smaller] += ends * shrinks;
                    to_well -= ends * shrinks;
                }
            }
            self.well += to_well;
        }
        self.well *= likely(self.usual);
        for (ill, share) in self.ill.iter_mut().zip(SHARES) {
            *ill *= likely(share);
        }
        let all: f64 = self.well + self.ill.iter().sum::<f64>();
        if all > 0.0 {
            self.well /= all;
            self.ill.iter_mut().for_each(|ill| *ill /= all);
        }
    }

    fn keep_pace(&mut self, at: Timestamp) {
        let first = *self.first.get_or_insert(at);
        let minutes = (at.since(first).as_secs_f64() / 60.0).max(1.0 / 60.0);
        self.pace = (f64::from(self.checks) / minutes / OFTEN).min(1.0);
        self.checks = self.checks.saturating_add(1);
    }

    /// Whether no more fails than usual, for sure.
    #[must_use]
    pub fn is_well(&self) -> bool {
        let sure = (SURE * self.pace).max(LEAST_SURE);
        self.well >= sure * self.ill.iter().sum::<f64>()
    }
}

fn share(ratio: Ratio) -> f64 {
    f64::from(ratio.ppm()) / 1e6
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::Dice;

    const USUAL: Ratio = Ratio::from_percent(0);

    /// Checks that come so far apart.
    struct Checks {
        recovery: Recovery,
        at: Timestamp,
        apart: Duration,
    }

    impl Checks {
        fn new(usual: Ratio, apart: u64) -> Self {
            let apart = Duration::from_secs(apart);
            Self { recovery: Recovery::new(usual), at: Timestamp::default(), apart }
        }

        fn count(&mut self, bad: bool) {
            self.at = self.at + self.apart;
            self.recovery.count(bad, self.at);
        }

        /// The number of the check by which it is over, of which this share is bad; nothing within `most`.
        fn ends(&mut self, dice: &mut Dice, share: f64, most: u32) -> Option<u32> {
            (1..=most).find(|_| {
                self.count(dice.chance(share));
                self.recovery.is_well()
            })
        }
    }

    #[test]
    fn a_total_outage_is_over_after_a_dozen_good_checks_and_of_rare_ones_after_a_few() {
        for (apart, good) in [(2, 8..15), (300, 2..4)] {
            let mut checks = Checks::new(USUAL, apart);
            (0..50).for_each(|_| checks.count(true));
            let over = checks.ends(&mut Dice::new(0), 0.0, 100).unwrap();
            assert!(good.contains(&over), "{over} checks, {apart} s apart");
        }
    }

    #[test]
    fn a_failure_among_the_first_good_checks_makes_it_wait_for_more() {
        let mut checks = Checks::new(USUAL, 2);
        (0..50).for_each(|_| checks.count(true));
        (0..5).for_each(|_| checks.count(false));
        checks.count(true);
        let more = checks.ends(&mut Dice::new(0), 0.0, 1_000).unwrap();
        assert!((30..250).contains(&more), "{more}");
    }

    #[test]
    fn a_steady_small_share_goes_on_however_long_it_lasts() {
        for (share, checks) in [(0.05, 6_500), (0.06, 6_500), (0.1, 13_000), (0.4, 13_000), (0.9, 13_000)] {
            let ends = |seed: &u64| Checks::new(USUAL, 5).ends(&mut Dice::new(*seed), share, checks).is_some();
            let over = (0..20).filter(ends).count();
            assert!(over <= 2, "{share}: {over} of 20");
        }
    }

    #[test]
    fn what_is_usual_is_no_outage() {
        let mut checks = Checks::new(Ratio::from_percent(2), 5);
        (0..50).for_each(|_| checks.count(true));
        let over = checks.ends(&mut Dice::new(1), 0.02, 2_000).unwrap();
        assert!(over < 200, "{over}");
    }
}
