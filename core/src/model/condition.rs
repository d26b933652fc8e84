//! Conditions: CEL expressions, compiled once, that show their values when they do not hold.
//!
//! Language: the Common Expression Language, <https://github.com/google/cel-spec>, without optional values and
//! timestamps, and with a `duration("1h30m")` that reads durations as the rest of the configuration does.
//!
//! What one may cost is bounded: see `guard` for the text, `check` for the tree, and
//! [`MOST_STEPS`] for the lists that it walks.

mod check;
mod fact;
mod guard;
mod language;
mod show;

use std::sync::Arc;

use cel::Value;
use cel::common::ast::IdedExpr;
use cel::common::types::CelBool;

pub use fact::Fact;

use language::Pattern;
use show::Look;

/// How many steps the comprehensions of one condition may take: a list of `n` elements, walked in `d` nested
/// comprehensions, takes `n` to the power of `d`.
pub const MOST_STEPS: usize = 100_000;

/// A compiled condition. Cloning shares it.
#[derive(Clone)]
pub struct Condition(Arc<Compiled>);

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

/// What a condition says of some facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It holds.
    Holds,
    /// It does not, or could not be worked out; with the values: `expected status == 200, status was 404`.
    Fails(String),
}

struct Compiled {
    source: Box<str>,
    program: IdedExpr,
    /// The variables that it looks at.
    mentions: Box<[Box<str>]>,
    /// What is shown when it does not hold.
    looks: Box<[Look]>,
    /// Its regular expressions, in the order of their numbers.
    patterns: Box<[Pattern]>,
    /// How deeply its comprehensions are nested; 0: there are none.
    nesting: u32,
}

impl Condition {
    /// Compiles a condition over these variables.
    ///
    /// # Errors
    /// When it is no CEL, names a variable or a function that does not exist, holds a bad regular expression or
    /// duration, or could cost too much.
    pub fn parse(source: &str, variables: &[&str]) -> Result<Self, ConditionFault> {
        guard::check_text(source)?;
        let (mut program, places) = language::parse(source)?;
        let found = check::check_tree(&mut program, variables, &places)?;
        Ok(Self(Arc::new(Compiled {
            source: source.into(),
            looks: show::looks(&program, &found.mentions),
            program,
            mentions: found.mentions.into(),
            patterns: found.patterns.into(),
            nesting: found.nesting,
        })))
    }

    /// The text as it was written.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.0.source
    }

    /// Whether it looks at this variable, so that facts nobody asks for need not be made.
    #[must_use]
    pub fn mentions(&self, variable: &str) -> bool {
        self.0.mentions.iter().any(|name| **name == *variable)
    }

    /// Whether it looks at this variable and no other.
    #[must_use]
    pub fn mentions_only(&self, variable: &str) -> bool {
        matches!(&*self.0.mentions, [only] if **only == *variable)
    }

    /// Judges the facts: one value for each variable that it mentions.
    #[must_use]
    pub fn judge(&self, facts: &[(&str, Fact)]) -> Verdict {
        self.judge_hiding(facts, &|text| text.to_owned())
    }

    /// Judges the facts, and passes each text through `hide` before any of it is shown: a secret is gone before
    /// an excerpt could cut it in two.
    #[must_use]
    pub fn judge_hiding(&self, facts: &[(&str, Fact)], hide: &dyn Fn(&str) -> String) -> Verdict {
        match self.evaluate(facts) {
            Ok(true) => Verdict::Holds,
            Ok(false) => Verdict::Fails(show::failure(&self.0.source, None, &self.0.looks, facts, hide)),
            Err(reason) => {
                let reason = hide(&reason);
                Verdict::Fails(show::failure(&self.0.source, Some(&reason), &self.0.looks, facts, hide))
            }
        }
    }

    fn evaluate(&self, facts: &[(&str, Fact)]) -> Result<bool, String> {
        let compiled = &*self.0;
        if compiled.nesting > 0 {
            let longest = facts.iter().map(|(_, fact)| fact.longest()).max().unwrap_or(0);
            if longest.saturating_pow(compiled.nesting) > MOST_STEPS {
                return Err(format!("a list of {longest} elements is too long to be walked"));
            }
        }
        let mut context = language::ROOT.new_inner_scope();
        for (name, fact) in facts {
            if self.mentions(name) {
                context.add_variable_as_val(*name, fact.to_cel());
            }
        }
        for (index, pattern) in compiled.patterns.iter().enumerate() {
            context.add_variable_as_val(language::pattern_name(index), Box::new(pattern.clone()));
        }
        let value = Value::resolve_val(&compiled.program, &context).map_err(|error| show::reason(&error))?;
        match value.downcast_ref::<CelBool>() {
            Some(holds) => Ok(*holds.inner()),
            None => Err(format!("it is neither true nor false but of type {}", value.get_type().name())),
        }
    }
}

impl std::fmt::Debug for Condition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(self.source(), f)
    }
}

#[cfg(test)]
mod tests;
