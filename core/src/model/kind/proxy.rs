//! Proxies: what stands between us and what is asked.

use url::Url;

/// A proxy that connects on our behalf. It resolves the names, too.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    /// Its kind (`http` or `socks5`), place, and the name and password that it wants, if it does.
    pub url: Url,
}

impl Proxy {
    /// Whether it speaks SOCKS (RFC 1928), not HTTP's CONNECT (RFC 9110, section 9.3.6).
    #[must_use]
    pub fn is_socks(&self) -> bool {
        self.url.scheme().starts_with("socks")
    }

    /// Its host, and its port or the usual one of its kind.
    #[must_use]
    pub fn host_and_port(&self) -> (&str, u16) {
        let usual = if self.is_socks() { 1080 } else { 80 };
        (self.url.host_str().unwrap_or_default().trim_matches(['[', ']']), self.url.port().unwrap_or(usual))
    }

    /// Where it is, for people: without name and password.
    #[must_use]
    pub fn place(&self) -> String {
        let (_, port) = self.host_and_port();
        format!("{}:{port}", self.url.host_str().unwrap_or_default())
    }
}

/// Never shows the password.
impl std::fmt::Debug for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Proxy({}://{})", self.url.scheme(), self.place())
    }
}
