//! The kind of commands.

use bytes::Bytes;

use super::Target;

/// What its expectations can look at.
pub const VARIABLES: &[&str] = &["exit", "output", "perf", "timing"];

/// A command of this machine, and what its exit codes are worth.
#[derive(Clone, PartialEq, Eq)]
pub struct ExecTarget {
    /// The program: a path, or a name that `PATH` leads to.
    pub program: String,
    /// What it is given.
    pub args: Vec<String>,
    /// Environment variables that it gets beside `PATH` and `LC_ALL`, in the order of their names.
    pub env: Vec<(String, String)>,
    /// What it can read from its standard input.
    pub stdin: Bytes,
    /// Whether exit code 1, WARNING, is a failure.
    pub warning_fails: bool,
    /// Whether exit code 3, UNKNOWN, is a failure; else the check is void.
    pub unknown_fails: bool,
}

impl Target for ExecTarget {
    fn name(&self) -> &'static str {
        "exec"
    }

    fn host(&self) -> &str {
        "localhost"
    }

    fn request(&self) -> String {
        let words: Vec<&str> = std::iter::once(&self.program).chain(&self.args).map(String::as_str).collect();
        words.join(" ")
    }
}

/// Says what is run, but not with which environment: secrets may stand there.
impl std::fmt::Debug for ExecTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = self.env.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("ExecTarget")
            .field("program", &self.program)
            .field("args", &self.args.len())
            .field("env", &names)
            .field("stdin", &self.stdin.len())
            .finish_non_exhaustive()
    }
}
