//! Outlook: what is likely, where [`time_to_detect`](super) tells the worst.
//!
//! # Time to detect
//! A slice whose probes begin `r` checks a second is judged as if its checks came evenly: the check with the number `n`
//! after a fault has been made after `(n - 1/2) / r`, in the median of the moments at which the fault can begin, and a
//! bad check is known at once, as an answer like 404 is. How many checks a rule needs where each of them is bad with the
//! chance `q`, independently, is worked out in `odds`:
//! - An error rate needs `k = max(at_least, floor(above * r * within) + 1)` bad checks among the last `r * within`. While
//!   no bad check has left the window that is the k-th bad one; after that it is a scan statistic. A latency rule is the
//!   same with the slow checks of which its quantile is made, and they are known after its threshold.
//! - Failures in a row are runs.
//! - Burn rates need the bad checks of both windows, the later of which decides.
//! - The sums of a change rule are played [`PLAYS`] times over random checks with a fixed seed: no formula is as good.
//! - A certificate is shown by the next check. What does not come at all is missing after `missing`, less half an interval,
//!   and where one check in five does not come, when as many as fit into it do not come in a row.
//!
//! # False alarms
//! Of checks that fail independently at the rate of noise `p`, so many begin a breach in a time `T`, at most:
//! - error rate: `T * l * e^(-m) * m^(k-1) / (k-1)!`, where `l = r * p` and `m = l * within`: a breach begins with a bad
//!   check that finds `k - 1` others in the window before it;
//! - burn rate: the same for each of the two windows, or `T * l` times the chance that the other window has enough bad
//!   checks as well, where that is less; both added up, for either window may be the later;
//! - n in a row: `T * r * p^n * (1 - p)`;
//! - change: what its budget allows, because it learns the noise.

use std::time::Duration;

use crate::model::unit::show_share;
use crate::model::{BurnRate, Change, ErrorRate, Latency, Missing, Probe};

use super::{change, odds, slow};

/// How often the sums of a change rule are played.
const PLAYS: u64 = 400;
/// Checks of one play at the most.
const LONGEST_PLAY: u32 = 20_000;
/// The share of bad checks in an outage of a part.
pub const PART: f64 = 0.2;
/// The time that false alarms are told for; what takes longer to detect is practically never detected.
pub const MONTH: Duration = Duration::from_secs(30 * 86_400);
/// The chances with which times are told: the median, and nearly always.
const CHANCES: [f64; 2] = [0.5, 0.99];

/// What is likely for one slice of a rule.
#[derive(Clone, PartialEq, Debug)]
pub struct Outlook {
    /// The median time to detect when every check of the slice is bad; or why there is none.
    pub full: Result<Duration, String>,
    /// The same when one in five is.
    pub part: Result<Duration, String>,
    /// In how long 99 of 100 such outages of a part are detected.
    pub part_nearly_all: Result<Duration, String>,
    /// How many false alarms are to be expected in [`MONTH`], at most; or why that cannot be said.
    pub false_alarms: Result<f64, String>,
}

/// A window with a threshold.
struct Window {
    needed: u64,
    /// How many checks it holds.
    checks: u64,
    within: f64,
}

/// What is likely for a slice of these probes, by the number of checks that they make in a second.
pub(super) fn outlook(probes: &[&Probe], likely: impl FnOnce(f64) -> Outlook) -> Outlook {
    let rate: f64 = probes.iter().filter_map(|probe| probe.interval()).map(|every| 1.0 / every.as_secs_f64()).sum();
    if rate > 0.0 { likely(rate) } else { Outlook::none("as its calendar goes") }
}

impl Outlook {
    /// By the times in which an outage of this share is detected, with each of [`CHANCES`].
    fn new(detects: impl Fn(f64) -> [Result<Duration, String>; 2], false_alarms: Result<f64, String>) -> Self {
        let ([full, _], [part, part_nearly_all]) = (detects(1.0), detects(PART));
        Self { full, part, part_nearly_all, false_alarms }
    }

    fn none(why: &str) -> Self {
        let why = || why.to_owned();
        Self { full: Err(why()), part: Err(why()), part_nearly_all: Err(why()), false_alarms: Err(why()) }
    }
}

impl Window {
    fn of(rule: &ErrorRate, rate: f64) -> Self {
        let within = rule.within.as_secs_f64();
        let above = f64::from(rule.above.ppm()) / 1_000_000.0;
        let needed = u64::from(rule.at_least).max(whole((above * rate * within).floor()) + 1);
        Self { needed, checks: whole(rate * within).max(1), within }
    }

    fn detects(&self, share: f64, rate: f64) -> [Result<Duration, String>; 2] {
        let (needed, checks) = (self.needed, self.checks);
        CHANCES.map(|chance| {
            let first = odds::first_window(checks, share, needed, chance).map(|checks| after(checks, rate));
            first.filter(|time| *time <= MONTH).ok_or_else(|| {
                let bad = show_share(share);
                format!("seldom: it needs {needed} bad of the {checks} checks in its window, and {bad} of them are")
            })
        })
    }

    /// The alarms of bad checks that come at this rate.
    fn alarms(&self, bad: f64) -> Result<f64, String> {
        let mean = bad * self.within;
        if mean >= count(self.needed) {
            return Err("what fails by accident is above its threshold".into());
        }
        Ok(MONTH.as_secs_f64() * bad * odds::poisson(mean, self.needed - 1))
    }
}

/// `noise` is the share of checks that fail by accident, here as below.
pub(super) fn error_rate(error_rate: &ErrorRate, rate: f64, noise: f64) -> Outlook {
    let window = Window::of(error_rate, rate);
    Outlook::new(|share| window.detects(share, rate), window.alarms(rate * noise))
}

/// More slow checks than the quantile allows, in a window that has enough of them.
pub(super) fn latency(latency: &Latency, rate: f64) -> Outlook {
    let window = Window::of(&ErrorRate { at_least: 1, ..slow::latency(latency) }, rate);
    let detects = |share| {
        let times = window.detects(share, rate);
        times.map(|time| match u64::from(latency.at_least) > window.checks {
            true => Err(format!("it needs {} checks, and its window has {}", latency.at_least, window.checks)),
            false => time.map(|time| time + latency.above),
        })
    };
    Outlook::new(detects, Err("how often checks are slow by accident is not known".into()))
}

/// Both windows must have burned; the later decides.
pub(super) fn burn_rate(burn: &BurnRate, rate: f64, noise: f64) -> Outlook {
    let [long, short] = slow::windows(burn).map(|window| Window::of(&window, rate));
    let detects = |share| {
        let ([middle, late], [other_middle, other_late]) = (long.detects(share, rate), short.detects(share, rate));
        [(middle, other_middle), (late, other_late)].map(|(long, short)| Ok(long?.max(short?)))
    };
    let bad = rate * noise;
    let enough =
        |window: &Window| MONTH.as_secs_f64() * bad * odds::at_least(window.checks, noise, window.needed - 1);
    let crosses = |window: &Window, other: &Window| window.alarms(bad).map(|alarms| alarms.min(enough(other)));
    let alarms = crosses(&long, &short).and_then(|alarms| Ok(alarms + crosses(&short, &long)?));
    Outlook::new(detects, alarms)
}

pub(super) fn in_a_row(run: u32, rate: f64, noise: f64) -> Outlook {
    let detects = |share: f64| {
        CHANCES.map(|chance| {
            let time = after(odds::first_run(run, share, chance), rate);
            if time <= MONTH { Ok(time) } else { Err(format!("seldom: {run} in a row are rare")) }
        })
    };
    let power = noise.powi(i32::try_from(run).unwrap_or(i32::MAX));
    Outlook::new(detects, Ok(MONTH.as_secs_f64() * rate * power * (1.0 - noise)))
}

/// For one of so many slices, with its threshold.
pub(super) fn change(change: &Change, threshold: f64, slices: usize, rate: f64, noise: f64) -> Outlook {
    let usual = change::baseline::usual(noise);
    let detects = |share| {
        change::evidence::checks_needed(usual, threshold, share, PLAYS, LONGEST_PLAY).map(|checks| match checks {
            Some(checks) => Ok(after(f64::from(checks), rate)),
            None => Err("seldom: too little stands out".into()),
        })
    };
    let budget = f64::from(change.false_alarms.count) * MONTH.as_secs_f64() / change.false_alarms.per.as_secs_f64();
    let most = change::baseline::CAP;
    let alarms = match noise <= most {
        true => Ok(budget / count(u64::try_from(slices.max(1)).unwrap_or(u64::MAX))),
        false => Err(format!("more than {} fail by accident, the most that it learns", show_share(most))),
    };
    Outlook::new(detects, alarms)
}

/// The next check shows it.
pub(super) fn expiry(rate: f64) -> Outlook {
    Outlook { full: Ok(after(1.0, rate)), ..Outlook::none("no share of its checks shows a certificate") }
}

/// The last check before the fault was half an interval ago, in the median.
pub(super) fn missing(missing: Missing, rate: f64) -> Outlook {
    let (allowed, every) = (missing.after, 1.0 / rate);
    let lost = whole((allowed.as_secs_f64() * rate).floor()).max(1);
    let lost = u32::try_from(lost).unwrap_or(u32::MAX);
    let part = |chance| {
        // The last check that came is the one before the run.
        let before = odds::first_run(lost, PART, chance) - f64::from(lost) - 0.5;
        let time = Duration::try_from_secs_f64((allowed.as_secs_f64() + before * every).max(0.0));
        let time = time.unwrap_or(Duration::MAX);
        if time <= MONTH { Ok(time) } else { Err(format!("seldom: {lost} missing in a row are rare")) }
    };
    let full = allowed.saturating_sub(Duration::try_from_secs_f64(every / 2.0).unwrap_or_default());
    let [part, part_nearly_all] = CHANCES.map(part);
    Outlook { full: Ok(full), part, part_nearly_all, false_alarms: Err("a check that fails has come".into()) }
}

/// When the check with this number has been made, in the median of the phases.
fn after(checks: f64, rate: f64) -> Duration {
    Duration::try_from_secs_f64(((checks - 0.5) / rate).max(0.0)).unwrap_or(Duration::MAX)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a positive number of checks")]
fn whole(number: f64) -> u64 {
    // What is a whole number but for rounding is one.
    (number + 1e-9).floor() as u64
}

#[expect(clippy::cast_precision_loss, reason = "counts of checks and slices are far below 2^52")]
fn count(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_that_needs_one_bad_check_alarms_at_every_bad_check() {
        let window = Window { needed: 1, checks: 24, within: 120.0 };
        let bad = 0.001 * 0.2;
        // But for those that come while one is still in the window.
        let expected = MONTH.as_secs_f64() * bad * (-bad * 120.0_f64).exp();
        assert!((window.alarms(bad).unwrap() / expected - 1.0).abs() < 1e-9);
        assert!(window.alarms(0.01).is_err());
    }
}
