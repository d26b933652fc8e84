//! The gRPC kind: the health protocol.

use std::sync::Arc;

use super::{Target, TlsOptions};

/// What its expectations can look at.
pub const VARIABLES: &[&str] = &["serving_status", "timing", "address"];

/// A gRPC server that is asked for its health.
#[derive(Clone, Debug)]
pub struct GrpcTarget {
    /// A name, or an address; one of IPv6 without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The part of the server that is asked about; empty: all of it.
    pub service: String,
    /// Sent with the call; what holds secrets is marked sensitive.
    pub metadata: http::HeaderMap,
    /// With these, TLS; else HTTP/2 without it.
    pub tls: Option<Arc<TlsOptions>>,
}

impl Target for GrpcTarget {
    fn name(&self) -> &'static str {
        "grpc"
    }

    fn host(&self) -> &str {
        &self.host
    }

    /// `grpc://api.example.com:443/acme.Orders`.
    fn request(&self) -> String {
        let (open, close) = if self.host.contains(':') { ("[", "]") } else { ("", "") };
        let scheme = if self.tls.is_some() { "grpcs" } else { "grpc" };
        format!("{scheme}://{open}{}{close}:{}/{}", self.host, self.port, self.service)
    }

    fn tls(&self) -> Option<&TlsOptions> {
        self.tls.as_deref()
    }
}
