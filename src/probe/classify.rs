//! What a failed check is called.

use std::error::Error;
use std::io;
use std::time::Duration;

use http::HeaderMap;
use http::header::RETRY_AFTER;

use super::broken::Broken;
use super::byte_limit::used_up;
use super::dns_fault::DnsFault;
use super::scarce::scarce;
use super::stopwatch::Phase;
use super::tls_config::explain;
use crate::model::FailureClass;
use crate::model::unit::show_duration;

/// What a proxy says by the status 407.
pub(super) const PROXY_UNAUTHORIZED: &str = "it wants a name and password, or other ones (407)";

/// The class of an error in this phase, and the fault in plain words.
pub(super) fn by_error(error: &reqwest::Error, phase: Option<Phase>) -> (FailureClass, String) {
    let causes = Causes::of(error);
    if let Some(fault) = causes.dns {
        return (FailureClass::Dns, fault);
    }
    if let Some(fault) = causes.tls {
        return (FailureClass::Tls, fault);
    }
    let reset = causes.io.is_some_and(|kind| {
        use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
        matches!(kind, ConnectionReset | ConnectionAborted | BrokenPipe)
    });
    // Of hyper's errors only the words can be seen from here; a test pins them.
    let closed = causes.last.contains("connection closed before message completed");
    match phase {
        Some(Phase::Dns) => (FailureClass::Dns, format!("the name could not be resolved: {}", causes.last)),
        None | Some(Phase::Connect) => (FailureClass::Connect, connect_fault(causes.io, &causes.last)),
        Some(Phase::Tls) if reset => (FailureClass::Connect, "the connection was reset in the TLS handshake".into()),
        Some(Phase::Tls) => (FailureClass::Tls, format!("the TLS handshake failed: {}", causes.last)),
        Some(Phase::FirstByte) if reset => {
            (FailureClass::Connect, "the connection was reset before an answer came".into())
        }
        Some(Phase::FirstByte) if closed || causes.io == Some(io::ErrorKind::UnexpectedEof) => {
            (FailureClass::Connect, "the connection was closed before an answer came".into())
        }
        Some(Phase::FirstByte) => (FailureClass::Protocol, format!("the answer is not HTTP: {}", causes.last)),
        Some(Phase::Transfer) if reset => {
            (FailureClass::Connect, "the connection was reset in the middle of the body".into())
        }
        Some(Phase::Transfer) => {
            (FailureClass::Corrupt, format!("the body arrived damaged or cut short: {}", causes.last))
        }
    }
}

/// The class of an HTTP status that is no success. A refusal that says that its limit is used up is no ban: GitHub,
/// Bitbucket and others answer so with 403. Their headers are those of draft-ietf-httpapi-ratelimit-headers and its
/// forerunners, and Retry-After (RFC 9110, section 10.2.3).
pub(super) fn status_class(status: u16, headers: &HeaderMap) -> FailureClass {
    const REMAINING: [&str; 3] = ["x-ratelimit-remaining", "x-rate-limit-remaining", "ratelimit-remaining"];
    let used_up = REMAINING.iter().any(|name| headers.get(*name).is_some_and(|left| left.as_bytes() == b"0"));
    if status == 403 && (used_up || headers.contains_key(RETRY_AFTER)) {
        return FailureClass::RateLimited;
    }
    FailureClass::of_status(status)
}

/// The class of a TLS handshake that failed on a socket of our own, and the fault in plain words.
pub(super) fn tls_fault(error: &io::Error) -> (FailureClass, String) {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match (inner, error.kind()) {
        (Some(fault), _) => (FailureClass::Tls, explain(fault)),
        (None, ConnectionReset | ConnectionAborted | BrokenPipe) => {
            (FailureClass::Connect, "the connection was reset in the TLS handshake".into())
        }
        (None, UnexpectedEof) => (FailureClass::Tls, "the connection was closed in the TLS handshake".into()),
        (None, _) => (FailureClass::Tls, format!("the TLS handshake failed: {error}")),
    }
}

/// The class of what broke a connection of our own once it stood, and the fault in plain words.
pub(super) fn broke(error: &io::Error) -> (FailureClass, String) {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match (inner, used_up(error)) {
        (Some(fault), _) => (FailureClass::Tls, explain(fault)),
        (None, Some(fault)) => (FailureClass::Protocol, fault),
        (None, None) => (FailureClass::Connect, format!("the connection broke: {error}")),
    }
}

/// What it is that no connection came about.
pub(super) fn unconnected(error: &io::Error) -> Broken {
    match scarce(error) {
        Some(fault) => Broken::internal(fault),
        None => Broken::failed(FailureClass::Connect, connect_fault(Some(error.kind()), &error.to_string())),
    }
}

/// Why no connection came about, in plain words.
pub(super) fn connect_fault(kind: Option<io::ErrorKind>, said: &str) -> String {
    match kind {
        Some(io::ErrorKind::ConnectionRefused) => "the connection was refused".into(),
        Some(io::ErrorKind::ConnectionReset) => "the connection was reset".into(),
        Some(io::ErrorKind::NetworkUnreachable) => "the network cannot be reached from here".into(),
        Some(io::ErrorKind::HostUnreachable) => "the host cannot be reached from here".into(),
        Some(io::ErrorKind::TimedOut) => "connecting timed out".into(),
        _ => format!("no connection came about: {said}"),
    }
}

/// What a proxy of HTTP or SOCKS did, where hyper has only words for it; a test pins them.
pub(super) fn proxy_fault(fault: String) -> String {
    let refusals = [
        ("proxy authorization required", PROXY_UNAUTHORIZED),
        ("failed to create underlying connection", "it cannot be reached"),
        ("unsuccessful", "it did not connect further"),
    ];
    let found = refusals.into_iter().find(|(said, _)| fault.contains(said));
    found.map_or(fault, |(_, plain)| plain.to_owned())
}

/// The fault of a check that ran out of time.
pub(super) fn timeout_fault(timeout: Duration, open: Option<(Phase, Duration)>, read: usize) -> String {
    let limit = show_duration(timeout);
    let Some((phase, spent)) = open else { return format!("no answer within {limit}") };
    let spent = show_duration(spent);
    match phase {
        Phase::Dns => format!("no answer within {limit}: resolving the name for {spent}"),
        Phase::Connect => format!("no answer within {limit}: connecting for {spent}"),
        Phase::Tls => format!("no answer within {limit}: in the TLS handshake for {spent}"),
        Phase::FirstByte => format!("no answer within {limit}: waiting for the first byte for {spent}"),
        Phase::Transfer => {
            format!("no whole answer within {limit}: reading the body for {spent}, {read} bytes so far")
        }
    }
}

/// What the chain of errors holds that says more than its outermost sentence.
#[derive(Default)]
struct Causes {
    dns: Option<String>,
    tls: Option<String>,
    io: Option<io::ErrorKind>,
    last: String,
}

impl Causes {
    fn of(error: &reqwest::Error) -> Self {
        let mut causes = Self::default();
        let mut next: Option<&(dyn Error + 'static)> = Some(error);
        while let Some(error) = next {
            causes.last = error.to_string();
            if let Some(fault) = error.downcast_ref::<DnsFault>() {
                causes.dns = Some(fault.to_string());
            }
            if let Some(fault) = error.downcast_ref::<rustls::Error>() {
                causes.tls = Some(explain(fault));
            }
            next = error.source();
            if let Some(io) = error.downcast_ref::<io::Error>() {
                causes.io = Some(io.kind());
                // The source of an io::Error is that of the error within; the one within must be looked at too.
                next = io.get_ref().map(|inner| inner as &(dyn Error + 'static)).or(next);
            }
        }
        causes
    }
}
