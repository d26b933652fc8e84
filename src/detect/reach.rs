//! Reach: how long a rule takes, at the worst, to notice that a whole slice of its checks has begun to fail.
//!
//! In any stretch of length t, a probe with interval I begins at least floor(t / I) checks. A rule that needs k bad
//! checks has them at the latest after the smallest t at which these add up to k over the slice's probes, plus the
//! time that the last of these checks takes to fail, which its timeout bounds:
//!
//! ```text
//! worst case = min { t : sum of floor(t / I) >= k } + timeout
//! k = max(at_least, floor(above * N) + 1),   N = checks of the slice in one window
//! ```

use std::time::Duration;

use crate::model::unit::show_duration;
use crate::model::{Cadence, ErrorRate, Probe, Rule, RuleKind, Slice};

use super::slices::Slices;

/// What a rule can do for one of its slices, or several that are alike.
#[derive(Clone, PartialEq, Eq, Debug)]
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
}

/// What a rule can do, for each kind of slice that it has.
#[must_use]
pub fn reach(rule: &Rule, probes: &[Probe]) -> Vec<Reach> {
    let mut reaches: Vec<Reach> = Vec::new();
    let mut add = |slice: Slice, probes: &[&Probe], worst: Result<Duration, String>| {
        let names = |slice: &Slice| Vec::from_iter(slice.labels.keys().cloned());
        let known = reaches.iter_mut().find(|known| {
            known.worst == worst
                && known.probes == probes.len()
                && (names(&known.slice) == names(&slice) || slice.probe.is_some())
        });
        match known {
            Some(known) => known.alike += 1,
            None => reaches.push(Reach { slice, alike: 1, probes: probes.len(), worst }),
        }
    };
    match &rule.kind {
        RuleKind::ErrorRate(rate) => {
            let slices = Slices::new(&rule.over, &rate.per, probes);
            for (index, slice) in slices.all().iter().enumerate() {
                let members: Vec<&Probe> = probes
                    .iter()
                    .enumerate()
                    .filter(|(probe, _)| slices.of(*probe).contains(&index))
                    .map(|(_, probe)| probe)
                    .collect();
                add(slice.clone(), &members, error_rate(rate, &members));
            }
        }
        RuleKind::Consecutive(run) => {
            for probe in probes.iter().filter(|probe| rule.over.covers(probe)) {
                let slice = Slice { labels: probe.labels.clone(), probe: Some(probe.id.clone()) };
                let worst = match interval(probe) {
                    Some(interval) => Ok(interval.saturating_mul(run.count) + probe.timeout),
                    None => Err(format!("{} in a row, as its calendar goes", run.count)),
                };
                add(slice, &[probe], worst);
            }
        }
    }
    reaches
}

fn error_rate(rate: &ErrorRate, probes: &[&Probe]) -> Result<Duration, String> {
    let mut intervals: Vec<Duration> = probes.iter().filter_map(|probe| interval(probe)).collect();
    intervals.sort();
    let begun = |t: Duration| intervals.iter().map(|interval| times(t, *interval)).sum::<u64>();
    let in_window = begun(rate.within);
    let share = u64::try_from(u128::from(in_window) * u128::from(rate.above.ppm()) / 1_000_000).unwrap_or(u64::MAX);
    let needed = u64::from(rate.at_least).max(share.saturating_add(1));
    if needed > in_window {
        return Err(format!(
            "it needs {needed} bad checks within {}, and only {in_window} are sure to be made",
            show_duration(rate.within)
        ));
    }
    // The count grows at multiples of the intervals only, so the search ends within the window.
    let mut low = 0;
    let mut high = u64::try_from(rate.within.as_millis()).unwrap_or(u64::MAX);
    while low < high {
        let middle = low + (high - low) / 2;
        if begun(Duration::from_millis(middle)) >= needed { high = middle } else { low = middle + 1 }
    }
    let timeout = probes.iter().map(|probe| probe.timeout).max().unwrap_or_default();
    Ok(Duration::from_millis(low) + timeout)
}

fn interval(probe: &Probe) -> Option<Duration> {
    match probe.cadence {
        Cadence::Every(interval) => Some(interval),
        Cadence::At(_) => None,
    }
}

/// How often the interval fits into the time.
fn times(t: Duration, interval: Duration) -> u64 {
    u64::try_from(t.as_millis() / interval.as_millis().max(1)).unwrap_or(u64::MAX)
}
