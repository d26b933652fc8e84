//! Both families: a check by IPv4 and one by IPv6, and what the two come to.

use std::time::Duration;

use super::overrides::Overrides;
use super::prepared::{PreparedProbe, Surroundings};
use crate::model::{CheckResult, IpChoice, Outcome, Timestamp};

/// Makes both checks at the same time.
pub(super) async fn check(
    probe: &PreparedProbe,
    around: &Surroundings,
    started: Timestamp,
    limit: Duration,
) -> CheckResult {
    let by = |family| Overrides { family: Some(family), proxy: probe.proxy.clone(), address: None };
    let by_v4 = probe.check(around, started, limit, by(IpChoice::V4));
    let by_v6 = probe.check(around, started, limit, by(IpChoice::V6));
    let (by_v4, by_v6) = tokio::join!(by_v4, by_v6);
    one_of(by_v4, by_v6)
}

/// The one result of both checks, which were made at the same time. A success is as slow as the slower of the two; a
/// failure names the family, or both.
fn one_of(by_v4: CheckResult, by_v6: CheckResult) -> CheckResult {
    let total = by_v4.phases.total.max(by_v6.phases.total);
    let mut result = match (by_v4.outcome, by_v6.outcome) {
        (Outcome::Void(_), _) => by_v4,
        (_, Outcome::Void(_)) => by_v6,
        (Outcome::Failure(_), Outcome::Failure(_)) => {
            let other = fault(&by_v6).to_owned();
            named(by_v4, "by IPv4: ", &format!("; by IPv6: {other}"))
        }
        (Outcome::Failure(_), Outcome::Success) => named(by_v4, "by IPv4 (by IPv6 it answered): ", ""),
        (Outcome::Success, Outcome::Failure(_)) => named(by_v6, "by IPv6 (by IPv4 it answered): ", ""),
        (Outcome::Success, Outcome::Success) if by_v4.phases.total > by_v6.phases.total => by_v4,
        (Outcome::Success, Outcome::Success) => by_v6,
    };
    result.phases.total = total;
    result
}

fn fault(result: &CheckResult) -> &str {
    result.evidence.as_ref().map_or("it failed", |evidence| &evidence.fault)
}

fn named(mut result: CheckResult, before: &str, after: &str) -> CheckResult {
    if let Some(evidence) = &mut result.evidence {
        evidence.fault = format!("{before}{}{after}", evidence.fault);
    }
    result
}
