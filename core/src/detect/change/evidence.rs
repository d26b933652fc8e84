//! Evidence: how strongly the checks of one slice speak for an outage.
//!
//! For each size of outage there is a cumulative sum of log-likelihood ratios (E. S. Page, "Continuous inspection
//! schemes", Biometrika 41, 1954): a check adds the logarithm of how much more likely its outcome is in an outage of
//! that size than at the usual rate of failures, and the sum never falls below zero. Of all tests with the same rate of
//! false alarms it is the fastest in the worst case (G. Lorden, Annals of Mathematical Statistics 42, 1971;
//! G. V. Moustakides, Annals of Statistics 14, 1986).
//!
//! # The rate of false alarms
//! A sum leaves zero only with a bad check, which happens at the usual rate p. From there, by Wald's inequality, it
//! reaches h before zero with a chance of at most exp(ln(q/p) - h), where q is the size. So the alarms of one size are
//! at most q exp(-h) per check, and those of all sizes together at most 1.33 exp(-h).
//! They are fewer in truth, since a sum goes beyond h when it gets there: simulated, a tenth to a half of that.

use crate::model::Dice;

/// The sizes of outage that are looked for: the share of the slice's checks that fail.
pub(super) const SIZES: [f64; 4] = [0.03, 0.10, 0.30, 0.90];

/// The sum of all sizes.
const MASS: f64 = 1.33;

/// A size is looked for only where it is so many times the usual rate; below that the sum would rise by accident.
const STANDS_OUT: f64 = 1.5;

/// From which sum on, in nats, a slice is in an outage, when it makes `checks` checks in the time in which it may raise
/// `alarms` false alarms.
pub(super) fn threshold(checks: f64, alarms: f64) -> f64 {
    (MASS * checks / alarms).ln().max(1.0)
}

/// What one good and one bad check add to the sum of each size.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weights {
    good: [f64; SIZES.len()],
    bad: [f64; SIZES.len()],
}

impl Weights {
    /// Against this usual rate of failures, for all sizes from this one on.
    pub(super) fn against(usual: f64, smallest: usize) -> Self {
        let (mut good, mut bad) = ([-1.0; SIZES.len()], [-1.0; SIZES.len()]);
        let sought = |(index, size): &(usize, f64)| *index >= smallest && *size >= STANDS_OUT * usual;
        for (index, size) in SIZES.into_iter().enumerate().filter(sought) {
            good[index] = gain(1.0 - size, 1.0 - usual);
            bad[index] = gain(size, usual);
        }
        Self { good, bad }
    }
}

/// The logarithm of how much more likely something is under the one than under the other.
pub(super) fn gain(under: f64, than_under: f64) -> f64 {
    (under / than_under).ln()
}

/// The sums of all sizes.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(super) struct Sums([f64; SIZES.len()]);

impl Sums {
    /// Adds a check.
    pub(super) fn add(&mut self, bad: bool, weights: &Weights) {
        let gains = if bad { &weights.bad } else { &weights.good };
        for (sum, gain) in self.0.iter_mut().zip(gains) {
            *sum = (*sum + gain).max(0.0);
        }
    }

    /// Whether nothing speaks for any outage.
    pub(super) fn are_zero(&self) -> bool {
        self.0.iter().all(|sum| *sum <= 0.0)
    }

    /// Whether this size's sum is zero.
    pub(super) fn is_zero(&self, size: usize) -> bool {
        self.0[size] <= 0.0
    }

    /// The size that most speaks for, if its sum reaches the threshold.
    pub(super) fn beyond(&self, threshold: f64) -> Option<usize> {
        let mut best: Option<usize> = None;
        for (index, sum) in self.0.iter().enumerate() {
            if *sum >= threshold && best.is_none_or(|other| *sum > self.0[other]) {
                best = Some(index);
            }
        }
        best
    }
}

/// How many checks in a row, all of them bad, are an outage for sure.
pub(in crate::detect) fn bad_in_a_row(usual: f64, threshold: f64) -> u64 {
    let most = Weights::against(usual, 0).bad.into_iter().fold(f64::MIN_POSITIVE, f64::max);
    whole(threshold / most)
}

/// How many checks it takes until a threshold is reached when this share of them is bad: in the middle of so many plays,
/// and in 99 of 100. Nothing where that is longer than `longest`. The plays are the same each time: their seed is fixed.
pub(in crate::detect) fn checks_needed(
    usual: f64,
    threshold: f64,
    share: f64,
    plays: u64,
    longest: u32,
) -> [Option<u32>; 2] {
    let weights = Weights::against(usual, 1);
    let mut dice = Dice::new(0);
    let mut play = || {
        let mut sums = Sums::default();
        (1..=longest).find(|_| {
            sums.add(dice.chance(share), &weights);
            sums.beyond(threshold).is_some()
        })
    };
    let mut lengths: Vec<u32> = (0..plays).map(|_| play().unwrap_or(u32::MAX)).collect();
    lengths.sort_unstable();
    [lengths.len() / 2, lengths.len() * 99 / 100]
        .map(|place| lengths.get(place).copied().filter(|length| *length <= longest))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small positive number")]
fn whole(number: f64) -> u64 {
    number.ceil() as u64
}
