//! A probe's turn: one check, or one to each address of its host, all at once.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::retries;
use crate::model::{CheckResult, Probe, ProbeIndex, Timestamp};
use crate::probe::Prober;

/// Checks the probe of this index, with all tries: one result, or with `each_address` one for each address, in the
/// order of the addresses. All began when the turn did. Where the addresses cannot be found, one check says why.
///
/// The arguments that are not named here are those of [`retries::check`].
pub async fn check<N>(
    prober: &Prober,
    (index, probe): (ProbeIndex, &Probe),
    started: Timestamp,
    next_turn: impl Fn() -> Option<Timestamp>,
    now: N,
    superseded: &mpsc::Sender<CheckResult>,
    stop: &CancellationToken,
) -> Vec<CheckResult>
where
    N: Fn() -> Timestamp,
{
    let found = if probe.resolve.each_address { prober.addresses(index).await } else { None };
    let (next_turn, now) = (&next_turn, &now);
    let Some((addresses, spent)) = found else {
        let ask = |began, limit| prober.check_within(index, began, limit);
        return vec![retries::check(probe, started, next_turn, now, ask, superseded, stop).await];
    };
    join_all(addresses.into_iter().map(|address| {
        let ask = move |began, limit| {
            // Finding the addresses was part of the first try.
            let spent = if began == started { spent } else { Duration::ZERO };
            prober.check_address(index, began, limit, address, spent)
        };
        retries::check(probe, started, next_turn, now, ask, superseded, stop)
    }))
    .await
}
