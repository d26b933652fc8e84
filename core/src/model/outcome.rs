//! What a check came to: one vocabulary for every kind of probe.

use std::fmt;

/// What went wrong, in the service's terms, whichever protocol said it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum FailureClass {
    /// The thing asked for is not there: HTTP 404 and 410, "repository not found".
    NotFound,
    /// Who asks is not known: HTTP 401, a refused key.
    Unauthorized,
    /// Who asks may not: HTTP 403.
    Forbidden,
    /// Too many questions: HTTP 429.
    RateLimited,
    /// The question was refused otherwise: another HTTP 4xx.
    ClientError,
    /// The service failed: HTTP 5xx.
    ServerError,
    /// A redirect that goes nowhere good: a loop, too many, another scheme.
    Redirect,
    /// The name could not be resolved.
    Dns,
    /// No connection came about, or it was reset.
    Connect,
    /// The TLS handshake failed or the certificate was not accepted.
    Tls,
    /// No answer within the probe's timeout.
    Timeout,
    /// The answer was not of the protocol.
    Protocol,
    /// The content arrived damaged or cut short.
    Corrupt,
    /// All went well but an expectation about the answer did not hold.
    Expectation,
    /// Something that should have come by itself did not.
    Missing,
}

impl FailureClass {
    /// All classes, in the order of their codes.
    pub const ALL: [Self; 15] = [
        Self::NotFound,
        Self::Unauthorized,
        Self::Forbidden,
        Self::RateLimited,
        Self::ClientError,
        Self::ServerError,
        Self::Redirect,
        Self::Dns,
        Self::Connect,
        Self::Tls,
        Self::Timeout,
        Self::Protocol,
        Self::Corrupt,
        Self::Expectation,
        Self::Missing,
    ];

    /// Those in which no answer came from the other side: it may be our own network that failed.
    pub const NETWORK: [Self; 4] = [Self::Dns, Self::Connect, Self::Tls, Self::Timeout];

    /// Whether no answer came from the other side.
    #[must_use]
    pub fn is_network(self) -> bool {
        Self::NETWORK.contains(&self)
    }

    /// The name in configs, conditions and APIs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::RateLimited => "rate_limited",
            Self::ClientError => "client_error",
            Self::ServerError => "server_error",
            Self::Redirect => "redirect",
            Self::Dns => "dns",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::Protocol => "protocol",
            Self::Corrupt => "corrupt",
            Self::Expectation => "expectation",
            Self::Missing => "missing",
        }
    }

    /// The name for people, as a subject line has it.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::NotFound => "Not found",
            Self::Unauthorized => "Unauthorized",
            Self::Forbidden => "Forbidden",
            Self::RateLimited => "Rate limited",
            Self::ClientError => "Client error",
            Self::ServerError => "Server error",
            Self::Redirect => "Bad redirect",
            Self::Dns => "DNS failure",
            Self::Connect => "Connection failure",
            Self::Tls => "TLS failure",
            Self::Timeout => "Timeout",
            Self::Protocol => "Protocol error",
            Self::Corrupt => "Corrupt content",
            Self::Expectation => "Unexpected content",
            Self::Missing => "Missing",
        }
    }

    /// The class of an HTTP status that is no success.
    #[must_use]
    pub fn of_status(status: u16) -> Self {
        match status {
            404 | 410 => Self::NotFound,
            401 => Self::Unauthorized,
            403 => Self::Forbidden,
            429 => Self::RateLimited,
            400..=499 => Self::ClientError,
            500..=599 => Self::ServerError,
            300..=399 => Self::Redirect,
            _ => Self::Expectation,
        }
    }

    /// The class with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.as_str() == name)
    }
}

impl fmt::Display for FailureClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Why we did not look, or could not. Never counts for or against the service.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum VoidReason {
    /// The probe's previous check was still running.
    Overrun,
    /// The daemon was shutting down.
    ShuttingDown,
    /// Our own network was down.
    Offline,
    /// Tripline itself failed to make the check.
    Internal,
}

impl VoidReason {
    /// All reasons, in the order of their codes.
    pub const ALL: [Self; 4] = [Self::Overrun, Self::ShuttingDown, Self::Offline, Self::Internal];

    /// The name in APIs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Overrun => "overrun",
            Self::ShuttingDown => "shutting_down",
            Self::Offline => "offline",
            Self::Internal => "internal",
        }
    }
}

/// What a check came to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Outcome {
    /// The service answered as expected.
    Success,
    /// It did not.
    Failure(FailureClass),
    /// Nobody looked.
    Void(VoidReason),
}

impl Outcome {
    /// The name in conditions, APIs and listings: `success`, the failure class, or the void reason.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure(class) => class.as_str(),
            Self::Void(reason) => reason.as_str(),
        }
    }

    /// The failure class, if it is a failure.
    #[must_use]
    pub fn failure(self) -> Option<FailureClass> {
        match self {
            Self::Failure(class) => Some(class),
            Self::Success | Self::Void(_) => None,
        }
    }
}
