//! How a condition that does not hold shows what it saw.

use std::time::Duration;

use cel::ExecutionError;
use cel::common::ast::{Expr, IdedExpr, LiteralValue, operators};

use super::Fact;

/// The longest excerpt of a value, in characters.
const EXCERPT: usize = 60;
/// The longest source that is repeated whole, in characters.
const LONGEST_SOURCE: usize = 240;
/// The most values that are shown.
const MOST_VALUES: usize = 4;

/// A value that the condition looks at: `headers["age"]`.
pub(super) struct Look {
    text: String,
    root: Box<str>,
    steps: Vec<Step>,
}

enum Step {
    Name(Box<str>),
    Index(usize),
}

/// The values that the condition looks at, in the order in which they stand, each once.
pub(super) fn looks(program: &IdedExpr, variables: &[Box<str>]) -> Box<[Look]> {
    let mut looks = Vec::new();
    collect(program, variables, &mut looks);
    looks.into()
}

fn collect(node: &IdedExpr, variables: &[Box<str>], looks: &mut Vec<Look>) {
    if let Some(look) = look(node, variables) {
        if looks.len() < MOST_VALUES && !looks.iter().any(|known| known.text == look.text) {
            looks.push(look);
        }
        return;
    }
    match &node.expr {
        Expr::Call(call) => {
            for part in call.target.iter().map(|target| &**target).chain(&call.args) {
                collect(part, variables, looks);
            }
        }
        Expr::Select(select) => collect(&select.operand, variables, looks),
        Expr::List(list) => list.elements.iter().for_each(|element| collect(element, variables, looks)),
        // What a comprehension binds has many values; what it walks is shown instead.
        Expr::Comprehension(walk) => collect(&walk.iter_range, variables, looks),
        _ => {}
    }
}

/// The node as a path from a variable, if it is one.
fn look(node: &IdedExpr, variables: &[Box<str>]) -> Option<Look> {
    match &node.expr {
        Expr::Ident(name) => {
            let root = name.trim_start_matches('.');
            let known = variables.iter().any(|variable| **variable == *root);
            known.then(|| Look { text: root.into(), root: root.into(), steps: Vec::new() })
        }
        Expr::Select(select) if !select.test => {
            let mut path = look(&select.operand, variables)?;
            path.text.push_str(&format!(".{}", select.field));
            path.steps.push(Step::Name(select.field.as_str().into()));
            Some(path)
        }
        Expr::Call(call) if call.func_name == operators::INDEX => {
            let [operand, index] = &call.args[..] else { return None };
            let mut path = look(operand, variables)?;
            match &index.expr {
                Expr::Literal(LiteralValue::String(name)) => {
                    path.text.push_str(&format!("[{:?}]", name.inner()));
                    path.steps.push(Step::Name(name.inner().into()));
                }
                Expr::Literal(LiteralValue::Int(index)) => {
                    path.text.push_str(&format!("[{}]", index.inner()));
                    path.steps.push(Step::Index(usize::try_from(*index.inner()).ok()?));
                }
                _ => return None,
            }
            Some(path)
        }
        _ => None,
    }
}

/// `expected status == 200, status was 404`.
pub(super) fn failure(
    source: &str,
    reason: Option<&str>,
    looks: &[Look],
    facts: &[(&str, Fact)],
    hide: &dyn Fn(&str) -> String,
) -> String {
    let mut text = format!("expected {}", excerpt(&hide(&one_line(source)), LONGEST_SOURCE));
    if let Some(reason) = reason {
        text.push_str(&format!(", but {}", excerpt(&one_line(reason), LONGEST_SOURCE)));
    }
    for look in looks {
        let root = facts.iter().find(|(name, _)| **name == *look.root).map(|(_, fact)| fact);
        match look.steps.iter().try_fold(root, |fact, step| Some(descend(fact?, step))).flatten() {
            Some(fact) => text.push_str(&format!(", {} was {}", look.text, show(fact, hide))),
            None if reason.is_none() => text.push_str(&format!(", {} was not there", look.text)),
            // The reason has said so.
            None => {}
        }
    }
    text
}

fn descend<'a>(fact: &'a Fact, step: &Step) -> Option<&'a Fact> {
    match (fact, step) {
        (Fact::Map(values), Step::Name(name)) => values.get(&**name),
        (Fact::List(values), Step::Index(index)) => values.get(*index),
        _ => None,
    }
}

/// A value in one short line.
fn show(fact: &Fact, hide: &dyn Fn(&str) -> String) -> String {
    match fact {
        Fact::Text(text) => show_text(text, hide),
        Fact::List(_) | Fact::Map(_) => {
            let mut whole = String::new();
            write_json(fact, hide, &mut whole);
            excerpt(&whole, EXCERPT)
        }
        scalar => show_scalar(scalar),
    }
}

fn show_scalar(fact: &Fact) -> String {
    match fact {
        Fact::Bool(value) => value.to_string(),
        Fact::Int(value) => value.to_string(),
        Fact::Float(value) => value.to_string(),
        Fact::Span(value) => show_span(*value),
        _ => "null".into(),
    }
}

/// `"<!doctype html>…" (5120 bytes)`; a short text is shown whole.
fn show_text(text: &str, hide: &dyn Fn(&str) -> String) -> String {
    // A secret that begins within the excerpt ends within this much more.
    let cut = text.floor_char_boundary(16 * 1024);
    let shown = one_line(&hide(&text[..cut]));
    let short = excerpt(&shown, EXCERPT);
    if short.len() == shown.len() && cut == text.len() {
        format!("{short:?}")
    } else {
        format!("{short:?} ({} bytes)", text.len())
    }
}

/// Writes values as JSON, but never much more than is shown.
fn write_json(fact: &Fact, hide: &dyn Fn(&str) -> String, into: &mut String) {
    if into.len() > 4 * EXCERPT {
        return;
    }
    let comma = |first: bool| if first { "" } else { ", " };
    match fact {
        Fact::Text(text) => into.push_str(&format!("{:?}", hide(&text[..text.floor_char_boundary(16 * 1024)]))),
        Fact::List(values) => {
            into.push('[');
            for (index, value) in values.iter().enumerate().take(4 * EXCERPT) {
                into.push_str(comma(index == 0));
                write_json(value, hide, into);
            }
            into.push(']');
        }
        Fact::Map(values) => {
            into.push('{');
            for (index, (name, value)) in values.iter().enumerate().take(4 * EXCERPT) {
                into.push_str(&format!("{}{:?}: ", comma(index == 0), hide(name)));
                write_json(value, hide, into);
            }
            into.push('}');
        }
        scalar => into.push_str(&show_scalar(scalar)),
    }
}

/// `2.31s`, `57ms`, `0.4ms`.
fn show_span(span: Duration) -> String {
    let seconds = span.as_secs_f64();
    if seconds >= 1.0 {
        format!("{seconds:.2}s")
    } else if seconds >= 0.01 {
        format!("{:.0}ms", seconds * 1_000.0)
    } else {
        format!("{:.1}ms", seconds * 1_000.0)
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn excerpt(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Why it could not be worked out, in plain words. Holds names and types, never values of the facts' own.
pub(super) fn reason(error: &ExecutionError) -> String {
    match error {
        ExecutionError::NoSuchKey(key) => format!("there is no `{key}`"),
        ExecutionError::UndeclaredReference(name) => format!("`{name}` is not known of this check"),
        ExecutionError::IndexOutOfBounds(_) => "the list is not that long".into(),
        ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => "it divides by zero".into(),
        ExecutionError::Overflow(..) => "a number grew too large".into(),
        ExecutionError::FunctionError { function, message } => format!("{function} failed: {message}"),
        ExecutionError::NoSuchOverload(overload) => {
            let types = overload.argument_types().join(" and ");
            format!("`{}` cannot be applied to {types}", overload.function().replace('_', ""))
        }
        ExecutionError::UnsupportedBinaryOperator(operator, ..) => {
            format!("`{operator}` cannot be applied to values of these types")
        }
        ExecutionError::UnexpectedType { got, want } => format!("a {got} stands where a {want} is needed"),
        ExecutionError::ValuesNotComparable(..) => "values of these types cannot be compared".into(),
        _ => "it cannot be worked out for these values".into(),
    }
}
