//! The language: CEL's standard library, with durations and compiled regular expressions of our own.

use std::any::Any;
use std::cmp::Ordering;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use cel::common::ast::{IdedExpr, SourceInfo};
use cel::common::traits::{Adder, Comparer};
use cel::common::types::{CelBool, CelString, Type};
use cel::common::value::{CowVal, StaticVal, Val};
use cel::{Context, DeclarationError, Env, ExecutionError};

use super::ConditionFault;
use crate::model::unit::parse_duration;

static SPAN_TYPE: Type = Type::new_unspecified_type("duration");
static PATTERN_TYPE: Type = Type::new_unspecified_type("pattern");

/// How deeply the parser may recurse; the text's own bounds come first.
const DEEPEST_PARSE: u16 = 16;
/// The parser's stack, in bytes.
const PARSER_STACK: usize = 16 << 20;

/// The environment and its functions, built once. Each judgement adds its variables in an inner scope.
pub(super) static ROOT: LazyLock<Context<'static, 'static>> = LazyLock::new(|| {
    let mut env = Env::stdlib().with_optional_support(false);
    // Their signatures are new to the standard library, so declaring them cannot fail. Were they ever not, a
    // condition that uses one would fail and say so.
    let declared = declare(&mut env);
    debug_assert!(declared.is_ok(), "{declared:?}");
    Context::with_env(Arc::new(env))
});

fn declare(env: &mut Env) -> Result<(), DeclarationError> {
    cel::add_overload!(env, fn read_duration: (CelString<'_>) -> Result<Span>, name = "duration", id = "our_duration")?;
    cel::add_overload!(env, fn matches_pattern: (CelString<'_>, Pattern) -> CelBool, name = "matches", id = "our_matches")?;
    cel::add_member_overload!(
        env,
        fn matches_pattern: (CelString<'_>, Pattern) -> CelBool,
        name = "matches",
        id = "our_member_matches"
    )
}

fn read_duration(text: &CelString<'_>) -> Result<Span, ExecutionError> {
    parse_duration(text.inner()).map(Span).map_err(|fault| ExecutionError::function_error("duration", fault))
}

fn matches_pattern(text: &CelString<'_>, pattern: &Pattern) -> CelBool {
    CelBool::from(pattern.0.is_match(text.inner()))
}

/// Under which name the pattern of this number is bound; no identifier that can be written.
pub(super) fn pattern_name(index: usize) -> String {
    format!("@pattern{index}")
}

/// Parses a text that passed the guard, on a stack of its own: the generated parser takes more than 100 KiB per
/// bracket in an unoptimised build. Should it ever panic, that ends there too.
pub(super) fn parse(source: &str) -> Result<(IdedExpr, SourceInfo), ConditionFault> {
    let lost = || ConditionFault {
        fault: "this is no CEL expression".into(),
        remedy: "write a simpler one".into(),
        column: None,
    };
    std::thread::scope(|scope| {
        let parser = std::thread::Builder::new().stack_size(PARSER_STACK).spawn_scoped(scope, || parse_here(source));
        parser.map_err(|_| lost())?.join().map_err(|_| lost())?
    })
}

fn parse_here(source: &str) -> Result<(IdedExpr, SourceInfo), ConditionFault> {
    let env = Env::stdlib().with_optional_support(false);
    let parser = env.parser().max_recursion_depth(DEEPEST_PARSE).error_recovery_limit(1);
    parser.parse_with_source_info(source).map_err(|errors| {
        let first = errors.errors.into_iter().next();
        let column = first.as_ref().and_then(|error| {
            let line = usize::try_from(error.pos.0).ok()?.checked_sub(1)?;
            let column = usize::try_from(error.pos.1).ok()?.checked_sub(1)?;
            let before: usize = source.split_inclusive('\n').take(line).map(|line| line.chars().count()).sum();
            Some((before + column).min(source.chars().count()))
        });
        ConditionFault {
            fault: plain(&first.map(|error| error.msg).unwrap_or_default()),
            remedy: "write one like status == 200 or body.contains(\"ok\")".into(),
            column,
        }
    })
}

/// What the parser said, shortened: its lists of everything that it would have liked instead help nobody.
fn plain(said: &str) -> String {
    let said = said.trim_start_matches("Syntax error: ");
    let said = said.split(" expecting ").next().unwrap_or(said).trim();
    format!("this is no CEL expression: {said}")
}

/// A length of time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span(pub(super) Duration);

impl Val for Span {
    fn get_type(&self) -> &Type {
        &SPAN_TYPE
    }

    fn cel_type() -> &'static Type {
        &SPAN_TYPE
    }

    fn as_adder<'b, 'v>(&'b self) -> Option<&'b (dyn Adder + 'v)>
    where
        Self: 'v,
    {
        Some(self)
    }

    fn as_comparer(&self) -> Option<&dyn Comparer> {
        Some(self)
    }

    fn equals(&self, other: &dyn Val) -> bool {
        other.downcast_ref::<Self>().is_some_and(|other| other.0 == self.0)
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v> {
        Box::new(*self)
    }

    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }
}

impl StaticVal for Span {}

impl Comparer for Span {
    fn compare(&self, other: &dyn Val) -> Result<Ordering, ExecutionError> {
        let other = other.downcast_ref::<Self>().ok_or_else(|| foreign(other))?;
        Ok(self.0.cmp(&other.0))
    }
}

impl Adder for Span {
    fn add<'b, 'v>(&'b self, other: &(dyn Val + 'v)) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        let other = other.downcast_ref::<Self>().ok_or_else(|| foreign(other))?;
        Ok(CowVal::owned(Self(self.0.saturating_add(other.0))))
    }
}

fn foreign(value: &dyn Val) -> ExecutionError {
    ExecutionError::UnexpectedType { got: value.get_type().name().into(), want: "duration".into() }
}

/// A compiled regular expression. Cloning shares it, with the memory that it searches in: a clone of the `Regex`
/// itself would have to make its own anew.
#[derive(Clone, Debug)]
pub(super) struct Pattern(pub(super) Arc<regex::Regex>);

impl Val for Pattern {
    fn get_type(&self) -> &Type {
        &PATTERN_TYPE
    }

    fn cel_type() -> &'static Type {
        &PATTERN_TYPE
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v> {
        Box::new(self.clone())
    }

    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }
}

impl StaticVal for Pattern {}
