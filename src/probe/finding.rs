//! What a check came to, and the result that is kept of it.

use std::net::IpAddr;

use super::evidence;
use crate::model::{
    Asked, CheckResult, Evidence, Location, Outcome, Phases, ProbeId, Secrets, Timestamp, VoidReason,
};

/// What a finished check came to.
pub(super) struct Finding {
    pub(super) outcome: Outcome,
    pub(super) status: Option<u16>,
    pub(super) address: Option<IpAddr>,
    /// When the certificate that was shown last runs out.
    pub(super) expires: Option<Timestamp>,
    pub(super) evidence: Option<Box<Evidence>>,
}

/// Why a check could not be made; our own fault, never the service's.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Internal(pub(super) String);

/// The check that a result is of.
pub(super) struct Made<'a> {
    pub(super) probe: &'a ProbeId,
    pub(super) location: &'a Location,
    pub(super) started: Timestamp,
    pub(super) phases: Phases,
}

impl Finding {
    /// The result of this check.
    pub(super) fn result(self, made: &Made<'_>) -> CheckResult {
        CheckResult {
            probe: made.probe.clone(),
            location: made.location.clone(),
            started: made.started,
            outcome: self.outcome,
            status: self.status,
            phases: made.phases,
            address: self.address,
            expires: self.expires,
            superseded: false,
            asked: Asked::Turn,
            evidence: self.evidence,
        }
    }
}

impl Internal {
    /// The void result of this check. It says why, without secrets, and so does the log.
    pub(super) fn result(&self, made: &Made<'_>, request: &str, secrets: &Secrets) -> CheckResult {
        let why = evidence::unmade(&self.0, request, secrets);
        tracing::error!(probe = %made.probe, fault = why.fault, "a check could not be made");
        let void = CheckResult::void(made.probe.clone(), made.location.clone(), made.started, VoidReason::Internal);
        CheckResult { phases: made.phases, evidence: Some(why), ..void }
    }
}
