//! Reads values out of the tree: each with its type, each problem noted, and on to the next.

use std::time::Duration;

use super::encoded::encodings;
use super::problem::{Place, Problem, closest, nearest};
use super::raw::tree::{Node, Value};
use super::text::{Filler, Given, Outside, Template, Text};
use crate::model::unit::{parse_duration, show_duration};
use crate::model::{Ratio, Secrets};

/// A key and its value.
#[derive(Clone, Copy)]
pub(crate) struct Entry<'n> {
    /// The key.
    pub(crate) name: &'n str,
    /// Where the key stands.
    pub(crate) at: Place,
    /// The value.
    pub(crate) node: &'n Node,
}

/// Which keys were asked for, of maps with these known ones.
#[cfg(test)]
pub(crate) type Asked = std::collections::BTreeMap<&'static [&'static str], std::collections::BTreeSet<String>>;

#[cfg(test)]
thread_local! {
    pub(crate) static ASKED: std::cell::RefCell<Asked> = std::cell::RefCell::default();
}

/// A map with known keys.
pub(crate) struct Table<'n> {
    /// What problems with the whole point at.
    pub(crate) at: Place,
    known: &'static [&'static str],
    entries: Vec<Entry<'n>>,
}

impl<'n> Table<'n> {
    /// The entries whose keys are not known, which has been told, and the known one that each was probably meant to be.
    pub(crate) fn unknown(&self) -> impl Iterator<Item = (&Entry<'n>, Option<&'static str>)> {
        let unknown = self.entries.iter().filter(|entry| !self.known.contains(&entry.name));
        unknown.map(|entry| (entry, closest(entry.name, self.known)))
    }

    /// The entry with this key, which must be one of the known ones.
    pub(crate) fn get(&self, name: &str) -> Option<Entry<'n>> {
        debug_assert!(self.known.contains(&name), "{name} is not among the known keys");
        #[cfg(test)]
        ASKED.with_borrow_mut(|asked| asked.entry(self.known).or_default().insert(name.to_owned()));
        self.entries.iter().find(|entry| entry.name == name).copied()
    }
}

/// Names that a reference may point to.
pub(crate) struct Names<'a> {
    /// What they are names of: `component`.
    pub(crate) what: &'static str,
    /// The names.
    pub(crate) all: Vec<&'a str>,
    /// Whether it is a problem of its own, already told, that there are none.
    pub(crate) needed: bool,
}

/// Reads values and collects problems.
pub(crate) struct Reader<'a> {
    filler: Filler<'a>,
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::Text(_) => "a text",
        Value::List(_) => "a list",
        Value::Map(_) => "a map",
    }
}

impl<'a> Reader<'a> {
    pub(crate) fn new(outside: &'a dyn Outside) -> Self {
        Self { filler: Filler { outside, secrets: Vec::new(), problems: Vec::new() } }
    }

    /// The problems and the secrets, these in every form in which they may be said back.
    pub(crate) fn finish(self) -> (Vec<Problem>, Secrets) {
        let Filler { problems, mut secrets, .. } = self.filler;
        let encoded: Vec<String> = secrets.iter().flat_map(|secret| encodings(secret)).collect();
        secrets.extend(encoded);
        (problems, Secrets::new(secrets))
    }

    /// Notes a problem.
    pub(crate) fn fault(&mut self, place: Place, fault: impl Into<String>, remedy: impl Into<String>) {
        self.filler.problems.push(Problem::new(place, fault, remedy));
    }

    /// Notes a value that must not be shown.
    pub(crate) fn hide(&mut self, value: impl Into<String>) {
        self.filler.secrets.push(value.into());
    }

    fn wrong(&mut self, entry: Entry<'_>, wanted: &str, remedy: &str) {
        let place = if matches!(entry.node.value, Value::Null | Value::Map(_) | Value::List(_)) {
            entry.at
        } else {
            entry.node.place
        };
        let found = kind_of(&entry.node.value);
        self.fault(place, format!("`{}` takes {wanted}, and this is {found}", entry.name), remedy);
    }

    /// A map with these keys and no others, each at most once. Nothing at all is an empty map.
    pub(crate) fn table<'n>(
        &mut self,
        entry: Entry<'n>,
        known: &'static [&'static str],
        remedy: &str,
    ) -> Option<Table<'n>> {
        let entries = match &entry.node.value {
            Value::Null => Vec::new(),
            Value::Map(_) => self.named(entry, remedy)?,
            _ => {
                self.wrong(entry, "a map", remedy);
                return None;
            }
        };
        for Entry { name, at, .. } in &entries {
            if !known.contains(name) {
                let remedy = nearest(name, known.iter().copied(), "known here");
                self.fault(*at, format!("unknown key `{name}`"), remedy);
            }
        }
        Some(Table { at: entry.at, known, entries })
    }

    /// A map with free keys, each at most once.
    pub(crate) fn named<'n>(&mut self, entry: Entry<'n>, remedy: &str) -> Option<Vec<Entry<'n>>> {
        let Value::Map(pairs) = &entry.node.value else {
            self.wrong(entry, "a map", remedy);
            return None;
        };
        let mut seen: std::collections::BTreeMap<&str, usize> = std::collections::BTreeMap::new();
        let mut entries = Vec::with_capacity(pairs.len());
        for (key, node) in pairs {
            let (Value::Text(name) | Value::Number(name)) = &key.value else {
                self.fault(
                    key.place,
                    format!("a key is a text, and this is {}", kind_of(&key.value)),
                    "put it in quotes",
                );
                continue;
            };
            if let Some(line) = seen.get(name.as_str()) {
                let remedy = format!("the first one is on line {line}: keep one of them");
                self.fault(key.place, format!("the key `{name}` is given twice"), remedy);
                continue;
            }
            seen.insert(name, key.place.line);
            entries.push(Entry { name, at: key.place, node });
        }
        Some(entries)
    }

    /// A map whose keys are ids: `[a-z0-9][a-z0-9_-]*`.
    pub(crate) fn ids<'n>(&mut self, entry: Entry<'n>, remedy: &str) -> Option<Vec<Entry<'n>>> {
        let entries = self.named(entry, remedy)?;
        for Entry { name, at, .. } in &entries {
            if !is_id(name) {
                let remedy = "an id has small letters, digits, `-` and `_`, and starts with a letter or digit";
                self.fault(*at, format!("`{name}` is no id"), remedy);
            }
        }
        Some(entries)
    }

    /// A list with at least one item.
    pub(crate) fn list<'n>(&mut self, entry: Entry<'n>, remedy: &str) -> Option<Vec<Entry<'n>>> {
        let Value::List(items) = &entry.node.value else {
            self.wrong(entry, "a list", remedy);
            return None;
        };
        if items.is_empty() {
            self.fault(entry.at, format!("`{}` is an empty list", entry.name), remedy);
            return None;
        }
        Some(items.iter().map(|node| Entry { name: entry.name, at: node.place, node }).collect())
    }

    /// A text that is not empty.
    pub(crate) fn text(&mut self, entry: Entry<'_>) -> Option<Text> {
        let source = self.source(entry)?;
        let text = self.filler.text(source, entry.node)?;
        if text.value.trim().is_empty() {
            self.fault(entry.at, format!("`{}` is empty", entry.name), "give it a value, or remove the key");
            return None;
        }
        Some(text)
    }

    /// A text with holes for these labels. It may be empty, and a number is taken as it was written.
    pub(crate) fn template(&mut self, entry: Entry<'_>, labels: &Given<'_>) -> Option<Template> {
        let source = match &entry.node.value {
            Value::Number(source) => source,
            _ => self.source(entry)?,
        };
        self.filler.template(source, entry.node, labels)
    }

    fn source<'n>(&mut self, entry: Entry<'n>) -> Option<&'n str> {
        match &entry.node.value {
            Value::Text(source) => return Some(source),
            Value::Number(_) | Value::Bool(_) => self.wrong(entry, "a text", "put it in quotes"),
            Value::Null | Value::List(_) => self.wrong(entry, "a text", "write one text there"),
            Value::Map(_) => self.wrong(entry, "a text", "put it in quotes: a colon and a space make a map of it"),
        }
        None
    }

    /// A text, or a number as it was written.
    pub(crate) fn word(&mut self, entry: Entry<'_>) -> Option<Text> {
        match &entry.node.value {
            Value::Number(source) => Some(Text::literal(source, entry.node)),
            _ => self.text(entry),
        }
    }

    /// A duration between these two.
    pub(crate) fn duration(&mut self, entry: Entry<'_>, least: Duration, most: Duration) -> Option<Duration> {
        let text = self.word(entry)?;
        match parse_duration(&text.value) {
            Ok(duration) if duration < least || duration > most => {
                let fault = format!("`{}` is {}", entry.name, text.show());
                let remedy = format!("it must be between {} and {}", show_duration(least), show_duration(most));
                self.fault(text.place, fault, remedy);
                None
            }
            Ok(duration) => Some(duration),
            Err(why) => {
                self.fault(text.place, why.fault, why.remedy);
                None
            }
        }
    }

    /// A ratio: `5%`.
    pub(crate) fn ratio(&mut self, entry: Entry<'_>) -> Option<Ratio> {
        let text = self.word(entry)?;
        Ratio::parse(&text.value).map_err(|why| self.fault(text.place, why.fault, why.remedy)).ok()
    }

    /// A whole number between these two.
    pub(crate) fn whole(&mut self, entry: Entry<'_>, least: u64, most: u64) -> Option<u64> {
        let text = match &entry.node.value {
            Value::Number(_) | Value::Text(_) => self.word(entry)?,
            _ => {
                self.wrong(entry, "a whole number", &format!("write a number between {least} and {most}"));
                return None;
            }
        };
        let number = text.value.trim().parse().ok().filter(|number| (least..=most).contains(number));
        if number.is_none() {
            let fault = format!("`{}` is {}", entry.name, text.show());
            self.fault(text.place, fault, format!("it must be a whole number between {least} and {most}"));
        }
        number
    }

    /// `true` or `false`.
    pub(crate) fn flag(&mut self, entry: Entry<'_>) -> Option<bool> {
        match &entry.node.value {
            Value::Bool(value) => Some(*value),
            _ => {
                self.wrong(entry, "true or false", "write `true` or `false`");
                None
            }
        }
    }

    /// One of these words.
    pub(crate) fn choice<T: Copy>(&mut self, entry: Entry<'_>, choices: &[(&str, T)]) -> Option<T> {
        let text = self.word(entry)?;
        let found = choices.iter().find(|(name, _)| *name == text.value).map(|(_, choice)| *choice);
        if found.is_none() {
            let remedy = nearest(&text.value, choices.iter().map(|(name, _)| *name), "it is one of");
            self.fault(text.place, format!("`{}` cannot be `{}`", entry.name, text.show()), remedy);
        }
        found
    }

    /// A name that must be one of these.
    pub(crate) fn reference(&mut self, entry: Entry<'_>, names: &Names<'_>) -> Option<Text> {
        let text = self.word(entry)?;
        if names.all.contains(&text.value.as_str()) {
            return Some(text);
        }
        if !(names.needed && names.all.is_empty()) {
            let remedy = nearest(&text.value, names.all.iter().copied(), &format!("{}s that exist", names.what));
            self.fault(text.place, format!("there is no {} `{}`", names.what, text.show()), remedy);
        }
        None
    }

    /// A list of names, each one of these and each named once.
    pub(crate) fn references(&mut self, entry: Entry<'_>, names: &Names<'_>, remedy: &str) -> Option<Vec<String>> {
        let mut found: Vec<String> = Vec::new();
        for item in self.list(entry, remedy)? {
            let Some(text) = self.reference(item, names) else { continue };
            if found.contains(&text.value) {
                self.fault(text.place, format!("`{}` is named twice", text.show()), "name it once");
                continue;
            }
            found.push(text.value);
        }
        Some(found)
    }

    /// The bytes of the file that this text names.
    pub(crate) fn file(&mut self, entry: Entry<'_>) -> Option<(Vec<u8>, Place)> {
        let text = self.text(entry)?;
        match self.filler.outside.file(&text.value) {
            Ok(bytes) => Some((bytes, text.place)),
            Err(why) => {
                let fault = format!("the file `{}` cannot be read: {why}", text.show());
                let remedy = "check the path (it starts at the config's directory) and the permissions";
                self.fault(text.place, fault, remedy);
                None
            }
        }
    }

    /// The entry with this key, or a problem with the whole.
    pub(crate) fn need<'n>(&mut self, table: &Table<'n>, name: &str, remedy: &str) -> Option<Entry<'n>> {
        let entry = table.get(name);
        if entry.is_none() {
            self.fault(table.at, format!("`{name}` is missing"), remedy);
        }
        entry
    }
}

/// Whether it can be an id: `[a-z0-9][a-z0-9_-]*`.
pub(crate) fn is_id(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_')
}
