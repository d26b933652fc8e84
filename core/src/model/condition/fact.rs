//! Facts: the values that conditions look at, as our own plain data.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use cel::common::types::{CelBool, CelDouble, CelInt, CelList, CelMap, CelMapKey, CelNull, CelString};
use cel::common::value::Val;

use super::language::Span;
use crate::model::result::Phases;

/// A value that a condition can look at.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// Nothing; JSON's `null`.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number.
    Float(f64),
    /// A text.
    Text(Arc<str>),
    /// A length of time; `duration("2s")` in a condition.
    Span(Duration),
    /// Values in order.
    List(Vec<Fact>),
    /// Named values.
    Map(BTreeMap<String, Fact>),
}

impl Fact {
    /// `timing`: the phases by name. A phase that did not happen took no time.
    #[must_use]
    pub fn timing(phases: &Phases) -> Self {
        let span = |time: Option<Duration>| Self::Span(time.unwrap_or_default());
        Self::Map(phases.iter().map(|(phase, time)| (phase.as_str().to_owned(), span(time))).collect())
    }

    /// The fact as CEL has it. Texts are borrowed.
    pub(super) fn to_cel(&self) -> Box<dyn Val + '_> {
        match self {
            Self::Null => Box::new(CelNull),
            Self::Bool(value) => Box::new(CelBool::from(*value)),
            Self::Int(value) => Box::new(CelInt::from(*value)),
            Self::Float(value) => Box::new(CelDouble::from(*value)),
            Self::Text(value) => Box::new(CelString::from(&**value)),
            Self::Span(value) => Box::new(Span(*value)),
            Self::List(values) => Box::new(CelList::from(values.iter().map(Self::to_cel).collect::<Vec<_>>())),
            Self::Map(values) => {
                let entry = |(name, value)| (CelMapKey::String(CelString::from(str_of(name))), Self::to_cel(value));
                Box::new(CelMap::from(values.iter().map(entry).collect::<std::collections::HashMap<_, _>>()))
            }
        }
    }

    /// The length of the longest list or map in it: what a comprehension could walk.
    pub(super) fn longest(&self) -> usize {
        match self {
            Self::List(values) => values.iter().map(Self::longest).max().unwrap_or(0).max(values.len()),
            Self::Map(values) => values.values().map(Self::longest).max().unwrap_or(0).max(values.len()),
            _ => 0,
        }
    }
}

fn str_of(text: &String) -> &str {
    text
}
