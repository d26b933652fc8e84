//! The heartbeat kind: what a call, or silence, comes to as a result. Nothing is asked.

use futures_util::future::BoxFuture;

use super::evidence::{Gathered, evidence};
use super::finding::{Finding, Internal};
use super::prepared::{PreparedKind, Terms};
use crate::model::{Asked, CheckResult, Location, Phases, Probe, ProbeKind, Secrets, Timestamp};
use crate::schedule::beat::{Heard, Told};

/// A heartbeat as it is prepared: there is nothing to ask, and whoever asks gets no answer.
pub(super) struct HeartbeatProbe;

impl PreparedKind for HeartbeatProbe {
    fn check<'a>(&'a self, _: Terms<'a>) -> BoxFuture<'a, Result<Finding, Internal>> {
        Box::pin(std::future::ready(Err(Internal("a heartbeat is listened for, not asked".into()))))
    }
}

/// The result of a heartbeat: what was heard at this moment, and what the job said beside it. `None` if the probe is
/// none.
#[must_use]
pub fn heartbeat(
    probe: &Probe,
    location: &Location,
    heard: Heard,
    at: Timestamp,
    said: &[u8],
    secrets: &Secrets,
) -> Option<CheckResult> {
    let ProbeKind::Heartbeat(target) = &probe.kind else { return None };
    let Told { started, outcome, status, fault } = heard.told(target.grace, at);
    let kept = fault.map(|fault| {
        let gathered = Gathered {
            request: &probe.kind.request(),
            address: None,
            headers: Vec::new(),
            body: said,
            peer: None,
            redirects: &[],
        };
        evidence(&fault, gathered, secrets)
    });
    Some(CheckResult {
        probe: probe.id.clone(),
        location: location.clone(),
        started,
        outcome,
        status,
        phases: Phases { total: at.since(started), ..Phases::default() },
        address: None,
        expires: None,
        superseded: false,
        asked: Asked::Turn,
        evidence: kept,
    })
}
