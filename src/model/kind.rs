//! The kinds of question: one file per kind. What is asked, as plain data; how it is asked stands in `probe`.

pub mod http;
mod resolve;
pub mod tcp;
mod tls_options;

pub use http::HttpTarget;
pub use resolve::{IpChoice, Resolve};
pub use tcp::TcpTarget;
pub use tls_options::TlsOptions;

/// What is asked, and of whom.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "nearly all are of the large kind")]
pub enum ProbeKind {
    /// An HTTP request.
    Http(HttpTarget),
    /// A connection, and a TLS handshake if that is wanted.
    Tcp(TcpTarget),
}

impl ProbeKind {
    /// The kind's key in probes.yaml.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Http(_) => "http",
            Self::Tcp(_) => "tcp",
        }
    }

    /// The host that is asked.
    #[must_use]
    pub fn host(&self) -> &str {
        match self {
            Self::Http(http) => http.url.host_str().unwrap_or_default(),
            Self::Tcp(tcp) => &tcp.host,
        }
    }

    /// The question in one line, for evidence: `GET https://forge.example/acme/`. It may hold secrets.
    #[must_use]
    pub fn request(&self) -> String {
        match self {
            Self::Http(http) => format!("{} {}", http.method, http.url),
            Self::Tcp(tcp) => {
                format!("{}://{}:{}", if tcp.tls.is_some() { "tls" } else { "tcp" }, tcp.host, tcp.port)
            }
        }
    }

    /// The TLS options of a question that begins with a TLS handshake.
    #[must_use]
    pub fn tls(&self) -> Option<&TlsOptions> {
        match self {
            Self::Http(http) => (http.url.scheme() == "https").then_some(&http.tls),
            Self::Tcp(tcp) => tcp.tls.as_deref(),
        }
    }
}
