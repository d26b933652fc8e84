//! What an expectation came to.

/// One expectation and what was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verdict {
    /// The expectation's key: `detected_within`.
    pub about: String,
    /// What was expected: `60s`.
    pub expected: String,
    /// What was found: `17s`.
    pub found: String,
    /// Whether it was met.
    pub met: bool,
}

impl Verdict {
    /// What an expectation came to.
    pub(super) fn new(about: impl Into<String>, expected: String, found: String, met: bool) -> Self {
        Self { about: about.into(), expected, found, met }
    }
}
