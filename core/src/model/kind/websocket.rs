//! The WebSocket kind.

use std::sync::Arc;

use super::{Target, TlsOptions};

/// What its expectations can look at.
pub const VARIABLES: &[&str] = &["status", "headers", "body", "json", "timing", "address"];

/// A WebSocket that is opened, and perhaps spoken on.
#[derive(Clone, Debug)]
pub struct WebsocketTarget {
    /// Where to: ws or wss.
    pub url: url::Url,
    /// Sent with the handshake; those that hold secrets are marked sensitive.
    pub headers: http::HeaderMap,
    /// Sent as a text message once it is open; the first message that comes is the answer.
    pub send: Option<String>,
    /// How the server's certificate is judged and ours is shown.
    pub tls: Arc<TlsOptions>,
}

impl Target for WebsocketTarget {
    fn name(&self) -> &'static str {
        "websocket"
    }

    fn host(&self) -> &str {
        WebsocketTarget::host(self)
    }

    fn request(&self) -> String {
        self.url.to_string()
    }

    fn tls(&self) -> Option<&TlsOptions> {
        self.is_encrypted().then_some(&*self.tls)
    }
}

impl WebsocketTarget {
    /// The host, an address of IPv6 without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default().trim_matches(['[', ']'])
    }

    /// The port, 80 or 443 unless given.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.url.port_or_known_default().unwrap_or(443)
    }

    /// Whether the connection is encrypted.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.url.scheme() == "wss"
    }
}
