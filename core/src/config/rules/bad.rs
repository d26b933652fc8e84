//! `bad`: what counts as bad.

use crate::config::expect::condition;
use crate::config::problem::nearest;
use crate::config::reader::{Entry, Reader, Table};
use crate::model::{Bad, FailureClass};

/// What counts as bad; every failed check when it is not given.
pub(super) fn what_is_bad(reader: &mut Reader<'_>, table: &Table<'_>) -> Option<Bad> {
    match table.get("bad") {
        Some(entry) => bad(reader, entry),
        None => Some(Bad::Failed),
    }
}

/// `failure == "not_found"` is judged without CEL; everything else is a condition.
fn bad(reader: &mut Reader<'_>, entry: Entry<'_>) -> Option<Bad> {
    let text = reader.text(entry)?;
    let Some((name, start)) = failure_name(&text.value) else {
        return condition(reader, entry, &Bad::VARIABLES).map(Bad::When);
    };
    if let Some(class) = FailureClass::from_name(name) {
        return Some(Bad::Class(class));
    }
    let remedy = nearest(name, FailureClass::ALL.iter().map(|class| class.as_str()), "it is one of");
    reader.fault(text.part(start, name.chars().count()), format!("there is no failure class `{name}`"), remedy);
    None
}

/// The name in `failure == "name"`, and at which character it starts.
fn failure_name(source: &str) -> Option<(&str, usize)> {
    let rest = source.trim().strip_prefix("failure")?.trim_start().strip_prefix("==")?.trim_start();
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let name = rest.strip_prefix(quote)?.strip_suffix(quote)?;
    if name.contains(['"', '\'', '\\']) {
        return None;
    }
    let start = source.find(name).filter(|_| !name.is_empty()).unwrap_or_default();
    let start = source.get(..start).map_or(0, |before| before.chars().count());
    Some((name, start))
}
