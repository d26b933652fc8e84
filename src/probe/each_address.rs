//! Each address of a host, asked by itself: which there are, and a check at one of them.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::overrides::Overrides;
use super::prepared::{PreparedProbe, Surroundings};
use super::resolver::Resolver;
use crate::model::{CheckResult, Timestamp};

/// At most so many addresses of a host are asked by one check.
pub const MOST_ADDRESSES: usize = 16;

/// The addresses of the host of a probe, at most [`MOST_ADDRESSES`], and how long finding them took, which is at most
/// half of the probe's timeout.
pub(super) async fn addresses(probe: &PreparedProbe, resolver: &Resolver) -> Option<(Vec<IpAddr>, Duration)> {
    let begun = Instant::now();
    if let Ok(literal) = probe.host.parse() {
        return Some((vec![literal], Duration::ZERO));
    }
    let lookup = resolver.lookup(&probe.host, probe.resolve.ip, probe.resolve.server);
    let mut found = tokio::time::timeout(probe.timeout / 2, lookup).await.ok()?.ok()?;
    found.sort();
    found.dedup();
    found.truncate(MOST_ADDRESSES);
    Some((found, begun.elapsed()))
}

/// A check at this address. Finding it took so long of the probe's time.
pub(super) async fn check(
    probe: &PreparedProbe,
    around: &Surroundings,
    started: Timestamp,
    limit: Duration,
    address: IpAddr,
    spent: Duration,
) -> CheckResult {
    let limit = limit.min(probe.timeout).saturating_sub(spent);
    let overrides = Overrides { address: Some((probe.host.clone(), address)), ..Overrides::default() };
    let mut result = probe.check(around, started, limit, overrides).await;
    result.address = Some(address);
    if !spent.is_zero() {
        result.phases.dns = Some(result.phases.dns.unwrap_or_default() + spent);
        result.phases.total += spent;
    }
    result
}
