//! Checks that are under way: their tries, the pauses between them, and how they end.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::Duration;

use crate::config::Config;
use crate::model::{Again, CheckResult, PerProbe, ProbeIndex, Timestamp, VoidReason};

/// How long checks of a config that was replaced may go on, as in the daemon.
const LAST_MOMENTS: Duration = Duration::from_secs(10);

/// The checks that are under way. Times are true ones.
pub(super) struct UnderWay {
    /// The probe, by the time at which its try ends or the next one begins. There is one for each check.
    ends: BinaryHeap<Reverse<(Timestamp, ProbeIndex)>>,
    checks: PerProbe<Option<Check>>,
    /// What checks of configs before come to, by when they end and how many there were.
    left: BTreeMap<(Timestamp, u64), CheckResult>,
    /// How many checks were left in all.
    count: u64,
}

/// A check that is under way.
struct Check {
    /// What its last try comes to.
    result: CheckResult,
    /// When that began.
    began: Timestamp,
    /// How long it may take.
    limit: Duration,
    /// How many tries there were, that one included.
    attempt: u32,
    /// How long the next try may take, which begins next; nothing while the last one goes on.
    next: Option<Duration>,
}

/// How a check goes on.
pub(super) enum Step {
    /// It has ended.
    Ended(ProbeIndex, CheckResult),
    /// It is retried.
    Again {
        /// Which probe.
        probe: ProbeIndex,
        /// What the try before came to.
        before: CheckResult,
        /// How long the next one may take.
        limit: Duration,
        /// Its number, from 1 on.
        attempt: u32,
    },
    /// One of a config before has ended.
    Left(CheckResult),
}

impl UnderWay {
    /// Nothing is under way.
    pub(super) fn new(config: &Config) -> Self {
        let checks = config.probes.iter().map(|_| None).collect();
        Self { ends: BinaryHeap::new(), checks, left: BTreeMap::new(), count: 0 }
    }

    /// When something ends or begins next.
    pub(super) fn next(&self) -> Option<Timestamp> {
        let ended = self.ends.peek().map(|Reverse((at, _))| *at);
        ended.into_iter().chain(self.left.keys().next().map(|(at, _)| *at)).min()
    }

    /// A try begins `now`, comes to this, and may take so long.
    pub(super) fn begin(
        &mut self,
        probe: ProbeIndex,
        result: CheckResult,
        now: Timestamp,
        limit: Duration,
        attempt: u32,
    ) {
        self.ends.push(Reverse((now + result.phases.total, probe)));
        self.checks[probe] = Some(Check { result, began: now, limit, attempt, next: None });
    }

    /// What was next has come. `left` is how long it is until the next turn of a probe.
    pub(super) fn go_on(
        &mut self,
        now: Timestamp,
        config: &Config,
        left: impl Fn(ProbeIndex) -> Option<Duration>,
    ) -> Option<Step> {
        if let Some(entry) = self.left.first_entry().filter(|entry| entry.key().0 <= now) {
            return Some(Step::Left(entry.remove()));
        }
        let Reverse((_, probe)) = self.ends.pop()?;
        let (place, asked) = (&mut self.checks[probe], &config.probes[probe]);
        let mut check = place.take()?;
        if let Some(limit) = check.next {
            // As the daemon does: what was retried is handed on when the next try begins.
            let before = CheckResult { superseded: true, ..check.result };
            return Some(Step::Again { probe, before, limit, attempt: check.attempt + 1 });
        }
        let again = check
            .result
            .outcome
            .failure()
            .map(|_| asked.retry.again(check.attempt, check.result.outcome, asked.timeout, left(probe)));
        if let Some(Again::Yes { after, timeout }) = again {
            check.next = Some(timeout);
            *place = Some(check);
            self.ends.push(Reverse((now + after, probe)));
            return None;
        }
        Some(Step::Ended(probe, check.result))
    }

    /// The config is replaced by the next: what is under way may end within moments, and is not retried. Returns
    /// what ends at once: checks that waited for their next try.
    pub(super) fn leave(&mut self, now: Timestamp, config: &Config, next: &Config) -> Vec<CheckResult> {
        let mut pausing = Vec::new();
        for Reverse((at, probe)) in std::mem::take(&mut self.ends).into_sorted_vec().into_iter().rev() {
            let Some(check) = self.checks[probe].take() else { continue };
            if check.next.is_some() {
                pausing.push(check.result);
                continue;
            }
            let end = now + LAST_MOMENTS;
            let result = if at <= end {
                check.result
            } else {
                let (id, location) = (config.probes[probe].id.clone(), config.location.clone());
                CheckResult::void(id, location, check.result.started, VoidReason::ShuttingDown)
            };
            self.count += 1;
            self.left.insert((at.min(end), self.count), result);
        }
        self.checks = next.probes.iter().map(|_| None).collect();
        pausing
    }

    /// The process was stopped until now: what has ended meanwhile is found now. `late` says what becomes of a try that
    /// took so long in all.
    pub(super) fn oversleep(
        &mut self,
        now: Timestamp,
        late: impl Fn(ProbeIndex, CheckResult, Duration, Duration) -> CheckResult,
    ) {
        for Reverse((at, probe)) in std::mem::take(&mut self.ends).into_sorted_vec() {
            if at < now
                && let Some(check) = self.checks[probe].take_if(|check| check.next.is_none())
            {
                let result = late(probe, check.result, now.since(check.began), check.limit);
                self.checks[probe] = Some(Check { result, ..check });
            }
            self.ends.push(Reverse((at.max(now), probe)));
        }
        for ((at, number), mut result) in std::mem::take(&mut self.left) {
            result.phases.total += now.since(at);
            self.left.insert((at.max(now), number), result);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{FailureClass, Outcome, Retry};

    const NOON: Timestamp = Timestamp::from_millis(1_739_275_200_000);

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    fn config() -> Config {
        let mut probe = crate::model::tests::probe("home");
        probe.retry = Retry::default();
        Config { probes: vec![probe].into(), ..crate::config::tests::empty() }
    }

    fn result(outcome: Outcome, total: Duration) -> CheckResult {
        let mut result = CheckResult::void("home".into(), config().location, NOON, VoidReason::Internal);
        result.outcome = outcome;
        result.phases.total = total;
        result
    }

    /// A check that takes so long, in the moment two seconds after its beginning.
    fn taking(outcome: Outcome, total: Duration) -> (UnderWay, Timestamp) {
        let mut under_way = UnderWay::new(&config());
        under_way.begin(ProbeIndex::nth(0), result(outcome, total), NOON, seconds(60), 1);
        (under_way, NOON + seconds(2))
    }

    fn left(under_way: &mut UnderWay, at: Timestamp) -> Outcome {
        match under_way.go_on(at, &config(), |_| None) {
            Some(Step::Left(result)) => result.outcome,
            _ => panic!("no check was left"),
        }
    }

    #[test]
    fn a_check_of_a_config_before_ends_by_itself_or_is_not_measured() {
        let (mut soon, now) = taking(Outcome::Success, seconds(5));
        assert!(soon.leave(now, &config(), &config()).is_empty());
        assert_eq!(soon.next(), Some(NOON + seconds(5)));
        assert_eq!(left(&mut soon, NOON + seconds(5)), Outcome::Success);
        let (mut late, now) = taking(Outcome::Success, seconds(30));
        assert!(late.leave(now, &config(), &config()).is_empty());
        assert_eq!(late.next(), Some(now + LAST_MOMENTS));
        assert_eq!(left(&mut late, now + LAST_MOMENTS), Outcome::Void(VoidReason::ShuttingDown));
        assert_eq!(late.next(), None);
    }

    #[test]
    fn a_check_that_waits_for_its_next_try_has_ended_when_its_config_has() {
        let failure = Outcome::Failure(FailureClass::Connect);
        let (mut under_way, now) = taking(failure, seconds(1));
        assert!(under_way.go_on(now, &config(), |_| None).is_none(), "it is retried, later");
        let ended = under_way.leave(now, &config(), &config());
        assert_eq!(
            ended.iter().map(|result| (result.outcome, result.superseded)).collect::<Vec<_>>(),
            [(failure, false)]
        );
        assert_eq!(under_way.next(), None);
    }

    #[test]
    fn what_has_ended_while_the_process_was_stopped_is_found_when_it_goes_on() {
        let (mut under_way, _) = taking(Outcome::Success, seconds(5));
        let now = NOON + seconds(40);
        under_way.oversleep(now, |_, mut result, total, limit| {
            assert_eq!((total, limit), (seconds(40), seconds(60)));
            result.phases.total = total;
            result
        });
        assert_eq!(under_way.next(), Some(now));
        let (mut going_on, _) = taking(Outcome::Success, seconds(50));
        going_on.oversleep(now, |_, _, _, _| panic!("it has not ended"));
        assert_eq!(going_on.next(), Some(NOON + seconds(50)));
    }
}
