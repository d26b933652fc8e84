//! The TCP kind.

use std::sync::Arc;

use super::TlsOptions;

/// What its expectations can look at.
pub const VARIABLES: &[&str] = &["timing", "address"];

/// Where a connection is made to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TcpTarget {
    /// A name, or an address; one of IPv6 without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// With these, a TLS handshake follows.
    pub tls: Option<Arc<TlsOptions>>,
}
