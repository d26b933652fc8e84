//! What came of many runs of one scenario.

use std::time::Duration;

use super::report::{Report, count};

/// Many runs in a few numbers.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Summary {
    /// How many runs there were.
    pub runs: u64,
    /// How many of them met every expectation.
    pub met: u64,
    /// How many checks were made, over all runs.
    pub checks: u64,
    /// How many incidents were opened, over all runs.
    pub incidents: u64,
    /// How many of them were false alarms.
    pub false_alarms: u64,
    /// How many faults no incident was opened for, over all runs.
    pub missed: u64,
    /// How many messages became owed, over all runs.
    pub notifications: u64,
    detected: Vec<Duration>,
    resolved: Vec<Duration>,
}

/// How long something took, over many runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Spread {
    /// In how many runs it came about.
    pub runs: usize,
    /// The shortest.
    pub best: Duration,
    /// Half of the runs took no longer.
    pub median: Duration,
    /// 99 of 100 runs took no longer.
    pub p99: Duration,
    /// The longest.
    pub worst: Duration,
}

impl Summary {
    /// Adds a run.
    pub fn add(&mut self, report: &Report) {
        self.runs += 1;
        self.met += u64::from(report.is_met());
        self.checks += report.counts.checks;
        self.incidents += count(report.incidents.iter());
        self.false_alarms += report.false_alarms;
        self.missed += count(report.missed.iter());
        self.notifications += count(report.notifications.iter());
        self.detected.extend(report.detected);
        self.resolved.extend(report.resolved);
    }

    /// From the first fault's beginning to the first message; nothing when there never was one.
    #[must_use]
    pub fn detected(&self) -> Option<Spread> {
        Spread::of(&self.detected)
    }

    /// From the last fault's end until no incident was open; nothing when that never came about.
    #[must_use]
    pub fn resolved(&self) -> Option<Spread> {
        Spread::of(&self.resolved)
    }
}

impl Spread {
    /// The spread of these; the share `q` of `n` is the one at place `⌈q·n⌉` (the nearest-rank method).
    #[must_use]
    pub fn of(durations: &[Duration]) -> Option<Self> {
        let mut sorted = durations.to_vec();
        sorted.sort_unstable();
        let runs = sorted.len();
        let at = |percent: usize| sorted.get((runs * percent).div_ceil(100).max(1) - 1).copied();
        Some(Self { runs, best: at(0)?, median: at(50)?, p99: at(99)?, worst: at(100)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_read_off_the_sorted_times() {
        let times: Vec<Duration> = (1..=200).rev().map(Duration::from_secs).collect();
        let spread = Spread::of(&times).unwrap();
        let seconds = [spread.best, spread.median, spread.p99, spread.worst].map(|time| time.as_secs());
        assert_eq!(seconds, [1, 100, 198, 200]);
        assert_eq!(Spread::of(&[]), None);
    }
}
