//! The SSH kind.

use super::{HostTrust, Target};

/// What its expectations can look at.
pub const VARIABLES: &[&str] = &["banner", "fingerprint", "timing", "address"];

/// An SSH server whose key is verified. Nobody logs in.
#[derive(Clone, Debug)]
pub struct SshTarget {
    /// A name, or an address; one of IPv6 without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// How the server's key is judged.
    pub trust: HostTrust,
}

impl Target for SshTarget {
    fn name(&self) -> &'static str {
        "ssh"
    }

    fn host(&self) -> &str {
        &self.host
    }

    fn request(&self) -> String {
        format!("ssh://{}:{}", self.host, self.port)
    }
}
