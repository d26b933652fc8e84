//! Texts with holes: `${env:NAME}`, `${env:NAME:-default}` and `${file:path}` are filled in while loading,
//! `{{label}}` once for each probe.

use std::collections::BTreeMap;

use super::problem::{Place, Problem, nearest};
use super::raw::tree::Node;
use crate::model::phrase::{self, Phrase};

/// What the config may ask of the world outside. The shell gives it: the core knows neither.
pub trait Outside {
    /// The value of an environment variable, if it is set and is text.
    fn env(&self, name: &str) -> Option<String>;

    /// The content of a file; a relative path starts at the config's directory.
    ///
    /// # Errors
    /// Why it cannot be read, for people: `no such file`.
    fn file(&self, path: &str) -> Result<Vec<u8>, String>;
}

/// A text, filled in from outside.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    /// What it says.
    pub(crate) value: String,
    /// Where it stands.
    pub(crate) place: Place,
    /// Whether a part of it came from outside.
    pub(crate) secret: bool,
    /// How many characters stand between the place and the first one, if it stands in the file as it is.
    lead: Option<usize>,
}

impl Text {
    /// A text that has no holes.
    pub(crate) fn literal(value: &str, node: &Node) -> Self {
        Self { value: value.into(), place: node.place, secret: false, lead: node.lead }
    }

    /// How a problem may show it.
    pub(crate) fn show(&self) -> &str {
        if self.secret { crate::model::secret::REDACTED } else { &self.value }
    }

    /// The place of `length` characters within it, from character `start`; the whole where that is not known.
    pub(crate) fn part(&self, start: usize, length: usize) -> Place {
        within(self.place, self.lead, start, length)
    }
}

fn within(place: Place, lead: Option<usize>, start: usize, length: usize) -> Place {
    match lead {
        Some(lead) => Place { column: place.column + lead + start, length: length.max(1), ..place },
        None => place,
    }
}

/// The values of labels, by name.
pub(crate) type Values<'a> = BTreeMap<&'a str, &'a str>;

/// What stands for a value that only a check will know, while a template is judged; it can be a number, a port and
/// a part of a name.
pub(crate) const CAPTURED: &str = "60999";

/// The labels that a template can be filled with, each with one of its values.
pub(crate) struct Given<'a> {
    /// Names and values.
    pub(crate) labels: Values<'a>,
    /// Whether these are all: where `for_each` has a mistake, nobody knows.
    pub(crate) all: bool,
    /// Whether steps before may have captured some.
    pub(crate) captures: bool,
}

/// A text with holes for labels.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    pieces: Vec<Piece>,
    /// Where it stands.
    pub(crate) place: Place,
    /// Whether a part of it came from outside.
    pub(crate) secret: bool,
}

#[derive(Clone, Debug)]
enum Piece {
    Plain(String),
    Label(String),
}

impl Template {
    /// Fills in the labels; the filter sees what stands before a value, and the value.
    pub(crate) fn fill(&self, labels: &Values<'_>, filter: fn(&str, &str) -> String) -> String {
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Plain(plain) => text.push_str(plain),
                Piece::Label(name) => {
                    let value = filter(&text, labels.get(name.as_str()).copied().unwrap_or_default());
                    text.push_str(&value);
                }
            }
        }
        text
    }

    /// Whether it begins with a value that only a check will know.
    pub(crate) fn begins_captured(&self, labels: &Values<'_>) -> bool {
        let first = self.pieces.iter().find(|piece| !matches!(piece, Piece::Plain(plain) if plain.is_empty()));
        matches!(first, Some(Piece::Label(name)) if labels.get(name.as_str()) == Some(&CAPTURED))
    }

    /// Fills in these labels and leaves open what is none of them.
    pub(crate) fn open(&self, labels: &Values<'_>, filter: fn(&str, &str) -> String) -> Phrase {
        let (mut text, mut pieces) = (String::new(), Vec::new());
        for piece in &self.pieces {
            let (shown, piece) = match piece {
                Piece::Plain(plain) => (plain.clone(), phrase::Piece::Plain(plain.clone())),
                Piece::Label(name) => match labels.get(name.as_str()) {
                    Some(value) => (filter(&text, value), phrase::Piece::Plain(filter(&text, value))),
                    None if text.is_empty() => {
                        ("https://captured.invalid/".into(), phrase::Piece::Hole(name.clone()))
                    }
                    None => (CAPTURED.into(), phrase::Piece::Hole(name.clone())),
                },
            };
            text.push_str(&shown);
            pieces.push(piece);
        }
        pieces.retain(|piece| !matches!(piece, phrase::Piece::Plain(plain) if plain.is_empty()));
        Phrase { pieces, secret: self.secret }
    }
}

/// A label's value as it is.
pub fn as_it_is(_: &str, value: &str) -> String {
    value.into()
}

/// A label's value for a URL: percent-encoded (RFC 3986, section 2) once the host is behind us.
pub fn for_url(before: &str, value: &str) -> String {
    let past_host = before.split_once("://").is_some_and(|(_, rest)| rest.contains(['/', '?', '#']));
    if !past_host {
        return value.into();
    }
    percent_encoded(value)
}

/// All but letters, digits and `-._~` percent-encoded (RFC 3986, section 2.3).
pub fn percent_encoded(value: &str) -> String {
    let mut encoded = String::new();
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// Undoes percent-encoding (RFC 3986, section 2.1); `None` where an escape is none, or what comes of it is no UTF-8.
pub(crate) fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16));
        let (high, low) = (digit()?, digit()?);
        bytes.push(u8::try_from(high * 16 + low).ok()?);
    }
    String::from_utf8(bytes).ok()
}

/// Where the next hole starts, and how it opens and closes.
fn next_hole(text: &str, labels: bool) -> Option<(usize, &'static str, &'static str)> {
    text.as_bytes().windows(2).enumerate().find_map(|(start, two)| match two {
        b"${" => Some((start, "${", "}")),
        b"{{" if labels => Some((start, "{{", "}}")),
        _ => None,
    })
}

/// Fills holes, collecting secrets and problems.
pub(crate) struct Filler<'a> {
    pub(crate) outside: &'a dyn Outside,
    pub(crate) secrets: Vec<String>,
    pub(crate) problems: Vec<Problem>,
}

impl Filler<'_> {
    /// Fills in what comes from outside.
    pub(crate) fn text(&mut self, source: &str, node: &Node) -> Option<Text> {
        let template = self.scan(source, node, None)?;
        let value = template.fill(&BTreeMap::new(), as_it_is);
        let lead = if value == source { node.lead } else { None };
        Some(Text { value, place: node.place, secret: template.secret, lead })
    }

    /// Fills in what comes from outside and leaves the labels open. Every label must be one of these.
    pub(crate) fn template(&mut self, source: &str, node: &Node, given: &Given<'_>) -> Option<Template> {
        self.scan(source, node, Some(given))
    }

    fn scan(&mut self, source: &str, node: &Node, given: Option<&Given<'_>>) -> Option<Template> {
        let mut template = Template { pieces: Vec::new(), place: node.place, secret: false };
        let (mut rest, mut at, mut sound) = (source, 0, true);
        while let Some((start, open, close)) = next_hole(rest, given.is_some()) {
            let (before, tail) = rest.split_at(start);
            let after = tail.get(open.len()..).unwrap_or_default();
            at += before.chars().count();
            if before.ends_with('$') && open == "${" {
                // `$${` stands for `${`.
                template.pieces.push(Piece::Plain(format!("{before}{{")));
                (rest, at) = (after, at + open.len());
                continue;
            }
            template.pieces.push(Piece::Plain(before.into()));
            let Some((inner, behind)) = after.split_once(close) else {
                let place = within(node.place, node.lead, at, open.len());
                self.problems.push(Problem::new(
                    place,
                    format!("this `{open}` is not closed"),
                    format!("add `{close}`"),
                ));
                return None;
            };
            let length = open.len() + inner.chars().count() + close.len();
            let place = within(node.place, node.lead, at, length);
            (rest, at) = (behind, at + length);
            let piece = match given {
                Some(given) if open == "{{" => self.label(inner.trim(), given, place).map(Piece::Label),
                _ => self.fetch(inner, place).map(|(value, secret)| {
                    template.secret |= secret;
                    Piece::Plain(value)
                }),
            };
            sound &= piece.is_some();
            template.pieces.extend(piece);
        }
        template.pieces.push(Piece::Plain(rest.into()));
        sound.then_some(template)
    }

    fn label(&mut self, name: &str, given: &Given<'_>, place: Place) -> Option<String> {
        if given.labels.contains_key(name) || !given.all {
            return Some(name.into());
        }
        let (who, way) = if given.captures {
            ("no label and no step before gives", "capture it in a step before; given here")
        } else {
            ("no label gives", "name it in `for_each` or `labels`; given here")
        };
        let remedy = nearest(name, given.labels.keys().copied(), way);
        self.problems.push(Problem::new(place, format!("{who} `{{{{{name}}}}}` a value"), remedy));
        None
    }

    /// The value, and whether it is secret: a default is written in the file for all to see.
    fn fetch(&mut self, inner: &str, place: Place) -> Option<(String, bool)> {
        let problem = match inner.split_once(':') {
            Some(("env", rest)) => {
                let (name, default) = rest.split_once(":-").map_or((rest, None), |(name, text)| (name, Some(text)));
                match (self.outside.env(name), default) {
                    (Some(value), None) => return Some(self.keep(value)),
                    (Some(value), Some(_)) if !value.is_empty() => return Some(self.keep(value)),
                    (_, Some(default)) => return Some((default.into(), false)),
                    (None, None) => Problem::new(
                        place,
                        format!("the environment variable `{name}` is not set"),
                        format!("set it, or give a default: `${{env:{name}:-default}}`"),
                    ),
                }
            }
            Some(("file", path)) => match self.outside.file(path).map(String::from_utf8) {
                Ok(Ok(content)) => {
                    let content = content.trim_end_matches(['\r', '\n']).to_owned();
                    return Some(self.keep(content));
                }
                Ok(Err(_)) => Problem::new(place, format!("the file `{path}` is not UTF-8"), "give it a text file"),
                Err(why) => Problem::new(
                    place,
                    format!("the file `{path}` cannot be read: {why}"),
                    "check the path (it starts at the config's directory) and the permissions",
                ),
            },
            _ => Problem::new(
                place,
                format!("`${{{inner}}}` names no source"),
                "write `${env:NAME}`, `${env:NAME:-default}` or `${file:path}`; `$${` stands for `${`",
            ),
        };
        self.problems.push(problem);
        None
    }

    fn keep(&mut self, value: String) -> (String, bool) {
        self.secrets.push(value.clone());
        (value, true)
    }
}
