//! The worst case: bounds that hold however the turns of the probes fall and however long each check takes.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::detect::self_check;
use crate::model::unit::show_duration;
use crate::model::{Bad, ErrorRate, Probe, ProbeId, Retry};

/// What bounds the time until a check is judged.
pub(super) struct Patience<'a> {
    /// The probes that ask the service or a canary, the one that answers the soonest first.
    answers: Vec<(Duration, &'a Probe)>,
    /// Whether a failure without an answer may be ours, and waits until that is known.
    waits: bool,
}

impl<'a> Patience<'a> {
    pub(super) fn new(probes: &'a [Probe]) -> Self {
        let asked = probes.iter().filter(|probe| !probe.kind.comes_by_itself());
        let mut answers: Vec<(Duration, &Probe)> =
            asked.filter_map(|probe| Some((probe.interval()? + probe.longest_check(), probe))).collect();
        answers.sort_by_key(|(soonest, _)| *soonest);
        Self { answers, waits: self_check::can_tell(probes) }
    }

    /// How long after its beginning a bad check of these probes is judged, at the latest, while all of them fail: it
    /// takes its time, and where nothing answered it may wait for the next answer of anything else.
    pub(super) fn judged_within(&self, bad: Option<&Bad>, probes: &[&Probe]) -> Duration {
        let longest = probes.iter().map(|probe| longest(bad, probe)).max().unwrap_or_default();
        if !self.waits || matches!(bad, Some(Bad::Class(class)) if !class.is_network()) {
            return longest;
        }
        let failing: BTreeSet<&ProbeId> = probes.iter().map(|probe| &probe.id).collect();
        let other = self.answers.iter().find(|(_, probe)| !failing.contains(&probe.id));
        let last_try = probes.iter().map(|probe| last_try(probe)).max().unwrap_or_default();
        // With nothing else to answer, a failure without an answer is taken for our own.
        other.map_or(longest, |(answer, _)| longest.max((last_try + *answer).min(longest + self_check::LONGEST_WAIT)))
    }
}

/// When the last try of a check begins, at the latest, after the beginning of the check. Something else
/// must have answered since then before it is known that the failure is not our own.
fn last_try(probe: &Probe) -> Duration {
    match probe.retry.times.checked_sub(1) {
        None => Duration::ZERO,
        Some(times) => {
            let before = Retry { times, ..probe.retry.clone() };
            before.longest(probe.timeout, probe.interval()) + probe.retry.after
        }
    }
}

/// How long a check of the probe may take until it is bad, in whole seconds where it is retried: its timeout, and
/// that of its other tries where a failure that counts is one of those that are retried.
pub(super) fn longest(bad: Option<&Bad>, probe: &Probe) -> Duration {
    match bad {
        Some(Bad::Class(class)) if !probe.retry.on.contains(class) => probe.timeout,
        _ => match probe.longest_check() {
            longest if longest == probe.timeout => longest,
            longest => Duration::from_secs(longest.as_millis().div_ceil(1_000).try_into().unwrap_or(u64::MAX)),
        },
    }
}

/// Until so many checks of a slice in a row have failed. The checks that were under way when it began to fail may still
/// end well, each of them within `longest`; those that begin after that count, each within `judged`.
pub(super) fn in_a_row(
    needed: u64,
    probes: &[&Probe],
    longest: Duration,
    judged: Duration,
) -> Result<Duration, String> {
    let intervals: Vec<Duration> = probes.iter().filter_map(|probe| probe.interval()).collect();
    let Some(slowest) = intervals.iter().max() else {
        return Err(format!("{needed} in a row, as their calendars go"));
    };
    let most = slowest.saturating_mul(u32::try_from(needed).unwrap_or(u32::MAX));
    Ok(first(needed, most, &intervals) + longest + judged)
}

/// Until the share of bad checks is above the threshold, each judged within `judged` of its beginning.
pub(super) fn error_rate(rate: &ErrorRate, probes: &[&Probe], judged: Duration) -> Result<Duration, String> {
    let intervals: Vec<Duration> = probes.iter().filter_map(|probe| probe.interval()).collect();
    // Checks that begin so close together end within one window, however long each takes; the first is one more.
    let sure = match intervals.is_empty() {
        true => 0,
        false => begun(rate.within.saturating_sub(judged), &intervals) + 1,
    };
    let most: u64 = intervals.iter().map(|interval| times(rate.within + judged, *interval) + 1).sum();
    let at_least = u64::from(rate.at_least);
    let within = show_duration(rate.within);
    if at_least > most && intervals.len() == probes.len() {
        return Err(format!("it needs {at_least} bad checks within {within}, and no more than {most} can be made"));
    }
    if at_least > sure {
        return Err(format!("it needs {at_least} bad checks within {within}, and only {sure} are sure to be made"));
    }
    let slowest = intervals.iter().max().copied().unwrap_or_default();
    // As many checks as are sure have begun when the window and the longest interval are over.
    let first = |count: u64| first(count, rate.within + slowest, &intervals) + judged;
    let all_bad = rate.within + judged + first(at_least);
    let share = u64::try_from(u128::from(most) * u128::from(rate.above.ppm()) / 1_000_000).unwrap_or(u64::MAX);
    let needed = at_least.max(share.saturating_add(1));
    Ok(if needed > sure { all_bad } else { first(needed).min(all_bad) })
}

/// The smallest time, at most `most`, in which so many checks have begun.
fn first(needed: u64, most: Duration, intervals: &[Duration]) -> Duration {
    let (mut low, mut high) = (0, millis(most));
    while low < high {
        let middle = low + (high - low) / 2;
        if begun(Duration::from_millis(middle), intervals) >= needed { high = middle } else { low = middle + 1 }
    }
    Duration::from_millis(low)
}

/// How many checks have begun for sure in any stretch of this length.
fn begun(t: Duration, intervals: &[Duration]) -> u64 {
    intervals.iter().map(|interval| times(t, *interval)).sum()
}

/// How often the interval fits into the time.
fn times(t: Duration, interval: Duration) -> u64 {
    millis(t) / millis(interval).max(1)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
