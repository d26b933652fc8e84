//! How the way from a name to a connection is found, the same for every kind.

use std::net::SocketAddr;

/// How a probe's connections are made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Resolve {
    /// Which address family is used.
    pub ip: IpChoice,
    /// Whether each address of the host is asked by itself; each is a result of its own.
    pub each_address: bool,
    /// Connects here instead of where the name points; the names that the protocol speaks of (SNI, Host) stay.
    pub address: Option<SocketAddr>,
    /// The name server that is asked instead of the system's.
    pub server: Option<SocketAddr>,
}

/// Which address family a check uses.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum IpChoice {
    /// What the name gives, IPv6 and IPv4 raced as browsers do (RFC 8305).
    #[default]
    Auto,
    /// IPv4 only.
    V4,
    /// IPv6 only.
    V6,
    /// IPv4 and IPv6, each by itself: both must answer.
    Both,
}
