//! Chance that repeats itself: the same numbers for the same seed, on every machine and in every version.

/// A stream of numbers. It is SplitMix64 (G. L. Steele, D. Lea, C. H. Flood, "Fast splittable pseudorandom number
/// generators", OOPSLA 2014; reference code by S. Vigna, <https://prng.di.unimi.it/splitmix64.c>, public domain).
///
/// Every check has a stream of its own, from the seed, the probe and the time: what chance does to one check does not
/// depend on how many others were made before it, so a fault that is added changes nothing outside of it.
#[derive(Clone, Debug)]
pub struct Dice(u64);

/// The odd constant nearest to 2^64 divided by the golden ratio.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

impl Dice {
    /// The stream of this seed, for one thing at one place.
    #[must_use]
    pub fn of(seed: u64, thing: u64, place: u64) -> Self {
        // Each number passes the whole mixer before the next is added, so that neighbors do not overlap.
        let first = mix(seed.wrapping_add(STEP));
        let second = mix((first ^ thing).wrapping_add(STEP));
        Self(mix((second ^ place).wrapping_add(STEP)))
    }

    /// The stream of this seed alone: that of the published generator.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number, any of all 2^64 alike.
    #[must_use = "the stream has moved on"]
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        mix(self.0)
    }

    /// The next number below `bound`; 0 when that is 0. Alike to within `bound` / 2^64.
    #[must_use = "the stream has moved on"]
    pub fn below(&mut self, bound: u64) -> u64 {
        let wide = u128::from(self.roll()) * u128::from(bound);
        u64::try_from(wide >> 64).unwrap_or(0)
    }

    /// Whether something happens that has this chance, in parts per million.
    #[must_use = "the stream has moved on"]
    pub fn happens(&mut self, ppm: u32) -> bool {
        self.below(1_000_000) < u64::from(ppm)
    }

    /// Whether something happens that has this chance, from 0 to 1.
    #[must_use = "the stream has moved on"]
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
    pub fn chance(&mut self, share: f64) -> bool {
        let part = (self.roll() >> 11) as f64 / (1_u64 << 53) as f64;
        part < share
    }
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_the_published_generator() {
        // The first outputs of splitmix64.c for the state 1234567.
        let mut dice = Dice::new(1_234_567);
        let rolled: Vec<u64> = (0..3).map(|_| dice.roll()).collect();
        assert_eq!(rolled, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn a_chance_comes_true_as_often_as_it_says() {
        let hits = (0..100_000).filter(|check| Dice::of(7, 3, *check).happens(200_000)).count();
        // Five standard deviations of a binomial of 100,000 at 20% are 632.
        assert!((19_368..=20_632).contains(&hits), "{hits}");
    }
}
