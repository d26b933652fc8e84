//! Where a repository is, and how its server lets us in: the same for every kind that speaks to a forge.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use super::TlsOptions;

/// Where a repository is.
#[derive(Clone, Debug)]
pub enum Remote {
    /// Behind a web server.
    Http(HttpRemote),
    /// Behind an SSH server.
    Ssh(SshRemote),
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

/// A repository behind an SSH server.
#[derive(Clone, Debug)]
pub struct SshRemote {
    /// A name, or an address; one of IPv6 without brackets.
    pub host: String,
    /// 22 unless given.
    pub port: u16,
    /// Who logs in.
    pub user: String,
    /// The repository as the server knows it: `/acme/demo.git`.
    pub path: String,
    /// How it logs in.
    pub login: SshLogin,
    /// How the server's key is judged.
    pub trust: HostTrust,
}

/// How an SSH server is convinced of who we are.
#[derive(Clone, PartialEq, Eq)]
pub enum SshLogin {
    /// By this private key, as OpenSSH or PEM has it.
    Key(Bytes),
    /// By a key of the agent that listens on the socket which `SSH_AUTH_SOCK` names.
    Agent,
}

/// Says what it is, never the key.
impl fmt::Debug for SshLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Key(_) => "Key(…)",
            Self::Agent => "Agent",
        })
    }
}

/// How the key of an SSH server is judged.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum HostTrust {
    /// It is this one, by the SHA-256 of what is public of it.
    Pinned(Fingerprint),
    /// It is listed for the host in this file, in the form of OpenSSH's `known_hosts`.
    KnownHosts(Bytes),
    /// Any key will do. Said loudly wherever results are shown.
    Anyone,
}

/// The SHA-256 of an SSH server's public key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// Of this hash.
    #[must_use]
    pub fn new(hash: [u8; 32]) -> Self {
        Self(hash)
    }

    /// Reads what `ssh-keygen -l` prints: `SHA256:` and 43 characters of Base64.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let hash = data_encoding::BASE64_NOPAD.decode(text.strip_prefix("SHA256:")?.as_bytes()).ok()?;
        hash.try_into().ok().map(Self)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SHA256:{}", data_encoding::BASE64_NOPAD.encode(&self.0))
    }
}

impl Remote {
    /// The host that is asked.
    #[must_use]
    pub fn host(&self) -> &str {
        match self {
            Self::Http(remote) => remote.url.host_str().unwrap_or_default(),
            Self::Ssh(remote) => &remote.host,
        }
    }

    /// The TLS options, where there is TLS.
    #[must_use]
    pub fn tls(&self) -> Option<&TlsOptions> {
        match self {
            Self::Http(remote) => (remote.url.scheme() == "https").then_some(&remote.tls),
            Self::Ssh(_) => None,
        }
    }
}

/// As a URL.
impl fmt::Display for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http(remote) => remote.url.fmt(f),
            Self::Ssh(SshRemote { host, port, user, path, .. }) => {
                let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
                let port = if *port == 22 { String::new() } else { format!(":{port}") };
                write!(f, "ssh://{user}@{host}{port}/{}", path.trim_start_matches('/'))
            }
        }
    }
}
