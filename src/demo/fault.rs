//! Why the demo could not be set up.

use std::io;

/// Why the demo could not be set up. Each is our own machine's fault, none the fault of what is rehearsed.
#[derive(Debug, thiserror::Error)]
pub enum DemoFault {
    /// A file, a folder, a socket or a process.
    #[error("cannot {doing}: {source}")]
    Io {
        /// What was tried: `listen on 127.0.0.1`.
        doing: String,
        /// What the system said.
        source: io::Error,
    },
    /// The certificates of the forge.
    #[error("cannot make the forge's certificates: {0}")]
    Certificates(#[from] rcgen::Error),
    /// The TLS side of the forge.
    #[error("cannot set up the forge's TLS: {0}")]
    Tls(#[from] rustls::Error),
    /// The client that makes the calls of webhooks.
    #[error("cannot make the forge's HTTP client: {0}")]
    Http(String),
    /// sshd is there, but did not do as it should.
    #[error("cannot start the forge's sshd: {0}")]
    Ssh(String),
    /// git is there, but did not do as it should.
    #[error("cannot make the forge's repository: {0}")]
    Git(String),
}

impl DemoFault {
    /// For `map_err`: what was tried, and then what the system said.
    pub(crate) fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Io { doing, source }
    }
}
