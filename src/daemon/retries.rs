//! Tries: a check that failed for want of a network is retried at once.
//!
//! Whether it is, and how long the next try may take, is decided by [`Retry::again`](crate::model::Retry::again).

#[cfg(test)]
mod tests;

use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::model::{Again, CheckResult, Probe, Timestamp};

/// Makes a check of the probe, and again as long as its retry says so. Returns the result that counts; those before it
/// go to `superseded`, each marked as such, in their order.
///
/// `next_turn` is when the probe is due again, `None` if never; `ask` makes one try, given its start and how long it
/// may take. After `stop` nothing is retried.
pub async fn check<N, A, F>(
    probe: &Probe,
    started: Timestamp,
    next_turn: impl Fn() -> Option<Timestamp>,
    now: N,
    ask: A,
    superseded: &mpsc::Sender<CheckResult>,
    stop: &CancellationToken,
) -> CheckResult
where
    N: Fn() -> Timestamp,
    A: Fn(Timestamp, Duration) -> F,
    F: Future<Output = CheckResult>,
{
    let (mut began, mut limit, mut attempt) = (started, probe.timeout, 1);
    loop {
        let result = ask(began, limit).await;
        if result.outcome.failure().is_none() {
            return result;
        }
        let left = next_turn().map(|next| next.since(now()));
        let (after, timeout) = match probe.retry.again(attempt, result.outcome, probe.timeout, left) {
            Again::Yes { after, timeout } => (after, timeout),
            Again::No { reason } => {
                tracing::trace!(probe = probe.id.as_str(), reason, "not retried");
                return result;
            }
        };
        if stop.run_until_cancelled(tokio::time::sleep(after)).await.is_none() {
            return result;
        }
        tracing::debug!(probe = probe.id.as_str(), outcome = result.outcome.as_str(), "trying again");
        if superseded.send(CheckResult { superseded: true, ..result }).await.is_err() {
            tracing::debug!(probe = probe.id.as_str(), "nobody takes results any more");
        }
        (began, limit, attempt) = (now(), timeout, attempt + 1);
    }
}
