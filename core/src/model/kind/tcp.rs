//! The TCP kind.

use std::sync::Arc;

use bytes::Bytes;

use super::{Target, TlsOptions};

/// What its expectations can look at.
pub const VARIABLES: &[&str] = &["body", "timing", "address"];

/// Where a connection is made to, what is said there, and what is read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TcpTarget {
    /// A name, or an address; one of IPv6 without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// With these, a TLS handshake follows.
    pub tls: Option<Arc<TlsOptions>>,
    /// Sent once the connection stands; empty: nothing is.
    pub send: Bytes,
    /// How much is read. None: a line where an expectation looks at `body`, else nothing.
    pub read: Option<ReadUntil>,
}

impl Target for TcpTarget {
    fn name(&self) -> &'static str {
        "tcp"
    }

    fn host(&self) -> &str {
        &self.host
    }

    fn request(&self) -> String {
        format!("{}://{}:{}", if self.tls.is_some() { "tls" } else { "tcp" }, self.host, self.port)
    }

    fn tls(&self) -> Option<&TlsOptions> {
        self.tls.as_deref()
    }
}

impl TcpTarget {
    /// A connection to this host and port, made and closed again.
    #[must_use]
    pub fn bare(host: impl Into<String>, port: u16) -> Self {
        Self { host: host.into(), port, tls: None, send: Bytes::new(), read: None }
    }
}

/// Where reading ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReadUntil {
    /// With the first line, whose end (LF or CR LF) is left away. It may have [`LONGEST_LINE`] bytes.
    Line,
    /// When the server closes the connection, or after [`MOST_READ`] bytes; what follows is left unread.
    Close,
    /// After exactly so many bytes, at most [`MOST_READ`].
    Bytes(usize),
}

/// The longest line that is read, in bytes.
pub const LONGEST_LINE: usize = 64 * 1024;
/// The most that is read, in bytes.
pub const MOST_READ: usize = 1024 * 1024;
