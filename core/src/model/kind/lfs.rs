//! The Git LFS kind.

use std::sync::Arc;

use super::{Remote, Target, TlsOptions};

/// What its expectations can look at.
pub const VARIABLES: &[&str] = &["bytes", "timing", "address"];

/// A large file that is kept beside a repository.
#[derive(Clone, Debug)]
pub struct LfsTarget {
    /// The repository.
    pub remote: Remote,
    /// How certificates are judged and ours is shown, of the web servers that hold the file: over SSH they are others.
    pub tls: Arc<TlsOptions>,
    /// The file's SHA-256, which is its name.
    pub oid: [u8; 32],
    /// How many bytes it has.
    pub size: u64,
    /// Whether a small file of our own is uploaded too.
    pub upload: bool,
}

impl Target for LfsTarget {
    fn name(&self) -> &'static str {
        "lfs"
    }

    fn host(&self) -> &str {
        self.remote.host()
    }

    /// `git lfs fetch https://forge.example/acme/demo.git 4d7a2146…`.
    fn request(&self) -> String {
        let verb = if self.upload { "fetch and push" } else { "fetch" };
        format!("git lfs {verb} {} {}", self.remote, data_encoding::HEXLOWER.encode(&self.oid))
    }

    fn tls(&self) -> Option<&TlsOptions> {
        self.remote.tls()
    }
}
