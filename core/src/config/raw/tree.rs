//! The file as a tree of values, each with its place: what lets every problem be found in one go.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_yaml::{Location, Spanned};

use crate::config::problem::{Place, Problem};

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// Where it stands: the whole value if it fits on one line, otherwise its start.
    pub(crate) place: Place,
    /// How many characters stand between the place and the value's first one (a quote), if the value stands
    /// there letter by letter, so that a place within it can be shown.
    pub(crate) lead: Option<usize>,
    /// What it is.
    pub(crate) value: Value,
}

/// What a value is.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    /// Nothing, or `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, as it was written.
    Number(String),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// Keys and values in the order of the file; keys may occur twice.
    Map(Vec<(Node, Node)>),
}

/// How large a file may be. Real ones are some kilobytes.
const LARGEST_FILE: usize = 4 * 1024 * 1024;

/// How deep values may stand in each other. The format itself needs seven.
const DEEPEST_NESTING: usize = 32;

/// How many values there may be, counted again for each alias.
const MOST_VALUES: usize = 1_000_000;

/// Reads YAML 1.2. `no` and `yes` are texts; anchors, aliases and merge keys work, within bounds.
pub(crate) fn parse(text: &str) -> Result<Node, Problem> {
    let start = Place { line: 1, column: 1, length: 1 };
    if text.len() > LARGEST_FILE {
        let fault = format!("the file has {} bytes; at most {LARGEST_FILE} are read", text.len());
        return Err(Problem::new(start, fault, "a config is some kilobytes: is this the right file?"));
    }
    let mut budget = serde_yaml::budget::Budget::default();
    budget.max_depth = DEEPEST_NESTING;
    budget.flow_nesting_limit = DEEPEST_NESTING;
    budget.max_events = MOST_VALUES;
    budget.max_nodes = MOST_VALUES;
    let mut limits = serde_yaml::options::AliasLimits::default();
    limits.max_total_replayed_events = MOST_VALUES / 10;
    let options = serde_yaml::options! {
        budget: Some(budget),
        alias_limits: limits,
        // Both are found by us, together with all other problems.
        duplicate_keys: serde_yaml::options::DuplicateKeyPolicy::PassThrough,
        merge_keys: serde_yaml::options::MergeKeyPolicy::AsOrdinary,
        non_finite_float_policy: serde_yaml::options::NonFiniteFloatPolicy::PassThrough,
        reject_unsupported_tags: true,
        strict_booleans: true,
        with_snippet: false,
    };
    match serde_yaml::from_str_with_options::<Spanned<Loose>>(text, options) {
        Ok(root) => settle(root, text),
        Err(error) => Err(syntax(&error, start)),
    }
}

fn syntax(error: &serde_yaml::Error, start: Place) -> Problem {
    use serde_yaml::Error::{AliasError, AliasReplayLimitExceeded, Budget, Eof, MultipleDocuments, UnknownAnchor};
    if let AliasError { error, .. } = error {
        return syntax(error, start);
    }
    let place = error.location().map_or(start, |location| place_of(location, None));
    match error.without_snippet() {
        Eof { .. } => empty(start),
        AliasReplayLimitExceeded { .. } => {
            Problem::new(place, "the aliases of this file unfold to too much", "write the values out")
        }
        Budget { .. } => Problem::new(
            place,
            format!("the file is nested deeper than {DEEPEST_NESTING} levels or has more than {MOST_VALUES} values"),
            "a config needs neither: is this the right file?",
        ),
        MultipleDocuments { .. } => {
            Problem::new(place, "a second YAML document starts here", "remove the `---`: a config is one document")
        }
        UnknownAnchor { .. } => Problem::new(
            place,
            "this alias has no anchor before it",
            "put the text in quotes if `*` is meant literally",
        ),
        other => {
            let shown = other.to_string();
            let first = shown.lines().next().unwrap_or_default();
            if first.contains("recursion limit") {
                let fault = format!("the file is nested deeper than {DEEPEST_NESTING} levels");
                return Problem::new(place, fault, "a config needs seven: is this the right file?");
            }
            // The place is shown by us, in our own form.
            let first = first.split(" at line ").next().unwrap_or_default();
            Problem::new(
                place,
                format!("this is no YAML: {first}"),
                "check indentation (spaces, no tabs), colons and quotes",
            )
        }
    }
}

pub(crate) fn empty(place: Place) -> Problem {
    Problem::new(place, "the file is empty", "it needs at least `name`, `components` and `probes`")
}

/// What serde gives, before the source text is looked at.
enum Loose {
    Null,
    Bool(bool),
    Number,
    Text(String),
    List(Vec<Spanned<Loose>>),
    Map(Vec<(Spanned<Loose>, Spanned<Loose>)>),
}

impl<'de> Deserialize<'de> for Loose {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LooseVisitor)
    }
}

struct LooseVisitor;

impl<'de> Visitor<'de> for LooseVisitor {
    type Value = Loose;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Loose, E> {
        Ok(Loose::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Loose, E> {
        Ok(Loose::Bool(value))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Loose, E> {
        Ok(Loose::Number)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Loose, E> {
        Ok(Loose::Number)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Loose, E> {
        Ok(Loose::Number)
    }

    fn visit_str<E>(self, value: &str) -> Result<Loose, E> {
        Ok(Loose::Text(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Loose, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Loose::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Loose, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry::<Spanned<Loose>, Spanned<Loose>>()? {
            if map.len() >= MOST_VALUES {
                return Err(A::Error::custom("a map has too many keys"));
            }
            map.push(entry);
        }
        Ok(Loose::Map(map))
    }
}

fn place_of(location: Location, source: Option<&str>) -> Place {
    let whole = |number: u64| usize::try_from(number).unwrap_or(usize::MAX).max(1);
    let length = source.map_or(1, |source| source.lines().next().unwrap_or_default().chars().count());
    Place { line: whole(location.line()), column: whole(location.column()), length: length.max(1) }
}

fn slice(location: Location, text: &str) -> Option<&str> {
    let start = usize::try_from(location.span().byte_offset()?).ok()?;
    let length = usize::try_from(location.span().byte_len()?).ok()?;
    text.get(start..start.checked_add(length)?)
}

/// Looks up what the tree cannot say: numbers as they were written, and whether a text stands there as it is.
fn settle(node: Spanned<Loose>, text: &str) -> Result<Node, Problem> {
    let source = slice(node.defined, text);
    let place = place_of(node.defined, source);
    let mut lead = None;
    let value = match node.value {
        Loose::Null => Value::Null,
        Loose::Bool(value) => Value::Bool(value),
        Loose::Number => Value::Number(source.unwrap_or_default().trim().into()),
        Loose::Text(value) => {
            lead = source.and_then(|source| source.find(&value)).filter(|lead| *lead < 2 && !value.contains('\n'));
            Value::Text(value)
        }
        Loose::List(items) => {
            Value::List(items.into_iter().map(|item| settle(item, text)).collect::<Result<_, _>>()?)
        }
        Loose::Map(entries) => {
            let mut map = Vec::with_capacity(entries.len());
            for (key, value) in entries {
                map.push((settle(key, text)?, settle(value, text)?));
            }
            Value::Map(merge(map)?)
        }
    };
    Ok(Node { place, lead, value })
}

/// Applies `<<: *other`: the keys of the other map that this one does not have itself.
fn merge(map: Vec<(Node, Node)>) -> Result<Vec<(Node, Node)>, Problem> {
    let is_merge = |key: &Node| matches!(&key.value, Value::Text(name) if name == "<<");
    if !map.iter().any(|(key, _)| is_merge(key)) {
        return Ok(map);
    }
    let name_of = |key: &Node| match &key.value {
        Value::Text(name) | Value::Number(name) => Some(name.clone()),
        _ => None,
    };
    let mut names: BTreeSet<String> = map.iter().filter_map(|(key, _)| name_of(key)).collect();
    let (merges, mut own): (Vec<_>, Vec<_>) = map.into_iter().partition(|(key, _)| is_merge(key));
    for (key, value) in merges {
        let maps = match value.value {
            Value::List(maps) => maps,
            _ => vec![value],
        };
        for other in maps {
            let Value::Map(entries) = other.value else {
                return Err(Problem::new(
                    key.place,
                    "`<<` takes a map",
                    "write `<<: *name`, with `&name` on a map above",
                ));
            };
            own.extend(entries.into_iter().filter(|(key, _)| name_of(key).is_none_or(|name| names.insert(name))));
        }
    }
    Ok(own)
}
