use std::future::pending;

use tokio::time::sleep;

use super::*;
use crate::daemon::tests::probe;
use crate::model::{Asked, Cadence, Outcome, Phases, Probe};

const NOON: Timestamp = Timestamp::from_millis(1_739_275_200_000);

fn probes(count: usize, interval: Duration) -> Vec<Probe> {
    let numbered = |number: usize| Probe {
        cadence: Cadence::Every(interval),
        timeout: interval,
        ..probe(&format!("probe-{number}"))
    };
    (0..count).map(numbered).collect()
}

fn plan(count: usize, interval_s: u64) -> Plan {
    let probes = probes(count, Duration::from_secs(interval_s));
    Plan {
        schedule: Schedule::new(&probes, NOON),
        probes: probes.iter().map(|probe| probe.id.clone()).collect(),
        location: Location::local(),
        at_once: AT_ONCE,
        grace: Duration::from_secs(5),
    }
}

fn success(probe: ProbeIndex, started: Timestamp) -> CheckResult {
    CheckResult {
        probe: format!("probe-{}", probe.number()).into(),
        location: Location::local(),
        started,
        outcome: Outcome::Success,
        status: Some(200),
        phases: Phases::default(),
        address: None,
        expires: None,
        superseded: false,
        asked: Asked::Turn,
        evidence: None,
    }
}

/// A wall clock that follows tokio's, which the tests drive.
fn clock() -> impl Fn() -> Timestamp + Clone {
    let start = Instant::now();
    move || NOON + start.elapsed()
}

/// Runs the checks for so long and returns everything that came out, up to the end of the loop.
async fn run_for<C, F>(plan: Plan, seconds: u64, check: C) -> Vec<CheckResult>
where
    C: Fn(ProbeIndex, Timestamp) -> F + Send + Sync + 'static,
    F: Future<Output = CheckResult> + Send + 'static,
{
    let (sender, mut receiver) = mpsc::channel(8);
    let stop = CancellationToken::new();
    let check = move |probe, now| {
        let checking = check(probe, now);
        async move { vec![checking.await] }
    };
    let task = tokio::spawn(run(plan, clock(), check, sender, stop.clone()));
    tokio::spawn(async move {
        sleep(Duration::from_secs(seconds)).await;
        stop.cancel();
    });
    let mut results = Vec::new();
    while let Some(result) = receiver.recv().await {
        results.push(result);
    }
    task.await.unwrap();
    results
}

fn count(results: &[CheckResult], outcome: Outcome) -> usize {
    results.iter().filter(|result| result.outcome == outcome).count()
}

#[tokio::test(start_paused = true)]
async fn every_probe_is_checked_once_per_interval_and_starts_on_time() {
    let results = run_for(plan(1_000, 10), 60, |probe, now| async move {
        sleep(Duration::from_millis(80)).await;
        success(probe, now)
    })
    .await;
    assert_eq!(count(&results, Outcome::Success), results.len());
    assert!((5_990..=6_010).contains(&results.len()), "{}", results.len());
    for result in &results {
        let hash = crate::model::id::stable_hash(&[result.probe.as_str()]) % 10_000;
        let late = (result.started.as_millis() - i64::try_from(hash).unwrap()).rem_euclid(10_000);
        assert!(late <= 2, "{late} ms late");
    }
}

#[tokio::test(start_paused = true)]
async fn a_check_longer_than_its_interval_makes_overruns() {
    let results = run_for(plan(1, 10), 65, |probe, now| async move {
        sleep(Duration::from_secs(25)).await;
        success(probe, now)
    })
    .await;
    let shown: Vec<&str> = results.iter().map(|result| result.outcome.as_str()).collect();
    // The last one began in the 61st to 65th second and was given up.
    let expected = ["overrun", "overrun", "success", "overrun", "overrun", "success"];
    assert_eq!(shown[..6], expected);
    assert!(shown[6..].iter().all(|outcome| *outcome == "shutting_down"), "{shown:?}");
}

#[tokio::test(start_paused = true)]
async fn what_would_be_one_too_many_is_an_overrun() {
    let mut plan = plan(10, 10);
    plan.at_once = 4;
    let results = run_for(plan, 10, |_, _| pending()).await;
    assert_eq!(count(&results, Outcome::Void(VoidReason::ShuttingDown)), 4);
    assert_eq!(count(&results, Outcome::Void(VoidReason::Overrun)), 6);
}

#[tokio::test(start_paused = true)]
async fn a_check_that_panics_is_our_own_fault_and_the_probe_goes_on() {
    let results = run_for(plan(1, 10), 40, |probe, now| async move {
        assert!(now.as_millis() % 40_000 >= 10_000, "on purpose");
        success(probe, now)
    })
    .await;
    let shown: Vec<&str> = results.iter().map(|result| result.outcome.as_str()).collect();
    assert_eq!(shown.iter().filter(|outcome| **outcome == "internal").count(), 1, "{shown:?}");
    assert_eq!(shown.iter().filter(|outcome| **outcome == "success").count(), 3, "{shown:?}");
}

#[tokio::test(start_paused = true)]
async fn stopping_lets_checks_end_within_the_grace_and_gives_up_the_rest() {
    let results = run_for(plan(20, 10), 10, |probe, now| async move {
        // Even ones end well within the grace of 5 s after the stop, odd ones never.
        if probe.number().is_multiple_of(2) {
            sleep(Duration::from_secs(4)).await;
        } else {
            pending::<()>().await;
        }
        success(probe, now)
    })
    .await;
    assert_eq!(results.len(), 20);
    assert_eq!(count(&results, Outcome::Success), 10);
    assert_eq!(count(&results, Outcome::Void(VoidReason::ShuttingDown)), 10);
}

#[tokio::test(start_paused = true)]
async fn a_slow_receiver_loses_nothing_and_holds_up_no_start() {
    let (sender, mut receiver) = mpsc::channel(1);
    let stop = CancellationToken::new();
    let check = |probe, now| async move { vec![success(probe, now)] };
    let task = tokio::spawn(run(plan(50, 10), clock(), check, sender, stop.clone()));
    sleep(Duration::from_secs(10)).await;
    stop.cancel();
    let mut results = Vec::new();
    while let Some(result) = receiver.recv().await {
        sleep(Duration::from_millis(300)).await;
        results.push(result);
    }
    task.await.unwrap();
    assert_eq!(results.len(), 50);
    assert!(results.iter().all(|result| result.started <= NOON + Duration::from_secs(10)));
}

#[tokio::test(start_paused = true)]
async fn without_a_receiver_it_returns() {
    let (sender, receiver) = mpsc::channel(1);
    drop(receiver);
    let check = |probe, now| async move { vec![success(probe, now)] };
    run(plan(1, 1), clock(), check, sender, CancellationToken::new()).await;
}

#[tokio::test(start_paused = true)]
async fn a_leap_of_the_clock_brings_no_burst() {
    let steady = clock();
    // After 15 s of real time the wall clock leaps 8 hours.
    let leaping = move || {
        let now = steady();
        if now.since(NOON) > Duration::from_secs(15) { now + Duration::from_hours(8) } else { now }
    };
    let (sender, mut receiver) = mpsc::channel(8);
    let stop = CancellationToken::new();
    let check = |probe, now| async move { vec![success(probe, now)] };
    let task = tokio::spawn(run(plan(100, 10), leaping, check, sender, stop.clone()));
    tokio::spawn(async move {
        sleep(Duration::from_secs(60)).await;
        stop.cancel();
    });
    let mut per_second = std::collections::BTreeMap::new();
    while let Some(result) = receiver.recv().await {
        *per_second.entry(result.started.as_millis() / 1_000).or_insert(0) += 1;
    }
    task.await.unwrap();
    assert!(per_second.values().all(|count| *count < 30), "{per_second:?}");
    assert!((500..=610).contains(&per_second.values().sum::<i32>()), "{per_second:?}");
}
