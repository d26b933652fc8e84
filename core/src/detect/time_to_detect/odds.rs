//! Chances: how many of some independent checks are bad, and when so many of them are for the first time.
#![expect(clippy::cast_precision_loss, reason = "counts of checks are far below 2^52")]

/// Longer windows than this, in checks, are not summed up term by term.
const LONGEST_SUM: u64 = 100_000;

/// ln(n!), by Stirling's series from 16 on.
fn ln_factorial(n: u64) -> f64 {
    if n < 16 {
        return (2..=n).map(|factor| (factor as f64).ln()).sum();
    }
    let x = n as f64;
    let cube = x * x * x;
    (x + 0.5) * x.ln() - x + 0.5 * std::f64::consts::TAU.ln() + 1.0 / (12.0 * x) - 1.0 / (360.0 * cube)
        + 1.0 / (1_260.0 * cube * x * x)
}

/// The chance that exactly k of n are bad, each with the chance p; k may be out of range.
pub(super) fn exactly(n: u64, p: f64, k: u64) -> f64 {
    if k > n {
        return 0.0;
    }
    if p <= 0.0 || p >= 1.0 {
        return f64::from(k == if p <= 0.0 { 0 } else { n });
    }
    let ways = ln_factorial(n) - ln_factorial(k) - ln_factorial(n - k);
    (ways + k as f64 * p.ln() + (n - k) as f64 * (-p).ln_1p()).exp()
}

/// The chance that so many come about where `mean` are expected, each independently of the others.
pub(super) fn poisson(mean: f64, k: u64) -> f64 {
    (k as f64 * mean.max(f64::MIN_POSITIVE).ln() - mean - ln_factorial(k)).exp()
}

/// The chance that at least k of n are bad.
pub(super) fn at_least(n: u64, p: f64, k: u64) -> f64 {
    if k == 0 || p >= 1.0 {
        return f64::from(k <= n);
    }
    if p <= 0.0 {
        return 0.0;
    }
    if k as f64 > n as f64 * p { upward(n, p, k) } else { 1.0 - downward(n, p, k - 1) }
}

/// From k upward, where each term is less than the one before.
fn upward(n: u64, p: f64, k: u64) -> f64 {
    let (mut term, mut sum) = (exactly(n, p, k), 0.0);
    for k in k..=n {
        sum += term;
        if term <= sum * 1e-16 {
            break;
        }
        term *= (n - k) as f64 / (k + 1) as f64 * p / (1.0 - p);
    }
    sum
}

/// From k downward, where each term is less than the one before.
fn downward(n: u64, p: f64, k: u64) -> f64 {
    let (mut term, mut sum) = (exactly(n, p, k), 0.0);
    for k in (0..=k).rev() {
        sum += term;
        if term <= sum * 1e-16 {
            break;
        }
        term *= k as f64 / (n - k + 1) as f64 * (1.0 - p) / p;
    }
    sum
}

/// After how many checks at least k of the last n are bad for the first time, with this chance; in checks. Before them
/// all were good. Nothing: practically never.
///
/// As long as no bad check has left the window it is the k-th bad check. After that, the chance that no window of n
/// among L * n checks held k bad ones is Q2 (Q3 / Q2)^(L - 2), where Q2 and Q3 are that for L = 2 and 3, which are known
/// exactly (J. I. Naus, "Approximations for distributions of scan statistics", JASA 77, 1982).
pub(super) fn first_window(n: u64, p: f64, k: u64, chance: f64) -> Option<f64> {
    if k > n {
        return None;
    }
    let within = at_least(n, p, k);
    if within >= chance {
        let (mut low, mut high) = (k, n);
        while low < high {
            let middle = low + (high - low) / 2;
            if at_least(middle, p, k) >= chance { high = middle } else { low = middle + 1 }
        }
        return Some(low as f64);
    }
    let (q1, (q2, q3)) = (1.0 - within, naus(n, p, k)?);
    let (left, n) = (1.0 - chance, n as f64);
    let between = |from: f64, to: f64| (left / from).ln() / (to / from).ln();
    if q2 <= left {
        return Some(n * (1.0 + between(q1, q2)));
    }
    // What is closer to one than this is lost in rounding, and means years.
    (q3 < q2 * (1.0 - 1e-11)).then(|| n * (2.0 + between(q2, q3)))
}

/// Q2 and Q3: the chances that no n checks in a row among 2 n, and 3 n, hold k bad ones or more. Nothing for windows
/// that are too long to be summed up.
fn naus(n: u64, p: f64, k: u64) -> Option<(f64, f64)> {
    if n > LONGEST_SUM {
        return None;
    }
    // Places from 0 to 2 k; F(-1) and less are zero.
    let last = usize::try_from(2 * k).ok()?;
    let k = usize::try_from(k).ok()?;
    let exact = |n: u64| (0..=last).map(|place| exactly(n, p, place as u64)).collect::<Vec<f64>>();
    let b = exact(n);
    let sums = |of: &[f64]| {
        let mut sum = 0.0;
        let mut add = |term: &f64| {
            sum += term;
            sum
        };
        of.iter().map(&mut add).collect::<Vec<f64>>()
    };
    let f = sums(&b);
    let f_less = sums(&exact(n.saturating_sub(1)));
    let f_two_less = sums(&exact(n.saturating_sub(2)));
    let at = |sums: &[f64], place: usize, below: usize| place.checked_sub(below).map_or(0.0, |place| sums[place]);
    let (np, x) = (n as f64 * p, k as f64);
    // (r - 1) F(r - 2) - n p F'(r - 3): it comes up three times.
    let bracket = |r: usize| (r as f64 - 1.0) * at(&f, r, 2) - np * at(&f_less, r, 3);
    let all = at(&f, k, 1);
    let q2 = all * all - b[k] * bracket(k);
    let first = 2.0 * b[k] * all * bracket(k);
    let second = 0.5
        * b[k]
        * b[k]
        * ((x - 1.0) * (x - 2.0) * at(&f, k, 3) - 2.0 * (x - 2.0) * np * at(&f_less, k, 4)
            + np * (n as f64 - 1.0) * p * at(&f_two_less, k, 5));
    let third: f64 = (1..k).map(|r| b[2 * k - r] * at(&f, r, 1).powi(2)).sum();
    let fourth: f64 = (2..k).map(|r| b[2 * k - r] * b[r] * bracket(r)).sum();
    let q3 = all.powi(3) - first + second + third - fourth;
    Some((q2, q3))
}

/// How many checks lie between two runs of k bad ones in a row on average, each bad with the chance p; counting begins
/// anew after each (W. Feller, "An Introduction to Probability Theory and Its Applications" I, XIII.7).
pub(super) fn between_runs(k: u32, p: f64) -> f64 {
    let all = p.powi(i32::try_from(k).unwrap_or(i32::MAX));
    (1.0 - all) / ((1.0 - p) * all)
}

/// After how many checks the last k were bad for the first time, with this chance; in checks.
///
/// No run among n has the chance S(n) = S(n - 1) - (1 - p) p^k S(n - k - 1); far out it falls off by itself.
pub(super) fn first_run(k: u32, p: f64, chance: f64) -> f64 {
    const SUMMED: usize = 4_000;
    let all = p.powi(i32::try_from(k).unwrap_or(i32::MAX));
    let size = usize::try_from(k).unwrap_or(usize::MAX);
    if p >= 1.0 {
        return f64::from(k);
    }
    if size < SUMMED {
        let mut none = vec![1.0; size];
        none.push(1.0 - all);
        for n in size..SUMMED {
            if none[n] <= 1.0 - chance {
                return n as f64;
            }
            none.push(none[n] - (1.0 - p) * all * none[n - size]);
        }
    }
    -(1.0 - chance).ln() * between_runs(k, p)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Dice;

    fn near(found: f64, expected: f64, by: f64) {
        assert!((found - expected).abs() <= by, "{found} is not {expected}");
    }

    #[test]
    fn chances_of_counts_are_those_of_the_binomial_distribution() {
        near(exactly(10, 0.2, 2), 0.301_989_888, 1e-12);
        near(at_least(10, 0.2, 3), 0.322_200_473_6, 1e-10);
        near(at_least(10, 0.2, 1), 0.892_625_817_6, 1e-10);
        // The median of a binomial with a whole mean is its mean.
        assert!(at_least(5_000_000, 0.2, 1_000_000) >= 0.5 && at_least(5_000_000, 0.2, 1_000_001) < 0.5);
        near(exactly(1_000_000, 1e-6, 0), (-1.0_f64).exp(), 1e-6);
    }

    #[test]
    fn a_window_with_so_many_bad_checks_comes_about_when_simulated_checks_say_it_does() {
        for (n, p, k) in [(18, 0.2, 5), (18, 0.2, 7), (90, 0.2, 25), (30, 0.05, 5), (6, 0.2, 5), (1, 0.2, 1)] {
            let mut found: Vec<u32> = (0..2_001).map(|run| until_window(n, p, k, run)).collect();
            found.sort_unstable();
            for (chance, place) in [(0.5, 1_000), (0.9, 1_800)] {
                let told = first_window(u64::from(n), p, u64::from(k), chance).unwrap();
                let (found, told) = (f64::from(found[place]), told);
                assert!(
                    (told / found - 1.0).abs() < 0.12 || (told - found).abs() <= 1.0,
                    "{n} {p} {k} {chance}: {told} {found}"
                );
            }
        }
    }

    fn until_window(n: u32, p: f64, k: u32, run: u64) -> u32 {
        let mut dice = Dice::new(u64::from(n * 1_000 + k) << 32 | run << 20);
        let mut window = std::collections::VecDeque::new();
        for check in 1..200_000 {
            window.push_back(u32::from(dice.chance(p)));
            if window.len() > n as usize {
                window.pop_front();
            }
            if window.iter().sum::<u32>() >= k {
                return check;
            }
        }
        200_000
    }

    #[test]
    fn a_run_comes_about_as_often_as_feller_says() {
        near(between_runs(2, 0.5), 6.0, 1e-12);
        near(first_run(1, 0.2, 0.5), 4.0, 0.0);
        // Far out the recurrence and the exponential meet.
        near(first_run(4, 0.2, 0.5) / (0.5_f64.ln().abs() * between_runs(4, 0.2)), 1.0, 0.01);
    }
}
