//! The heartbeat kind: what a call, or silence, comes to as a result. Nothing is asked.

use std::time::Duration;

use futures_util::future::BoxFuture;

use super::evidence::{Gathered, evidence};
use super::finding::{Finding, Internal};
use super::prepared::{PreparedKind, Terms};
use crate::model::unit::show_duration;
use crate::model::{
    Asked, CheckResult, FailureClass, HeartbeatTarget, Location, Outcome, Phases, Probe, ProbeKind, Secrets,
    Timestamp,
};
use crate::schedule::beat::Heard;

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
    let (started, outcome, status, fault) = told(heard, target, at);
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

type Told = (Timestamp, Outcome, Option<u16>, Option<String>);

fn told(heard: Heard, target: &HeartbeatTarget, at: Timestamp) -> Told {
    let grace = show_duration(target.grace);
    match heard {
        Heard::Well { started } => (started, Outcome::Success, None, None),
        Heard::Bad { started, code } => {
            let fault = match code {
                Some(code) => format!("the job ended with exit code {code}{}", after(at.since(started))),
                None => format!("the job said that it failed{}", after(at.since(started))),
            };
            (started, Outcome::Failure(FailureClass::ServerError), code.map(u16::from), Some(fault))
        }
        Heard::Stuck { started } => {
            let fault = format!("the job started at {} and did not end within {grace}", started.show());
            (started, Outcome::Failure(FailureClass::Timeout), None, Some(fault))
        }
        Heard::Missing { expected } => {
            let fault = format!("no call came: one was expected at {}, and {grace} later at most", expected.show());
            (at, Outcome::Failure(FailureClass::Missing), None, Some(fault))
        }
    }
}

fn after(took: Duration) -> String {
    if took.is_zero() { String::new() } else { format!(", after {}", show_duration(took)) }
}
