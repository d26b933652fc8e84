//! Outlook: what is likely, where [`reach`](super) tells the worst.
//!
//! # Time to detect
//! A slice whose probes begin `r` checks a second is judged as if its checks came evenly. After a fault that makes a
//! share `q` of them bad, the k-th bad check is, in the median, the one with the number `n = (k - 1/3) / q + 1/3` (the
//! median of a negative binomial, as of the gamma distribution that it approaches: J. Chen and H. Rubin, Statistics &
//! Probability Letters 4, 1986), and it comes after `(n - 1/2) / r`.
//! - An error rate needs `k = max(at_least, floor(above * r * within) + 1)` bad checks in its window. Where fewer than
//!   that are to be expected in a whole window, it will seldom notice, and says so.
//! - `n` failures in a row at a share `q` take `(1 - q^n) / ((1 - q) * q^n)` checks in the mean (W. Feller, "An
//!   Introduction to Probability Theory", volume 1, XIII.7), and ln 2 times that in the median, as nearly exponential
//!   times do.
//! - The sums of a change rule are played [`PLAYS`] times over random checks with a fixed seed, and the median is taken:
//!   no formula is as good.
//!
//! # False alarms
//! Of checks that fail independently at the rate of noise `p`, so many begin a breach in a time `T`, at most:
//! - error rate: `T * l * e^(-m) * m^(k-1) / (k-1)!`, where `l = r * p` and `m = l * within`: a breach begins with a bad
//!   check that finds `k - 1` others in the window before it;
//! - n in a row: `T * r * p^n * (1 - p)`;
//! - change: what its budget allows, because it learns the noise.

use std::time::Duration;

use crate::model::unit::show_duration;
use crate::model::{BurnRate, Change, ErrorRate, Probe, Rule, RuleKind};

use super::{change, interval, slow};

/// How often the sums of a change rule are played.
const PLAYS: u64 = 400;
/// Checks of one play at the most.
const LONGEST_PLAY: u32 = 20_000;
/// The share of bad checks in an outage of a part.
pub const PART: f64 = 0.2;
/// The time that false alarms are told for.
pub const MONTH: Duration = Duration::from_secs(30 * 86_400);

/// What is likely for one slice of a rule.
#[derive(Clone, PartialEq, Debug)]
pub struct Outlook {
    /// The median time to detect when every check of the slice is bad; or why there is none.
    pub full: Result<Duration, String>,
    /// The same when one in five is.
    pub part: Result<Duration, String>,
    /// How many false alarms are to be expected in [`MONTH`], at most; or why that cannot be said.
    pub false_alarms: Result<f64, String>,
}

/// A window with a threshold.
struct Window {
    needed: f64,
    expected: f64,
    within: f64,
}

/// What a rule is likely to do for a slice of these probes. `threshold` is a change rule's for the slice, and `slices`
/// how many it has; `noise` is the share of checks that fail by accident.
pub(super) fn outlook(rule: &Rule, probes: &[&Probe], threshold: f64, slices: usize, noise: f64) -> Outlook {
    let rate: f64 = probes.iter().filter_map(|probe| interval(probe)).map(|every| 1.0 / every.as_secs_f64()).sum();
    if rate <= 0.0 {
        let why = || "as its calendar goes".to_owned();
        return Outlook { full: Err(why()), part: Err(why()), false_alarms: Err(why()) };
    }
    match &rule.kind {
        RuleKind::ErrorRate(error_rate) => {
            let window = Window::of(error_rate, rate);
            let false_alarms = Ok(window.alarms(rate * noise));
            Outlook { full: window.detects(1.0, rate), part: window.detects(PART, rate), false_alarms }
        }
        RuleKind::Latency(latency) => {
            let window = Window::of(&slow::latency(latency), rate);
            let false_alarms = Err("depends on how long checks take".into());
            Outlook { full: window.detects(1.0, rate), part: window.detects(PART, rate), false_alarms }
        }
        RuleKind::BurnRate(burn) => burn_rate(burn, rate, noise),
        RuleKind::Consecutive(run) => row(run.count, rate, noise),
        RuleKind::Change(change) => change_rule(change, threshold, slices, rate),
        RuleKind::Expiry(_) | RuleKind::Missing(_) | RuleKind::Offline => {
            let why = || "not about failing checks".to_owned();
            Outlook { full: Err(why()), part: Err(why()), false_alarms: Err(why()) }
        }
    }
}

impl Window {
    fn of(rule: &ErrorRate, rate: f64) -> Self {
        let within = rule.within.as_secs_f64();
        let above = f64::from(rule.above.ppm()) / 1_000_000.0;
        let needed = f64::from(rule.at_least).max((above * rate * within).floor() + 1.0);
        Self { needed, expected: rate * within, within }
    }

    fn detects(&self, share: f64, rate: f64) -> Result<Duration, String> {
        if self.expected * share < self.needed {
            return Err(format!(
                "seldom: it needs {} bad in {}, about {:.0} are",
                self.needed,
                show_duration(Duration::from_secs_f64(self.within.min(1e9))),
                self.expected * share
            ));
        }
        Ok(after((self.needed - 1.0 / 3.0) / share + 1.0 / 3.0, rate))
    }

    /// The alarms of bad checks that come at this rate.
    fn alarms(&self, bad: f64) -> f64 {
        let mean = bad * self.within;
        let others = self.needed - 1.0;
        let logarithm = others * mean.max(f64::MIN_POSITIVE).ln() - mean - log_factorial(others);
        MONTH.as_secs_f64() * bad * logarithm.exp()
    }
}

/// Both windows must have burned; the later decides, and the rarer holds back.
fn burn_rate(burn: &BurnRate, rate: f64, noise: f64) -> Outlook {
    let windows = slow::windows(burn).map(|window| Window::of(&window, rate));
    let detects = |share| {
        let times: Result<Vec<Duration>, String> = windows.iter().map(|window| window.detects(share, rate)).collect();
        times.map(|times| times.into_iter().max().unwrap_or_default())
    };
    let alarms = windows.iter().map(|window| window.alarms(rate * noise)).fold(f64::INFINITY, f64::min);
    Outlook { full: detects(1.0), part: detects(PART), false_alarms: Ok(alarms) }
}

fn row(count: u32, rate: f64, noise: f64) -> Outlook {
    let count_power = i32::try_from(count).unwrap_or(i32::MAX);
    let chance = PART.powi(count_power);
    let mean = (1.0 - chance) / ((1.0 - PART) * chance);
    let part = if mean > f64::from(LONGEST_PLAY) {
        Err(format!("seldom: {count} in a row are rare"))
    } else {
        Ok(after((mean * std::f64::consts::LN_2).max(f64::from(count)), rate))
    };
    let alarms = MONTH.as_secs_f64() * rate * noise.powi(count_power) * (1.0 - noise);
    Outlook { full: Ok(after(f64::from(count), rate)), part, false_alarms: Ok(alarms) }
}

fn change_rule(change: &Change, threshold: f64, slices: usize, rate: f64) -> Outlook {
    let needed = change::evidence::bad_in_a_row(change::baseline::FLOOR, threshold);
    let part = match change::evidence::median_checks(threshold, PART, PLAYS, LONGEST_PLAY) {
        Some(checks) => Ok(after(f64::from(checks), rate)),
        None => Err("seldom: too little stands out".into()),
    };
    let budget = f64::from(change.false_alarms.count) * MONTH.as_secs_f64() / change.false_alarms.per.as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "counts of slices and of failures are far below 2^52")]
    let (needed, slices) = (needed as f64, slices.max(1) as f64);
    Outlook { full: Ok(after(needed, rate)), part, false_alarms: Ok(budget / slices) }
}

/// When the check with this number has been made, in the median of the phases.
fn after(checks: f64, rate: f64) -> Duration {
    Duration::try_from_secs_f64(((checks - 0.5) / rate).max(0.0)).unwrap_or(Duration::MAX)
}

/// ln(n!), by Stirling's series; exact to a thousandth from n = 0 on.
fn log_factorial(n: f64) -> f64 {
    if n < 1.0 {
        return 0.0;
    }
    n * n.ln() - n + 0.5 * (2.0 * std::f64::consts::PI * n).ln() + 1.0 / (12.0 * n) - 1.0 / (360.0 * n.powi(3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factorials_are_those_of_the_books() {
        for (n, factorial) in [(0.0, 1.0), (1.0, 1.0), (2.0, 2.0), (5.0, 120.0), (10.0, 3_628_800.0)] {
            let found = log_factorial(n).exp();
            assert!((found / factorial - 1.0_f64).abs() < 0.001, "{n}! is {factorial}, found {found}");
        }
    }

    #[test]
    fn a_window_that_needs_one_bad_check_alarms_at_every_bad_check() {
        let window = Window { needed: 1.0, expected: 24.0, within: 120.0 };
        let bad = 0.001 * 0.2;
        // But for those that come while one is still in the window.
        let expected = MONTH.as_secs_f64() * bad * (-bad * 120.0_f64).exp();
        assert!((window.alarms(bad) / expected - 1.0).abs() < 1e-9);
    }
}
