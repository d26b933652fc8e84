//! TLS options, the same for every kind that speaks TLS.

use bytes::Bytes;

/// How the server's certificate is judged and ours is shown. Compared by value: equal options share a client.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct TlsOptions {
    /// PEM certificates to trust instead of the system's.
    pub ca: Option<Bytes>,
    /// PEM certificate chain and private key to show to the server.
    pub identity: Option<Bytes>,
    /// Accept any certificate. Said loudly wherever results are shown.
    pub skip_verify: bool,
}

/// Says what is set, never the key.
impl std::fmt::Debug for TlsOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TlsOptions")
            .field("ca", &self.ca.as_ref().map(Bytes::len))
            .field("identity", &self.identity.is_some())
            .field("skip_verify", &self.skip_verify)
            .finish()
    }
}
