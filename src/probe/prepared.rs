//! A probe that is ready to be checked again and again: what its kind prepared, behind one trait, and one check of it.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::finding::{Finding, Internal, Made};
use super::overrides::{OVERRIDES, Overrides};
use super::stopwatch::Trace;
use crate::inbox::Inbox;
use crate::model::{CheckResult, Condition, Location, Probe, ProbeId, Proxy, Resolve, Secrets, Timestamp};

/// What a kind has prepared of one probe. Most kinds are a `Question`, which has this; one that takes another road
/// than `question::check` has it by itself.
pub(super) trait PreparedKind: Send + Sync {
    /// Makes one check, within its limit of time.
    ///
    /// The future stands in a place of its own: as large as this kind needs, not as the largest of all does, and moved
    /// as a pointer by all that wraps it.
    fn check<'a>(&'a self, terms: Terms<'a>) -> BoxFuture<'a, Result<Finding, Internal>>;
}

/// What one check is given beside what its kind has prepared.
#[derive(Clone, Copy)]
pub(super) struct Terms<'a> {
    /// The question in one line, for evidence.
    pub(super) request: &'a str,
    /// What must hold of the answer.
    pub(super) expect: &'a [Condition],
    /// How long the check may take.
    pub(super) limit: Duration,
    pub(super) trace: &'a Arc<Trace>,
    pub(super) secrets: &'a Secrets,
    /// Where calls and mails come in, if anything listens for them.
    pub(super) inbox: Option<&'a Inbox>,
}

/// What all checks of one configuration are made with.
pub(super) struct Surroundings {
    pub(super) location: Location,
    pub(super) secrets: Secrets,
    pub(super) inbox: Option<Inbox>,
}

/// A probe that is ready to be checked.
pub(super) struct PreparedProbe {
    id: ProbeId,
    request: String,
    expect: Arc<[Condition]>,
    /// In a box, so that a probe takes the room of its own kind.
    kind: Box<dyn PreparedKind>,
    pub(super) timeout: Duration,
    /// The host that is asked.
    pub(super) host: Arc<str>,
    pub(super) resolve: Resolve,
    pub(super) proxy: Option<Arc<Proxy>>,
}

impl PreparedProbe {
    /// The probe, with what its kind has prepared of it.
    pub(super) fn new(probe: &Probe, kind: Box<dyn PreparedKind>) -> Self {
        Self {
            id: probe.id.clone(),
            request: probe.kind.request(),
            expect: probe.expect.clone(),
            kind,
            timeout: probe.timeout,
            host: probe.kind.host().trim_matches(['[', ']']).into(),
            resolve: probe.resolve,
            proxy: probe.proxy.clone(),
        }
    }

    /// Makes one check, within the probe's timeout or this time, whichever is shorter.
    pub(super) async fn check(
        &self,
        around: &Surroundings,
        started: Timestamp,
        limit: Duration,
        overrides: Overrides,
    ) -> CheckResult {
        let trace = Trace::start();
        let terms = Terms {
            request: &self.request,
            expect: &self.expect,
            limit: self.timeout.min(limit),
            trace: &trace,
            secrets: &around.secrets,
            inbox: around.inbox.as_ref(),
        };
        let asking = OVERRIDES.scope(overrides, self.kind.check(terms));
        let asked = AssertUnwindSafe(asking).catch_unwind().await;
        let found = asked.unwrap_or_else(|_| Err(Internal("the check panicked".into())));
        let made = Made { probe: &self.id, location: &around.location, started, phases: trace.phases() };
        match found {
            Ok(finding) => finding.result(&made),
            Err(fault) => fault.result(&made, &self.request, &around.secrets),
        }
    }
}
