//! How grave something is.

use std::fmt;

/// How grave, in the impact words of Statuspage.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Severity {
    /// A nuisance.
    Minor,
    /// Many customers, or a few entirely.
    Major,
    /// The service is down.
    Critical,
}

impl Severity {
    /// All severities, in the order of their codes and of their gravity.
    pub const ALL: [Self; 3] = [Self::Minor, Self::Major, Self::Critical];

    /// The name in configs and APIs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Minor => "minor",
            Self::Major => "major",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
