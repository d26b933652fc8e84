use std::cell::RefCell;

use tokio::time::{Instant, sleep};

use super::*;
use crate::daemon::tests::probe;
use crate::model::{Asked, FailureClass, Location, Outcome, Phases, Retry};

const NOON: Timestamp = Timestamp::from_millis(1_739_275_200_000);
const REFUSED: Outcome = Outcome::Failure(FailureClass::Connect);

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn result(started: Timestamp, outcome: Outcome, total: Duration) -> CheckResult {
    CheckResult {
        probe: "home".into(),
        location: Location::local(),
        started,
        outcome,
        status: None,
        phases: Phases { total, ..Phases::default() },
        address: None,
        expires: None,
        superseded: false,
        asked: Asked::Turn,
        evidence: None,
    }
}

/// Runs a check whose tries come to these outcomes, each after this long or when its time is up. Returns all results,
/// that which counts last, and when and with what limit each try began.
async fn tried(
    outcomes: &[(Outcome, Duration)],
    retry: Retry,
    next_turn: Option<Duration>,
) -> (Vec<CheckResult>, Vec<(Duration, Duration)>) {
    let start = Instant::now();
    let now = || NOON + start.elapsed();
    let tries = RefCell::new(Vec::new());
    let ask = async |began: Timestamp, limit: Duration| {
        let number = tries.borrow().len();
        tries.borrow_mut().push((began.since(NOON), limit));
        let (outcome, takes) = outcomes[number];
        sleep(takes.min(limit)).await;
        result(began, outcome, takes.min(limit))
    };
    let (sender, mut receiver) = mpsc::channel(8);
    let probe = Probe { retry, ..probe("home") };
    let next = || next_turn.map(|turn| NOON + turn);
    let last = check(&probe, NOON, next, now, ask, &sender, &CancellationToken::new()).await;
    drop(sender);
    let mut results = Vec::new();
    while let Some(result) = receiver.recv().await {
        results.push(result);
    }
    results.push(last);
    (results, tries.into_inner())
}

#[tokio::test(start_paused = true)]
async fn a_refused_connection_is_tried_again_after_the_pause_and_both_tries_are_kept() {
    let outcomes = [(REFUSED, secs(0)), (Outcome::Success, secs(1))];
    let (results, tries) = tried(&outcomes, Retry::default(), Some(secs(20))).await;
    assert_eq!(tries, [(secs(0), secs(10)), (secs(2), secs(10))]);
    let kept: Vec<_> = results.iter().map(|result| (result.outcome, result.superseded)).collect();
    assert_eq!(kept, [(REFUSED, true), (Outcome::Success, false)]);
    assert_eq!(results[1].started, NOON + secs(2));
}

#[tokio::test(start_paused = true)]
async fn the_last_of_several_tries_counts() {
    let retry = Retry { times: 2, ..Retry::default() };
    let (results, _) = tried(&[(REFUSED, secs(1)); 4], retry, Some(secs(60))).await;
    assert_eq!(results.iter().map(|result| result.superseded).collect::<Vec<_>>(), [true, true, false]);
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_believed_the_first_time() {
    let missing = Outcome::Failure(FailureClass::NotFound);
    let (results, _) = tried(&[(missing, secs(1)); 2], Retry::default(), Some(secs(20))).await;
    assert_eq!(results, [result(NOON, missing, secs(1))]);
}

#[tokio::test(start_paused = true)]
async fn all_tries_are_over_before_the_next_turn() {
    let began = Instant::now();
    let timeout = (Outcome::Failure(FailureClass::Timeout), secs(60));
    let (results, tries) = tried(&[timeout; 4], Retry { times: 3, ..Retry::default() }, Some(secs(20))).await;
    assert_eq!(tries, [(secs(0), secs(10)), (secs(12), Duration::from_millis(7_900))]);
    assert_eq!(results.len(), 2, "a third would not fit");
    assert_eq!(began.elapsed(), Duration::from_millis(19_900));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_tried_again_while_we_stop() {
    let stop = CancellationToken::new();
    stop.cancel();
    let (sender, mut receiver) = mpsc::channel(8);
    let probe = Probe { retry: Retry::default(), ..probe("home") };
    let ask = |began, _| std::future::ready(result(began, REFUSED, secs(0)));
    let last = check(&probe, NOON, || None, || NOON, ask, &sender, &stop).await;
    assert_eq!(last, result(NOON, REFUSED, secs(0)), "what was found counts");
    assert!(receiver.try_recv().is_err());
}
