//! Reach: how long a rule takes, at the worst, to notice that a whole slice of its checks has begun to fail.
//!
//! In any stretch of length t, a probe with interval I begins at least floor(t / I) checks. A rule that needs k bad
//! checks has them at the latest after the smallest t at which these add up to k over the slice's probes, plus the
//! time that the last of these checks takes to fail, which its timeout bounds; where a failure that counts is tried
//! again, the pauses and the timeouts of all tries (`timeout` below stands for their sum), up to the next turn:
//!
//! ```text
//! worst case = min { t : sum of floor(t / I) >= k } + timeout
//! k = max(at_least, floor(above * N) + 1)
//! N = sum of floor((within + timeout) / I) + 1, the most checks of the slice that can end within one window
//! ```
//!
//! Where the threshold is so high that the good checks from before the fault must have left the window, k is
//! `at_least`, counted from `within + timeout` after the fault: from then on every check in the window is bad.
//!
//! A rule about latency or a burn rate is such a rule too (`slow`). A certificate is shown by the next check of its
//! host; what is missing is so at the latest when its time has passed after a check that took as long as it may.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::model::unit::show_duration;
use crate::model::{Bad, Cadence, ErrorRate, LabelName, Probe, Rule, RuleKind, Slice};

use super::change;
use super::slices::Slices;
use super::{expiry, missing};

mod outlook;
mod slow;

pub use outlook::{MONTH, Outlook, PART};

/// What a rule can do for one of its slices, or several that are alike.
#[derive(Clone, PartialEq, Debug)]
pub struct Reach {
    /// The slice; the first of those that are alike.
    pub slice: Slice,
    /// How many slices are alike.
    pub alike: usize,
    /// How many probes it has.
    pub probes: usize,
    /// From the fault to the end of the check that shows it, when every check of the slice fails; or why the rule
    /// would never notice.
    pub worst: Result<Duration, String>,
    /// What is likely; of slices that are alike, that of the first, and their false alarms together.
    pub outlook: Outlook,
}

/// What a rule can do, for each kind of slice that it has, where this share of checks fails by accident.
#[must_use]
pub fn reach<V>(rule: &Rule, probes: &[Probe], cohorts: &BTreeMap<LabelName, V>, noise: f64) -> Vec<Reach> {
    let mut reaches: Vec<Reach> = Vec::new();
    // `share` is what a change rule gives the slice: its threshold, and one of how many slices it is.
    let mut add = |slice: Slice, probes: &[&Probe], worst: Result<Duration, String>, share: (f64, usize)| {
        let names = |slice: &Slice| Vec::from_iter(slice.labels.keys().cloned());
        let known = reaches.iter_mut().find(|known| {
            known.worst == worst
                && known.probes == probes.len()
                && (names(&known.slice) == names(&slice) || slice.probe.is_some())
        });
        match known {
            Some(known) => known.alike += 1,
            None => {
                let outlook = outlook::outlook(rule, probes, share.0, share.1, noise);
                reaches.push(Reach { slice, alike: 1, probes: probes.len(), worst, outlook });
            }
        }
    };
    const NO_SHARE: (f64, usize) = (0.0, 1);
    let per_slice = |per: &[LabelName], add: &mut dyn FnMut(Slice, &[&Probe])| {
        let slices = Slices::new(&rule.over, per, probes);
        for (slice, members) in slices.all().iter().zip(members(&slices, probes)) {
            add(slice.clone(), &members);
        }
    };
    let covered = probes.iter().filter(|probe| rule.over.covers(probe));
    match &rule.kind {
        RuleKind::ErrorRate(rate) => {
            per_slice(&rate.per, &mut |slice, members| add(slice, members, error_rate(rate, members), NO_SHARE));
        }
        RuleKind::Latency(latency) => {
            let slow = slow::latency(latency);
            per_slice(&latency.per, &mut |slice, members| add(slice, members, error_rate(&slow, members), NO_SHARE));
        }
        RuleKind::BurnRate(burn) => {
            per_slice(&burn.per, &mut |slice, members| add(slice, members, slow::burn_rate(burn, members), NO_SHARE));
        }
        RuleKind::Change(change) => {
            let slices = change::slices(rule, probes, cohorts);
            let thresholds = change::thresholds(change, &slices, probes);
            for ((slice, members), threshold) in slices.all().iter().zip(members(&slices, probes)).zip(thresholds) {
                let needed = change::evidence::bad_in_a_row(change::baseline::FLOOR, threshold);
                add(slice.clone(), &members, in_a_row(needed, &members), (threshold, slices.all().len()));
            }
        }
        // It judges no probe.
        RuleKind::Offline => {}
        RuleKind::Consecutive(run) => {
            for probe in covered {
                let worst = match interval(probe) {
                    Some(interval) => Ok(interval.saturating_mul(run.count) + longest(None, probe)),
                    None => Err(format!("{} in a row, as its calendar goes", run.count)),
                };
                add(missing::slice(probe), &[probe], worst, NO_SHARE);
            }
        }
        RuleKind::Expiry(_) => {
            for (host, members) in slow::by_host(covered) {
                // The first of them that is made shows it.
                let shown = members.iter().filter_map(|probe| Some(interval(probe)? + probe.timeout)).min();
                let worst = shown.ok_or_else(|| "with the next check, as the calendar goes".to_owned());
                add(expiry::slice(&host.into()), &members, worst, NO_SHARE);
            }
        }
        RuleKind::Missing(rule) => {
            for probe in covered {
                add(missing::slice(probe), &[probe], Ok(rule.after + probe.timeout), NO_SHARE);
            }
        }
    }
    for reach in &mut reaches {
        #[expect(clippy::cast_precision_loss, reason = "counts of slices are far below 2^52")]
        let alike = reach.alike as f64;
        reach.outlook.false_alarms = reach.outlook.false_alarms.clone().map(|alarms| alarms * alike);
    }
    reaches
}

/// Whether a rule is there to tell of failing checks soon, so that a time to detect can be asked of it: one about
/// change, an error rate or failures in a row.
#[must_use]
pub fn is_prompt(rule: &Rule) -> bool {
    matches!(rule.kind, RuleKind::Change(_) | RuleKind::ErrorRate(_) | RuleKind::Consecutive(_))
}

/// The chance that an outage that hits each customer with this chance, independently, hits at least one of so many: what
/// a cohort of that many values sees of an outage of a part of all customers.
#[must_use]
pub fn coverage(values: usize, hit: f64) -> f64 {
    1.0 - (1.0 - hit).powi(i32::try_from(values).unwrap_or(i32::MAX))
}

/// The probes of each slice.
fn members<'a>(slices: &Slices, probes: &'a [Probe]) -> Vec<Vec<&'a Probe>> {
    let mut members = vec![Vec::new(); slices.all().len()];
    for (index, probe) in probes.iter().enumerate() {
        for &slice in slices.of(index) {
            members[slice].push(probe);
        }
    }
    members
}

/// Until so many checks of a slice in a row have failed. The checks that were under way when it began to fail may still
/// end well, each of them within the timeout; those that begin after that count.
fn in_a_row(needed: u64, probes: &[&Probe]) -> Result<Duration, String> {
    let intervals: Vec<Duration> = probes.iter().filter_map(|probe| interval(probe)).collect();
    let timeout = probes.iter().map(|probe| longest(None, probe)).max().unwrap_or_default();
    let Some(slowest) = intervals.iter().max() else {
        return Err(format!("{needed} in a row, as their calendars go"));
    };
    let most = slowest.saturating_mul(u32::try_from(needed).unwrap_or(u32::MAX));
    let begun = |t: Duration| intervals.iter().map(|interval| times(t, *interval)).sum::<u64>();
    Ok(first(needed, most, begun) + timeout + timeout)
}

/// The smallest time, at most `most`, in which so many checks have begun.
fn first(needed: u64, most: Duration, begun: impl Fn(Duration) -> u64) -> Duration {
    let (mut low, mut high) = (0, millis(most));
    while low < high {
        let middle = low + (high - low) / 2;
        if begun(Duration::from_millis(middle)) >= needed { high = middle } else { low = middle + 1 }
    }
    Duration::from_millis(low)
}

fn error_rate(rate: &ErrorRate, probes: &[&Probe]) -> Result<Duration, String> {
    let intervals: Vec<Duration> = probes.iter().filter_map(|probe| interval(probe)).collect();
    let timeout = probes.iter().map(|probe| longest(Some(&rate.bad), probe)).max().unwrap_or_default();
    let begun = |t: Duration| intervals.iter().map(|interval| times(t, *interval)).sum::<u64>();
    // Checks that begin so close together end within one window, however long each takes; the first is one more.
    let sure = match intervals.is_empty() {
        true => 0,
        false => begun(rate.within.saturating_sub(timeout)) + 1,
    };
    let at_least = u64::from(rate.at_least);
    if at_least > sure {
        return Err(format!(
            "it needs {at_least} bad checks within {}, and only {sure} are sure to be made",
            show_duration(rate.within)
        ));
    }
    let slowest = intervals.iter().max().copied().unwrap_or_default();
    // As many checks as are sure have begun when the window and the longest interval are over.
    let first = |count: u64| first(count, rate.within + slowest, begun) + timeout;
    let all_bad = rate.within + timeout + first(at_least);
    let most: u64 = intervals.iter().map(|interval| times(rate.within + timeout, *interval) + 1).sum();
    let share = u64::try_from(u128::from(most) * u128::from(rate.above.ppm()) / 1_000_000).unwrap_or(u64::MAX);
    let needed = at_least.max(share.saturating_add(1));
    Ok(if needed > sure { all_bad } else { first(needed).min(all_bad) })
}

/// How long a check of the probe may take until it is bad, in whole seconds where it is tried again: its timeout, and
/// that of its other tries where a failure that counts is one of those that are tried again.
fn longest(bad: Option<&Bad>, probe: &Probe) -> Duration {
    match bad {
        Some(Bad::Class(class)) if !probe.retry.on.contains(class) => probe.timeout,
        _ => match probe.longest_check() {
            longest if longest == probe.timeout => longest,
            longest => Duration::from_secs(longest.as_millis().div_ceil(1_000).try_into().unwrap_or(u64::MAX)),
        },
    }
}

fn interval(probe: &Probe) -> Option<Duration> {
    match probe.cadence {
        Cadence::Every(interval) => Some(interval),
        Cadence::At(_) => None,
    }
}

/// How often the interval fits into the time.
fn times(t: Duration, interval: Duration) -> u64 {
    millis(t) / millis(interval).max(1)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
