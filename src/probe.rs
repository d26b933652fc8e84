//! Floor 2: makes checks. One file per kind of probe.
//!
//! What can be done once per configuration is done in [`Prober::new`]: TLS configurations and clients (one per
//! distinct set of TLS options), request headers, which facts the expectations need. A check then costs a
//! connection, a handshake and a request.
//!
//! How the phases are measured: reqwest polls its resolver, its connector and the TLS handshake within the task
//! of the check as long as connections are not pooled, so a task-local `stopwatch` is there for the hooks of
//! `resolver`, `connect` and `tls_config` to mark where the time goes.
//!
//! # Adding a probe kind
//! A kind is named in two places of this room, and in no third: a test holds that.
//! 1. **Its own file**, `probe/KIND.rs`, with a `KindProbe` that holds what can be worked out once:
//!    - `KindProbe::new(target, probe, shared)` prepares it. The target is the kind's own plain data; the probe has the
//!      timeout, the way and the expectations; from `shared` come the resolver, TLS configurations and clients.
//!    - `impl Question for KindProbe` asks once, without a limit of time. `dial` connects, by proxy and address as the
//!      check wants; the phases are entered in the trace as they begin; what is seen is noted in `Seen` at once, for
//!      evidence and expectations. `question::check` does all the rest: the limit, the verdict, the evidence.
//!    - A kind that is asked in another way (steps, redirects, not at all) has `impl PreparedKind` in place of that.
//! 2. **One arm** in `prepared_kind` below, and a `mod` line for it to name. Without the arm the match is not whole, and
//!    the compiler says so.
//!
//! A parser of what the other side says goes to `probe/wire/KIND.rs`, where fuzzing reaches it: pure, over bytes.
//! The rest is on other floors: the target and the `ProbeKind` stand in `model/kind`, the key of the configuration in
//! `config`, and the facts that expectations may name beside it.

// The kinds.
mod dns;
mod exec;
pub(crate) mod flow;
mod git;
mod grpc;
mod heartbeat;
mod http;
mod icmp;
mod imap;
mod lfs;
mod mail;
mod smtp;
mod ssh;
mod tcp;
mod tls;
mod websocket;

// A check, whatever its kind.
mod dual_stack;
mod each_address;
mod finding;
mod overrides;
mod prepared;
mod question;
mod shared;
mod stopwatch;

// The way to a server, and what is said on it.
mod byte_limit;
mod connect;
mod cookies;
mod dial;
mod dns_fault;
mod download;
mod group;
mod lines;
mod mail_route;
mod resolver;
mod route;
mod scarce;
mod tls_config;
mod tunnel;
pub mod wire;

// What an answer is worth, and what is kept of it.
mod broken;
mod classify;
mod evidence;
mod expect;
mod expiry;
mod json;
mod refused;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::inbox::Inbox;
use crate::model::{
    CheckResult, IpChoice, Location, PerProbe, Probe, ProbeId, ProbeIndex, ProbeKind, Secrets, Timestamp,
};
use overrides::Overrides;
use prepared::{PreparedKind, PreparedProbe, Surroundings};
use resolver::Resolver;
use shared::Shared;

pub use each_address::MOST_ADDRESSES;
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

/// Makes the checks of one configuration.
pub struct Prober {
    probes: PerProbe<PreparedProbe>,
    around: Surroundings,
    /// None where no probe asks for a name.
    resolver: Option<Arc<Resolver>>,
}

impl Prober {
    /// Prepares all probes of a configuration.
    ///
    /// # Errors
    /// When certificates or keys of a probe cannot be read, or a client cannot be built.
    pub fn new(probes: &[Probe], location: Location, secrets: Secrets, roots: &Roots) -> Result<Self, ProbeFault> {
        let mut shared = Shared::new(roots);
        let prepared = probes.iter().map(|probe| {
            let kind = prepared_kind(probe, &mut shared);
            let kind = kind.map_err(|fault| ProbeFault { probe: probe.id.clone(), fault })?;
            Ok(PreparedProbe::new(probe, kind))
        });
        let probes = prepared.collect::<Result<PerProbe<PreparedProbe>, ProbeFault>>()?;
        let around = Surroundings { location, secrets, inbox: None };
        Ok(Self { probes, around, resolver: shared.resolver_made() })
    }

    /// Flows that wait for calls get them from here; without an inbox such a flow is void.
    #[must_use]
    pub fn with_inbox(mut self, inbox: Inbox) -> Self {
        self.around.inbox = Some(inbox);
        self
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
        if prepared.resolve.ip == IpChoice::Both {
            return dual_stack::check(prepared, &self.around, started, limit).await;
        }
        let overrides = Overrides { proxy: prepared.proxy.clone(), ..Overrides::default() };
        prepared.check(&self.around, started, limit, overrides).await
    }

    /// The addresses of the host of a probe, each of which is to be asked by itself, at most [`MOST_ADDRESSES`] in their
    /// order, and how long finding them took, which is at most half of the probe's timeout. `None` where they cannot be
    /// found.
    pub async fn addresses(&self, probe: ProbeIndex) -> Option<(Vec<IpAddr>, Duration)> {
        each_address::addresses(&self.probes[probe], self.resolver.as_ref()?).await
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
        each_address::check(&self.probes[probe], &self.around, started, limit, address, spent).await
    }
}

/// What the probe's kind prepares of it: the one place that knows all kinds.
fn prepared_kind(probe: &Probe, shared: &mut Shared) -> Result<Box<dyn PreparedKind>, String> {
    Ok(match &probe.kind {
        ProbeKind::Flow(target) => Box::new(flow::FlowProbe::new(target, probe, shared)?),
        ProbeKind::Heartbeat(_) => Box::new(heartbeat::HeartbeatProbe),
        ProbeKind::Http(target) => Box::new(http::HttpProbe::new(target, probe, shared)?),
        ProbeKind::Git(target) => Box::new(git::GitProbe::new(target, probe, shared)?),
        ProbeKind::Lfs(target) => Box::new(lfs::LfsProbe::new(target, probe, shared)?),
        ProbeKind::Ssh(target) => Box::new(ssh::SshProbe::new(target, probe, shared)?),
        ProbeKind::Tcp(target) => Box::new(tcp::TcpProbe::new(target, probe, shared)?),
        ProbeKind::Tls(target) => Box::new(tls::TlsProbe::new(target, probe, shared)?),
        ProbeKind::Dns(target) => Box::new(dns::DnsProbe::new(target, probe, shared)?),
        ProbeKind::Icmp(target) => Box::new(icmp::IcmpProbe::new(target, probe, shared)?),
        ProbeKind::Exec(target) => Box::new(exec::ExecProbe::new(target, probe, shared)),
        ProbeKind::Smtp(target) => Box::new(smtp::SmtpProbe::new(target, probe, shared)?),
        ProbeKind::Imap(target) => Box::new(imap::ImapProbe::new(target, probe, shared)?),
        ProbeKind::Mail(target) => Box::new(mail::MailProbe::new(target, probe, shared)?),
        ProbeKind::Grpc(target) => Box::new(grpc::GrpcProbe::new(target, probe, shared)?),
        ProbeKind::Websocket(target) => Box::new(websocket::WebsocketProbe::new(target, probe, shared)?),
    })
}
