//! How long a rule takes, at the worst, to notice that a whole slice of its checks has begun to fail.
//!
//! In any stretch of length t, a probe with interval I begins at least floor(t / I) checks. A rule that needs k bad
//! checks has them at the latest after the smallest t at which these add up to k over the slice's probes, plus the
//! time until the last of these checks is judged (`judged` below). That is bounded by its timeout; where a failure that
//! counts is retried, by the pauses and the timeouts of all tries, up to the next turn; and where a failure without an
//! answer may be our own, by the next answer of any probe outside of the slice after the beginning of the last try:
//!
//! ```text
//! worst case = min { t : sum of floor(t / I) >= k } + judged
//! k = max(at_least, floor(above * N) + 1)
//! N = sum of floor((within + judged) / I) + 1, the most checks of the slice that can end within one window
//! ```
//!
//! Where the threshold is so high that the good checks from before the fault must have left the window, k is
//! `at_least`, counted from `within + judged` after the fault: from then on every check in the window is bad.
//!
//! A change rule is taken as it stands where `noise` is what usually fails. A slice that has learned a higher rate needs
//! more bad checks in a row.
//!
//! A rule about latency or a burn rate is such a rule too (`slow`). A certificate is shown by the next check of its
//! host; what is missing is so at the latest when its time has passed after a check that took as long as it may.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::model::{Bad, LabelName, Probe, Probes, Rule, RuleKind, Slice};

use super::slices::{PerSlice, Slices};
use super::watch::Kind;
use super::{change, expiry, kind_of};

mod odds;
mod outlook;
mod slow;
mod worst;

pub use outlook::{MONTH, Outlook, PART};

use worst::{Patience, error_rate, in_a_row, longest};

/// The time at the worst, or why the rule would never notice.
type Worst = Result<Duration, String>;

/// What a rule can do for one of its slices, or several that are alike.
#[derive(Clone, PartialEq, Debug)]
pub struct TimeToDetect {
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
pub fn time_to_detect<V>(
    rule: &Rule,
    probes: &Probes,
    cohorts: &BTreeMap<LabelName, V>,
    noise: f64,
) -> Vec<TimeToDetect> {
    let mut times: Vec<TimeToDetect> = Vec::new();
    // `likely` works the outlook out from how many checks a second the slice makes.
    let mut add = |slice: Slice, probes: &[&Probe], worst: Worst, likely: &dyn Fn(f64) -> Outlook| {
        let names = |slice: &Slice| Vec::from_iter(slice.labels.keys().cloned());
        let known = times.iter_mut().find(|known| {
            known.worst == worst
                && known.probes == probes.len()
                && (names(&known.slice) == names(&slice) || slice.probe.is_some())
        });
        match known {
            Some(known) => known.alike += 1,
            None => {
                let outlook = outlook::outlook(probes, likely);
                times.push(TimeToDetect { slice, alike: 1, probes: probes.len(), worst, outlook });
            }
        }
    };
    let per_slice = |per: &[LabelName], add: &mut dyn FnMut(Slice, &[&Probe])| {
        let slices = Slices::new(&rule.over, per, probes);
        for (slice, members) in slices.all().iter().zip(members(&slices, probes).values()) {
            add(slice.clone(), members);
        }
    };
    let covered = probes.iter().filter(|probe| rule.over.covers(probe));
    let patience = Patience::new(probes);
    let failed = |probes: &[&Probe]| patience.judged_within(Some(&Bad::Failed), probes);
    match &rule.kind {
        RuleKind::ErrorRate(rate) => {
            per_slice(&rate.per, &mut |slice, members| {
                let judged = patience.judged_within(Some(&rate.bad), members);
                add(slice, members, error_rate(rate, members, judged), &|often| {
                    outlook::error_rate(rate, often, noise)
                });
            });
        }
        RuleKind::Latency(latency) => {
            let slow = slow::latency(latency);
            per_slice(&latency.per, &mut |slice, members| {
                let worst = error_rate(&slow, members, failed(members));
                add(slice, members, worst, &|often| outlook::latency(latency, often));
            });
        }
        RuleKind::BurnRate(burn) => {
            per_slice(&burn.per, &mut |slice, members| {
                let judged = patience.judged_within(Some(&burn.bad), members);
                let worst = slow::burn_rate(burn, members, judged);
                add(slice, members, worst, &|often| outlook::burn_rate(burn, often, noise));
            });
        }
        RuleKind::Change(change) => {
            let slices = change::slices(rule, probes, cohorts);
            let thresholds = change::thresholds(change, &slices, probes);
            let (count, members) = (slices.all().len(), members(&slices, probes));
            for ((slice, members), &threshold) in slices.all().iter().zip(members.values()).zip(thresholds.values()) {
                let needed = change::evidence::bad_in_a_row(change::baseline::usual(noise), threshold);
                let under_way = members.iter().map(|probe| longest(None, probe)).max().unwrap_or_default();
                let judged = patience.judged_within(Some(&change.bad), members);
                let worst = in_a_row(needed, members, under_way, judged);
                let likely = |often| outlook::change(change, threshold, count, often, noise);
                add(slice.clone(), members, worst, &likely);
            }
        }
        // It judges no probe.
        RuleKind::Offline => {}
        RuleKind::Consecutive(run) => {
            for probe in covered {
                let worst = match probe.interval() {
                    Some(interval) => Ok(interval.saturating_mul(run.count) + failed(&[probe])),
                    None => Err(format!("{} in a row, as its calendar goes", run.count)),
                };
                add(Slice::of(probe), &[probe], worst, &|often| outlook::in_a_row(run.count, often, noise));
            }
        }
        RuleKind::Expiry(_) => {
            for (host, members) in slow::by_host(covered) {
                // The first of them that is made shows it.
                let shown = members.iter().filter_map(|probe| Some(probe.interval()? + longest(None, probe))).min();
                let worst = shown.ok_or_else(|| "with the next check, as the calendar goes".to_owned());
                add(expiry::slice(&host.into()), &members, worst, &outlook::expiry);
            }
        }
        RuleKind::Missing(missing) => {
            for probe in covered {
                // A failure that waits until it is known whose it is has come all the same.
                let worst = Ok(missing.after + longest(None, probe));
                add(Slice::of(probe), &[probe], worst, &|often| outlook::missing(*missing, often));
            }
        }
    }
    for time in &mut times {
        #[expect(clippy::cast_precision_loss, reason = "counts of slices are far below 2^52")]
        let alike = time.alike as f64;
        time.outlook.false_alarms = time.outlook.false_alarms.clone().map(|alarms| alarms * alike);
    }
    times
}

/// Whether a rule is there to tell of failing checks soon, so that a time to detect can be asked of it: one about
/// change, an error rate or failures in a row.
#[must_use]
pub fn is_prompt(rule: &Rule) -> bool {
    kind_of(rule).is_some_and(Kind::is_prompt)
}

/// The chance that an outage that hits each customer with this chance, independently, hits at least one of so many: what
/// a cohort of that many values sees of an outage of a part of all customers.
#[must_use]
pub fn coverage(values: usize, hit: f64) -> f64 {
    1.0 - (1.0 - hit).powi(i32::try_from(values).unwrap_or(i32::MAX))
}

/// The probes of each slice.
fn members<'a>(slices: &Slices, probes: &'a Probes) -> PerSlice<Vec<&'a Probe>> {
    let mut members: PerSlice<Vec<&Probe>> = slices.all().iter().map(|_| Vec::new()).collect();
    for (index, probe) in probes.indexed() {
        for &slice in slices.of(index) {
            members[slice].push(probe);
        }
    }
    members
}
