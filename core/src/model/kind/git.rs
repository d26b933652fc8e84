//! The Git kind.

use super::{Remote, Target, TlsOptions};

/// What its expectations can look at.
pub const VARIABLES: &[&str] = &["refs", "head", "branch", "commit", "bytes", "timing", "address"];

/// A repository, and how far a check goes into it.
#[derive(Clone, Debug)]
pub struct GitTarget {
    /// Where it is.
    pub remote: Remote,
    /// How far a check goes.
    pub depth: GitDepth,
    /// The ref that must be there: `HEAD`, or a whole name.
    pub reference: String,
    /// The ref that is made and deleted again.
    pub push: Option<String>,
    /// The longest pack that is received, in bytes.
    pub pack_cap: u64,
}

impl Target for GitTarget {
    fn name(&self) -> &'static str {
        "git"
    }

    fn host(&self) -> &str {
        self.remote.host()
    }

    /// `git fetch https://forge.example/acme/demo.git HEAD`.
    fn request(&self) -> String {
        let verb = match self.depth {
            GitDepth::Refs => "ls-remote",
            GitDepth::Fetch => "fetch",
        };
        let push = self.push.as_ref().map(|name| format!(", push {name}")).unwrap_or_default();
        format!("git {verb} {} {}{push}", self.remote, self.reference)
    }

    fn tls(&self) -> Option<&TlsOptions> {
        self.remote.tls()
    }
}

/// How far a check goes into a repository.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum GitDepth {
    /// The server lists its refs.
    #[default]
    Refs,
    /// Then it gives one commit, in a pack that is checked.
    Fetch,
}
