//! The TLS kind: the handshake itself is the question, and the certificates are the answer.

use std::sync::Arc;

use super::{Target, TlsOptions};

/// What its expectations can look at.
pub const VARIABLES: &[&str] = &[
    "days_left",
    "expires_in",
    "chain_expires_in",
    "subject",
    "issuer",
    "names",
    "version",
    "cipher",
    "alpn",
    "staple",
    "staple_age",
    "timing",
    "address",
];

/// Where a handshake is made, and how it is begun.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TlsTarget {
    /// A name, or an address; one of IPv6 without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The name that is asked for (SNI) and that the certificate must be valid for. None: the host.
    pub server_name: Option<String>,
    /// The protocols that are offered (RFC 7301), best first. Empty: none are.
    pub alpn: Vec<String>,
    /// How the plain connection is turned into TLS. None: it begins with the handshake.
    pub starttls: Option<StartTls>,
    /// How the server's certificate is judged and ours is shown.
    pub tls: Arc<TlsOptions>,
}

impl Target for TlsTarget {
    fn name(&self) -> &'static str {
        "tls"
    }

    fn host(&self) -> &str {
        &self.host
    }

    fn request(&self) -> String {
        format!("tls://{}:{}", self.host, self.port)
    }

    fn tls(&self) -> Option<&TlsOptions> {
        Some(&self.tls)
    }
}

/// The protocols that begin in the plain and turn to TLS when asked to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StartTls {
    /// `STARTTLS` of SMTP (RFC 3207).
    Smtp,
    /// `STARTTLS` of IMAP (RFC 9051, section 6.2.1).
    Imap,
}
