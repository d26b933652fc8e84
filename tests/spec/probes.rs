//! Checks: what Tripline sees of a server.

mod addresses;
mod bodies;
mod certificates;
mod downloads;
mod dns;
mod icmp;
mod kinds;
mod exec;
mod failures;
mod flow;
mod grpc;
mod mail;
mod mail_hostile;
mod hostile;
mod git;
mod git_hostile;
mod git_ssh;
mod lfs;
mod lfs_hostile;
mod measured;
mod memory;
mod phases;
mod proxies;
mod redirects;
mod routes;
mod ssh_agent;
mod ssh_hostile;
mod tcp;
mod websocket;
mod written;
mod tls;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tripline::model::kind::http::VARIABLES;
use tripline::model::{
    Cadence, CheckResult, Condition, Evidence, FailureClass, HttpTarget, Labels, Location, Outcome, Probe,
    ProbeIndex, ProbeKind, Resolve, Secrets, Timestamp, TlsOptions,
};
use tripline::probe::{Prober, Roots};

use crate::servers::Authority;

/// A request, and how the way to its server is found.
#[derive(Clone)]
pub(crate) struct Asked {
    pub(crate) http: HttpTarget,
    pub(crate) resolve: Resolve,
}

impl std::ops::Deref for Asked {
    type Target = HttpTarget;

    fn deref(&self) -> &HttpTarget {
        &self.http
    }
}

impl std::ops::DerefMut for Asked {
    fn deref_mut(&mut self) -> &mut HttpTarget {
        &mut self.http
    }
}

/// A GET that waits two seconds, follows five redirects and expects nothing in particular.
pub(crate) fn target(url: &str) -> Asked {
    let http = HttpTarget {
        method: http::Method::GET,
        url: url.parse().unwrap(),
        headers: http::HeaderMap::new(),
        body: Bytes::new(),
        redirects: 5,
        body_cap: 1 << 20,
        download: None,
        tls: Arc::default(),
    };
    Asked { http, resolve: Resolve::default() }
}

pub(crate) fn trusting(authority: &Authority) -> Arc<TlsOptions> {
    Arc::new(TlsOptions { ca: Some(authority.pem.clone().into()), ..TlsOptions::default() })
}

pub(crate) fn probe(target: Asked, timeout: Duration, expect: &[&str]) -> Probe {
    let expect: Vec<Condition> = expect.iter().map(|source| Condition::parse(source, VARIABLES).unwrap()).collect();
    Probe {
        id: "dashboard".into(),
        name: "dashboard".into(),
        component: "website".into(),
        labels: Labels::new(),
        cadence: Cadence::Every(Duration::from_secs(20)),
        timeout,
        retry: tripline::model::Retry::never(),
        role: tripline::model::Role::Service,
        kind: ProbeKind::Http(target.http),
        resolve: target.resolve,
        proxy: None,
        expect: expect.into(),
    }
}

/// The index of the probe in this place of the list that a prober was made of.
pub(crate) fn nth(prober: &Prober, place: usize) -> ProbeIndex {
    prober.probes().nth(place).unwrap()
}

/// One check, with secrets to hide.
pub(crate) async fn check_with(probe: Probe, secrets: Secrets) -> CheckResult {
    let prober = Prober::new(&[probe], Location::local(), secrets, &Roots::load()).unwrap();
    let started = Timestamp::from_millis(1_739_288_460_000);
    let result = prober.check(nth(&prober, 0), started).await;
    assert_eq!((result.started, result.probe.as_str(), result.location.as_str()), (started, "dashboard", "local"));
    result
}

pub(crate) async fn check(target: Asked, expect: &[&str]) -> CheckResult {
    check_with(probe(target, Duration::from_secs(2), expect), Secrets::default()).await
}

pub(crate) async fn get(url: &str) -> CheckResult {
    check(target(url), &[]).await
}

/// The class and the evidence of a failed check.
pub(crate) fn failure(result: &CheckResult) -> (FailureClass, &Evidence) {
    match (result.outcome, &result.evidence) {
        (Outcome::Failure(class), Some(evidence)) => (class, evidence),
        other => panic!("no failure with evidence: {other:?}"),
    }
}

pub(crate) fn class_and_fault(result: &CheckResult) -> (FailureClass, &str) {
    let (class, evidence) = failure(result);
    (class, &evidence.fault)
}

#[tokio::test]
async fn a_check_that_is_under_way_takes_no_more_room_than_its_own_kind_needs() {
    let probe = probe(target("http://127.0.0.1:9/"), Duration::from_secs(2), &[]);
    let prober = Prober::new(&[probe], Location::local(), Secrets::default(), &Roots::load()).unwrap();
    let check = prober.check(nth(&prober, 0), Timestamp::from_millis(0));
    // What is around the check alone: it is moved as a whole into the task that polls it.
    assert!(size_of_val(&check) <= 2048, "{} bytes", size_of_val(&check));
}
