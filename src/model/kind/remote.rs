//! Where a repository is, and how its server lets us in: the same for every kind that speaks to a forge.

use std::fmt;
use std::sync::Arc;

use super::TlsOptions;

/// Where a repository is.
#[derive(Clone, Debug)]
pub enum Remote {
    /// Behind a web server.
    Http(HttpRemote),
}

/// A repository behind a web server.
#[derive(Clone, Debug)]
pub struct HttpRemote {
    /// The repository, without user and password.
    pub url: url::Url,
    /// The value of the header `authorization`, marked sensitive.
    pub authorization: Option<http::HeaderValue>,
    /// How the server's certificate is judged and ours is shown.
    pub tls: Arc<TlsOptions>,
}

impl Remote {
    /// The host that is asked.
    #[must_use]
    pub fn host(&self) -> &str {
        match self {
            Self::Http(remote) => remote.url.host_str().unwrap_or_default(),
        }
    }

    /// The TLS options, where there is TLS.
    #[must_use]
    pub fn tls(&self) -> Option<&TlsOptions> {
        match self {
            Self::Http(remote) => (remote.url.scheme() == "https").then_some(&remote.tls),
        }
    }
}

/// As a URL.
impl fmt::Display for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http(remote) => remote.url.fmt(f),
        }
    }
}
