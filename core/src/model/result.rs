//! Results: what one check found.

use std::net::IpAddr;
use std::time::Duration;

use super::id::{Location, ProbeId};
use super::outcome::Outcome;
use super::unit::Timestamp;

/// What one check found.
#[derive(Clone, PartialEq, Debug)]
pub struct CheckResult {
    /// Which probe asked.
    pub probe: ProbeId,
    /// Where it asked from.
    pub location: Location,
    /// When the check began.
    pub started: Timestamp,
    /// What it came to.
    pub outcome: Outcome,
    /// The protocol's own status number, where there was one (HTTP: 404).
    pub status: Option<u16>,
    /// Where the time went.
    pub phases: Phases,
    /// The address connected to, where there was one; of a check with redirects, the last.
    pub address: Option<IpAddr>,
    /// When the certificate that was shown runs out, where one was.
    pub expires: Option<Timestamp>,
    /// Whether the check was retried at once. The second try counts instead of this one, which is kept and shown,
    /// but says nothing for or against the service.
    pub superseded: bool,
    /// Whether its turn had come, or it was asked for out of turn.
    pub asked: Asked,
    /// Why we say so: of failures, and of checks that could not be made, where only those who wait for the result see it:
    /// the database keeps that of failures.
    pub evidence: Option<Box<Evidence>>,
}

impl CheckResult {
    /// When the check ended: the moment at which it is judged.
    #[must_use]
    pub fn finished(&self) -> Timestamp {
        self.started + self.phases.total
    }

    /// A check that was not made.
    #[must_use]
    pub fn void(probe: ProbeId, location: Location, at: Timestamp, reason: super::VoidReason) -> Self {
        Self {
            probe,
            location,
            started: at,
            outcome: Outcome::Void(reason),
            status: None,
            phases: Phases::default(),
            address: None,
            expires: None,
            superseded: false,
            asked: Asked::Turn,
            evidence: None,
        }
    }
}

/// Why a check was made.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Asked {
    /// Its turn had come.
    Turn,
    /// Out of turn: a recheck.
    Recheck,
}

/// What a recheck is to tell.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Why {
    /// Whether a failure lasts.
    Confirm,
    /// What is failing: the answer is compared with that of others.
    Compare,
}

/// A result, and when it was judged: what was counted then, and in which order, is what a replay counts.
#[derive(Clone, PartialEq, Debug)]
pub struct Judged {
    /// The result.
    pub result: CheckResult,
    /// The wall clock's time of that moment; before the end of the check only where the clock was set back meanwhile.
    pub at: Timestamp,
}

impl Judged {
    /// A result that was judged in the moment in which its check ended.
    #[must_use]
    pub fn at_once(result: CheckResult) -> Self {
        Self { at: result.finished(), result }
    }
}

/// Where the time of a check went. A phase that was not reached, or that the protocol does not have, is `None`.
/// For an HTTP check that followed redirects, each phase is the sum over its hops; for a flow, over its steps.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Phases {
    /// Resolving the name.
    pub dns: Option<Duration>,
    /// Connecting the transport.
    pub connect: Option<Duration>,
    /// The TLS handshake.
    pub tls: Option<Duration>,
    /// From the request to the first byte of the answer.
    pub first_byte: Option<Duration>,
    /// From the first byte to the last.
    pub transfer: Option<Duration>,
    /// From the start of the check to its end.
    pub total: Duration,
}

impl Phases {
    /// How long this phase took, if the check had it.
    #[must_use]
    pub fn of(&self, phase: Phase) -> Option<Duration> {
        match phase {
            Phase::Dns => self.dns,
            Phase::Connect => self.connect,
            Phase::Tls => self.tls,
            Phase::FirstByte => self.first_byte,
            Phase::Transfer => self.transfer,
            Phase::Total => Some(self.total),
        }
    }

    /// Every phase in the order in which a check goes through them, the whole last, and how long it took if the check
    /// had it.
    pub fn iter(&self) -> impl Iterator<Item = (Phase, Option<Duration>)> {
        Phase::ALL.into_iter().map(|phase| (phase, self.of(phase)))
    }
}

/// A part of a check's time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    /// Resolving the name.
    Dns,
    /// Connecting the transport.
    Connect,
    /// The TLS handshake.
    Tls,
    /// From the request to the first byte of the answer.
    FirstByte,
    /// From the first byte to the last.
    Transfer,
    /// The whole check.
    Total,
}

impl Phase {
    /// All of them, in the order in which a check goes through them.
    pub const ALL: [Self; 6] = [Self::Dns, Self::Connect, Self::Tls, Self::FirstByte, Self::Transfer, Self::Total];

    /// The name in configs and conditions.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::FirstByte => "first_byte",
            Self::Transfer => "transfer",
            Self::Total => "total",
        }
    }
}

/// Why a check counts as failed: what a person wants to see at 3 a.m. Holds no secrets.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Evidence {
    /// The fault in one line: `expected status == 200, status was 404`.
    pub fault: String,
    /// The request: `GET https://forge.example/acme/`.
    pub request: String,
    /// The address connected to.
    pub address: Option<IpAddr>,
    /// The answer's headers, in order, as received; secret ones are named but hidden.
    pub headers: Vec<(String, String)>,
    /// The first 8 KiB of the answer's body; bytes that are no UTF-8 are replaced.
    pub body: String,
    /// The certificate that the server showed.
    pub certificate: Option<PeerCertificate>,
    /// URLs that redirected, in order.
    pub redirects: Vec<String>,
}

/// How much of a failed answer's body is kept as evidence, in bytes.
pub const EVIDENCE_BODY_CAP: usize = 8 * 1024;

/// The certificate that a server showed, and what we made of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PeerCertificate {
    /// Its subject: `CN=forge.example`.
    pub subject: String,
    /// Its issuer.
    pub issuer: String,
    /// When it runs out.
    pub expires: Timestamp,
    /// Why it was not accepted, if it was not. With `skip_verify`: says that nobody verified it.
    pub fault: Option<String>,
}
