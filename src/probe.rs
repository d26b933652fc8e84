//! Floor 2: makes checks. One file per kind of probe.
//!
//! What can be done once per configuration is done in [`Prober::new`]: TLS configurations and clients (one per
//! distinct set of TLS options), request headers, which facts the expectations need. A check then costs a
//! connection, a handshake and a request.
//!
//! How the phases are measured: reqwest polls its resolver, its connector and the TLS handshake within the task
//! of the check as long as connections are not pooled, so a task-local `stopwatch` is there for the hooks of
//! `connect` and `tls` to mark where the time goes.

mod dual_stack;
mod broken;
mod classify;
mod connect;
mod overrides;
mod cookies;
mod dial;
mod download;
mod dns;
mod dns_fault;
mod evidence;
mod exec;
mod expect;
mod expiry;
pub(crate) mod flow;
mod question;
mod heartbeat;
mod git;
mod group;
mod tls;
mod grpc;
mod http;
mod icmp;
mod imap;
mod json;
mod lfs;
mod lines;
mod mail;
mod mail_route;
mod shared;
mod smtp;
mod ssh;
mod byte_limit;
mod refused;
mod route;
mod scarce;
mod stopwatch;
mod tcp;
mod tls_config;
mod tunnel;
mod websocket;
pub mod wire;

use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::inbox::Inbox;
use crate::model::{
    CheckResult, Condition, Evidence, IpChoice, Location, Outcome, PerProbe, Probe, ProbeId, ProbeIndex, ProbeKind,
    Proxy, Resolve, Secrets, Timestamp, VoidReason,
};
use connect::Resolver;
use overrides::{OVERRIDES, Overrides};
use shared::Shared;
use stopwatch::Trace;

pub use heartbeat::heartbeat;
pub use tls_config::Roots;

/// Why a probe cannot be asked at all: a fault of its configuration or of this machine.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("probe {probe}: {fault}")]
pub struct ProbeFault {
    /// Which probe.
    pub probe: ProbeId,
    /// What is wrong.
    pub fault: String,
}

/// At most so many addresses of a host are asked by one check.
pub const MOST_ADDRESSES: usize = 16;

/// Makes the checks of one configuration.
pub struct Prober {
    probes: PerProbe<Prepared>,
    location: Location,
    secrets: Secrets,
    /// None where no probe asks for a name.
    resolver: Option<Arc<Resolver>>,
    inbox: Option<Inbox>,
}

struct Prepared {
    id: ProbeId,
    request: String,
    timeout: Duration,
    expect: Arc<[Condition]>,
    kind: PreparedKind,
    /// The host that is asked.
    host: Arc<str>,
    resolve: Resolve,
    proxy: Option<Arc<Proxy>>,
}

/// In boxes, so that a probe takes the room of its own kind.
enum PreparedKind {
    Flow(Box<flow::FlowProbe>),
    /// Nothing is asked.
    Heartbeat,
    Http(Box<http::HttpProbe>),
    Git(Box<git::GitProbe>),
    Lfs(Box<lfs::LfsProbe>),
    Ssh(Box<ssh::SshProbe>),
    Tcp(Box<tcp::TcpProbe>),
    Tls(Box<tls::TlsProbe>),
    Dns(Box<dns::DnsProbe>),
    Icmp(Box<icmp::IcmpProbe>),
    Exec(Box<exec::ExecProbe>),
    Smtp(Box<smtp::SmtpProbe>),
    Imap(Box<imap::ImapProbe>),
    Mail(Box<mail::MailProbe>),
    Grpc(Box<grpc::GrpcProbe>),
    Websocket(Box<websocket::WebsocketProbe>),
}

/// What a finished check came to.
struct Finding {
    outcome: Outcome,
    status: Option<u16>,
    address: Option<IpAddr>,
    /// When the certificate that was shown last runs out.
    expires: Option<Timestamp>,
    evidence: Option<Box<Evidence>>,
}

/// Why a check could not be made; our own fault, never the service's.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Internal(String);

impl Prober {
    /// Prepares all probes of a configuration.
    ///
    /// # Errors
    /// When certificates or keys of a probe cannot be read, or a client cannot be built.
    pub fn new(probes: &[Probe], location: Location, secrets: Secrets, roots: &Roots) -> Result<Self, ProbeFault> {
        let mut shared = Shared::new(roots);
        let prepared = probes.iter().map(|probe| {
            let kind = PreparedKind::new(probe, &mut shared)
                .map_err(|fault| ProbeFault { probe: probe.id.clone(), fault })?;
            let (id, expect) = (probe.id.clone(), probe.expect.clone());
            Ok(Prepared {
                id,
                request: probe.kind.request(),
                timeout: probe.timeout,
                expect,
                kind,
                host: probe.kind.host().trim_matches(['[', ']']).into(),
                resolve: probe.resolve,
                proxy: probe.proxy.clone(),
            })
        });
        let prepared = prepared.collect::<Result<PerProbe<Prepared>, ProbeFault>>()?;
        Ok(Self { probes: prepared, location, secrets, resolver: shared.resolver_made(), inbox: None })
    }

    /// Flows that wait for calls get them from here; without an inbox such a flow is void.
    #[must_use]
    pub fn with_inbox(self, inbox: Inbox) -> Self {
        Self { inbox: Some(inbox), ..self }
    }

    /// The indices of the probes, in the order in which they were given.
    pub fn probes(&self) -> impl Iterator<Item = ProbeIndex> {
        self.probes.indexed().map(|(index, _)| index)
    }

    /// Asks the probe of this index once.
    ///
    /// A failed check is a result like any other; where Tripline itself fails, the result is void and the log
    /// says why, as does its evidence. Ends within the probe's timeout.
    pub async fn check(&self, probe: ProbeIndex, started: Timestamp) -> CheckResult {
        self.check_within(probe, started, Duration::MAX).await
    }

    /// As [`check`](Self::check), within the probe's timeout or this time, whichever is shorter.
    pub async fn check_within(&self, probe: ProbeIndex, started: Timestamp, limit: Duration) -> CheckResult {
        let prepared = &self.probes[probe];
        let overrides = |family| Overrides { family, proxy: prepared.proxy.clone(), address: None };
        if prepared.resolve.ip != IpChoice::Both {
            return self.check_on(prepared, started, limit, overrides(None)).await;
        }
        let by_v4 = self.check_on(prepared, started, limit, overrides(Some(IpChoice::V4)));
        let by_v6 = self.check_on(prepared, started, limit, overrides(Some(IpChoice::V6)));
        let (by_v4, by_v6) = tokio::join!(by_v4, by_v6);
        dual_stack::one_of(by_v4, by_v6)
    }

    /// The addresses of the host of a probe, each of which is to be asked by itself, at most [`MOST_ADDRESSES`] in their
    /// order, and how long finding them took, which is at most half of the probe's timeout. `None` where they cannot be
    /// found.
    pub async fn addresses(&self, probe: ProbeIndex) -> Option<(Vec<IpAddr>, Duration)> {
        let (prepared, resolver) = (&self.probes[probe], self.resolver.as_ref()?);
        let begun = Instant::now();
        if let Ok(literal) = prepared.host.parse() {
            return Some((vec![literal], Duration::ZERO));
        }
        let lookup = resolver.lookup(&prepared.host, prepared.resolve.ip, prepared.resolve.server);
        let mut found = tokio::time::timeout(prepared.timeout / 2, lookup).await.ok()?.ok()?;
        found.sort();
        found.dedup();
        found.truncate(MOST_ADDRESSES);
        Some((found, begun.elapsed()))
    }

    /// As [`check_within`](Self::check_within), at this one of the host's addresses, finding which took so long of the
    /// probe's time. What the protocol says of the host (SNI, Host) stays.
    pub async fn check_address(
        &self,
        probe: ProbeIndex,
        started: Timestamp,
        limit: Duration,
        address: IpAddr,
        spent: Duration,
    ) -> CheckResult {
        let prepared = &self.probes[probe];
        let limit = limit.min(prepared.timeout).saturating_sub(spent);
        let overrides = Overrides { address: Some((prepared.host.clone(), address)), ..Overrides::default() };
        let mut result = self.check_on(prepared, started, limit, overrides).await;
        result.address = Some(address);
        if !spent.is_zero() {
            result.phases.dns = Some(result.phases.dns.unwrap_or_default() + spent);
            result.phases.total += spent;
        }
        result
    }

    async fn check_on(
        &self,
        prepared: &Prepared,
        started: Timestamp,
        limit: Duration,
        overrides: Overrides,
    ) -> CheckResult {
        let trace = Trace::start();
        let asking = OVERRIDES.scope(overrides, prepared.ask(limit, &trace, &self.secrets, self.inbox.as_ref()));
        let asked = AssertUnwindSafe(asking).catch_unwind().await;
        let found = asked.unwrap_or_else(|_| Err(Internal("the check panicked".into())));
        match found {
            Ok(finding) => CheckResult {
                probe: prepared.id.clone(),
                location: self.location.clone(),
                started,
                outcome: finding.outcome,
                status: finding.status,
                phases: trace.phases(),
                address: finding.address,
                expires: finding.expires,
                superseded: false,
                evidence: finding.evidence,
            },
            Err(fault) => {
                let why = evidence::unmade(&fault.to_string(), &prepared.request, &self.secrets);
                tracing::error!(probe = %prepared.id, fault = why.fault, "a check could not be made");
                let void =
                    CheckResult::void(prepared.id.clone(), self.location.clone(), started, VoidReason::Internal);
                CheckResult { phases: trace.phases(), evidence: Some(why), ..void }
            }
        }
    }
}

impl PreparedKind {
    fn new(probe: &Probe, shared: &mut Shared) -> Result<Self, String> {
        let (resolve, request) = (probe.resolve, probe.kind.request());
        Ok(match &probe.kind {
            ProbeKind::Flow(target) => {
                Self::Flow(Box::new(flow::FlowProbe::new(target, resolve, &probe.expect, shared)?))
            }
            ProbeKind::Heartbeat(_) => Self::Heartbeat,
            ProbeKind::Http(target) => {
                let clients = shared.clients(target)?;
                Self::Http(Box::new(http::HttpProbe::new(target, resolve, &probe.expect, clients)?))
            }
            ProbeKind::Git(target) => {
                Self::Git(Box::new(git::GitProbe::new(target, resolve, &probe.expect, request, shared)?))
            }
            ProbeKind::Lfs(target) => Self::Lfs(Box::new(lfs::LfsProbe::new(target, resolve, request, shared)?)),
            ProbeKind::Ssh(target) => Self::Ssh(Box::new(ssh::SshProbe::new(target, resolve, request, shared)?)),
            ProbeKind::Tcp(target) => {
                Self::Tcp(Box::new(tcp::TcpProbe::new(target, resolve, &probe.expect, request, shared)?))
            }
            ProbeKind::Tls(target) => Self::Tls(Box::new(tls::TlsProbe::new(target, resolve, request, shared)?)),
            ProbeKind::Icmp(target) => {
                Self::Icmp(Box::new(icmp::IcmpProbe::new(target, resolve, probe.timeout, request, shared)?))
            }
            ProbeKind::Dns(target) => {
                Self::Dns(Box::new(dns::DnsProbe::new(target, resolve, &probe.expect, request, shared)?))
            }
            ProbeKind::Exec(target) => {
                Self::Exec(Box::new(exec::ExecProbe::new(target, request, shared.commands(), probe.timeout)))
            }
            ProbeKind::Smtp(target) => {
                Self::Smtp(Box::new(smtp::SmtpProbe::new(target, resolve, request, &probe.expect, shared)?))
            }
            ProbeKind::Imap(target) => Self::Imap(Box::new(imap::ImapProbe::new(target, resolve, request, shared)?)),
            ProbeKind::Mail(target) => {
                let (id, timeout) = (&probe.id, probe.timeout);
                Self::Mail(Box::new(mail::MailProbe::new(target, id, timeout, resolve, request, shared)?))
            }
            ProbeKind::Grpc(target) => {
                Self::Grpc(Box::new(grpc::GrpcProbe::new(target, resolve, request, &probe.expect, shared)?))
            }
            ProbeKind::Websocket(target) => {
                let expect = &probe.expect;
                Self::Websocket(Box::new(websocket::WebsocketProbe::new(target, resolve, request, expect, shared)?))
            }
        })
    }
}

impl Prepared {
    /// The check by its kind, in a place of its own: as large as this kind needs, not as the largest of all does, and
    /// moved as a pointer by all that wraps it.
    fn ask<'a>(
        &'a self,
        limit: Duration,
        trace: &'a Arc<Trace>,
        secrets: &'a Secrets,
        inbox: Option<&'a Inbox>,
    ) -> BoxFuture<'a, Result<Finding, Internal>> {
        let limit = self.timeout.min(limit);
        match &self.kind {
            PreparedKind::Flow(flow) => Box::pin(flow.check(limit, trace, secrets, inbox)),
            PreparedKind::Heartbeat => {
                Box::pin(std::future::ready(Err(Internal("a heartbeat is listened for, not asked".into()))))
            }
            PreparedKind::Http(http) => Box::pin(http.check(limit, trace, secrets)),
            PreparedKind::Lfs(lfs) => Box::pin(question::check(&**lfs, &self.expect, limit, trace, secrets)),
            PreparedKind::Ssh(ssh) => Box::pin(question::check(&**ssh, &self.expect, limit, trace, secrets)),
            PreparedKind::Git(git) => Box::pin(question::check(&**git, &self.expect, limit, trace, secrets)),
            PreparedKind::Tcp(tcp) => Box::pin(question::check(&**tcp, &self.expect, limit, trace, secrets)),
            PreparedKind::Icmp(icmp) => Box::pin(question::check(&**icmp, &self.expect, limit, trace, secrets)),
            PreparedKind::Dns(dns) => Box::pin(question::check(&**dns, &self.expect, limit, trace, secrets)),
            PreparedKind::Tls(tls) => Box::pin(question::check(&**tls, &self.expect, limit, trace, secrets)),
            PreparedKind::Exec(exec) => Box::pin(question::check(&**exec, &self.expect, limit, trace, secrets)),
            PreparedKind::Imap(imap) => Box::pin(question::check(&**imap, &self.expect, limit, trace, secrets)),
            PreparedKind::Mail(mail) => Box::pin(async move {
                question::check(&mail::Round { mail, inbox }, &self.expect, limit, trace, secrets).await
            }),
            PreparedKind::Grpc(grpc) => Box::pin(question::check(&**grpc, &self.expect, limit, trace, secrets)),
            PreparedKind::Websocket(socket) => {
                Box::pin(question::check(&**socket, &self.expect, limit, trace, secrets))
            }
            PreparedKind::Smtp(smtp) => Box::pin(question::check(&**smtp, &self.expect, limit, trace, secrets)),
        }
    }
}
