//! The HTTP kind.

use std::sync::Arc;

use bytes::Bytes;

use super::{Download, Target, TlsOptions};

/// What its expectations can look at.
pub const VARIABLES: &[&str] = &["status", "body", "headers", "json", "timing", "url", "address"];

/// What they can look at where a download is asked for.
pub const DOWNLOAD_VARIABLES: &[&str] =
    &["status", "body", "headers", "json", "timing", "url", "address", "bytes", "sha256", "throughput"];

/// An HTTP request and how it is made.
#[derive(Clone, Debug)]
pub struct HttpTarget {
    /// `GET` unless given.
    pub method: http::Method,
    /// Where to.
    pub url: url::Url,
    /// Sent with the request; those that hold secrets are marked sensitive.
    pub headers: http::HeaderMap,
    /// Sent with the request; empty unless given.
    pub body: Bytes,
    /// How many redirects are followed; 0: none, the redirect is the answer.
    pub redirects: u8,
    /// How much of the answer's body is read, in decoded bytes. The rest is left unread, and that is no failure.
    pub body_cap: usize,
    /// Received whole and checked, whatever the cap; asked for without compression of its own.
    pub download: Option<Arc<Download>>,
    /// How the server's certificate is judged and ours is shown.
    pub tls: Arc<TlsOptions>,
}

impl Target for HttpTarget {
    fn name(&self) -> &'static str {
        "http"
    }

    fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    fn request(&self) -> String {
        format!("{} {}", self.method, self.url)
    }

    fn tls(&self) -> Option<&TlsOptions> {
        (self.url.scheme() == "https").then_some(&self.tls)
    }
}
