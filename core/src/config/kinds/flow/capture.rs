//! `capture`: what a step takes from its answer, by name.

use http::HeaderName;
use serde_json_path::JsonPath;

use crate::config::raw::keyed::keyed;
use crate::config::reader::{Entry, Reader};
use crate::config::text::Values;
use crate::model::kind::flow::{self, Source};

keyed! {
    /// Where a value stands in an answer: exactly one of `css`, `json`, `header`, `regex` and `cookie`.
    pub struct Capture {
        /// In the first element that this CSS selector finds.
        pub css: Option<String>,
        /// The attribute of that element. Default: its text.
        pub attribute: Option<String>,
        /// The first value that this JSONPath (RFC 9535) finds in the body: a text, a number, true or false.
        pub json: Option<String>,
        /// In this header of the answer.
        pub header: Option<String>,
        /// In the body: what the first group of this regular expression matches, or the whole where it has none.
        pub regex: Option<String>,
        /// In the cookie of this name that the answer's URL would get.
        pub cookie: Option<String>,
        /// Whether results may show the value. Default: false, it is secret.
        pub show: Option<bool>,
    }
}

/// The keys of which a capture has one.
const SOURCES: &[&str] = &["css", "json", "header", "regex", "cookie"];
/// How many captures a step may have.
const MOST_CAPTURES: usize = 32;
/// How large a compiled regular expression may be, in bytes.
const PATTERN_SIZE: usize = 1 << 20;
const EXAMPLE: &str = "write `capture: {csrf: {css: \"input[name=csrf]\", attribute: value}}`";

pub(super) fn read<'n>(
    reader: &mut Reader<'_>,
    entry: Entry<'n>,
    labels: &Values<'_>,
) -> Option<Vec<(&'n str, flow::Capture)>> {
    let entries = reader.ids(entry, EXAMPLE)?;
    if entries.len() > MOST_CAPTURES {
        reader.fault(
            entry.at,
            format!("a step has at most {MOST_CAPTURES} captures"),
            "capture less, or in two steps",
        );
        return None;
    }
    let count = entries.len();
    let mut captures = Vec::with_capacity(count);
    for entry in entries {
        if labels.contains_key(entry.name) {
            reader.fault(entry.at, format!("`{}` is a label already", entry.name), "give the capture another name");
            continue;
        }
        captures.extend(one(reader, entry).map(|capture| (entry.name, capture)));
    }
    (captures.len() == count).then_some(captures)
}

fn one(reader: &mut Reader<'_>, entry: Entry<'_>) -> Option<flow::Capture> {
    let table = reader.table(entry, Capture::KEYS, EXAMPLE)?;
    let mut given = SOURCES.iter().filter_map(|source| table.get(source));
    let Some(first) = given.next() else {
        reader.fault(entry.at, format!("nothing says where `{}` stands", entry.name), EXAMPLE);
        return None;
    };
    if let Some(other) = given.next() {
        let fault = format!("`{}` is captured by `{}` and by `{}`", entry.name, first.name, other.name);
        reader.fault(other.at, fault, "keep one of them");
        return None;
    }
    let attribute = table.get("attribute");
    if let Some(attribute) = attribute.filter(|_| first.name != "css") {
        reader.fault(attribute.at, "`attribute` means nothing without `css`", "remove it");
        return None;
    }
    let attribute = match attribute {
        Some(entry) => Some(reader.text(entry)?.value),
        None => None,
    };
    let show = match table.get("show") {
        Some(entry) => reader.flag(entry)?,
        None => false,
    };
    let from = source(reader, first, attribute)?;
    Some(flow::Capture { name: entry.name.into(), from, show })
}

fn source(reader: &mut Reader<'_>, entry: Entry<'_>, attribute: Option<String>) -> Option<Source> {
    let text = reader.text(entry)?;
    let found = match entry.name {
        "css" => match scraper::Selector::parse(&text.value) {
            Ok(_) => Ok(Source::Css { selector: text.value.clone(), attribute }),
            Err(why) => {
                Err((format!("`{}` is no CSS selector: {why}", text.show()), "write one like `input[name=csrf]`"))
            }
        },
        "json" => match JsonPath::parse(&text.value) {
            Ok(path) => Ok(Source::Json(path.into())),
            Err(why) => Err((format!("`{}` is no JSONPath: {why}", text.show()), "write one like `$.id` (RFC 9535)")),
        },
        "header" => match HeaderName::from_bytes(text.value.as_bytes()) {
            Ok(name) => Ok(Source::Header(name)),
            Err(_) => Err((format!("`{}` is no header name", text.show()), "write one like `location`")),
        },
        "regex" => match regex::RegexBuilder::new(&text.value).size_limit(PATTERN_SIZE).build() {
            Ok(pattern) => Ok(Source::Regex(pattern)),
            // Its own words take several lines.
            Err(_) => Err((
                format!("`{}` is no regular expression", text.show()),
                "write one like `token=([a-z0-9]+)`, in the syntax of Rust's regex",
            )),
        },
        _ => Ok(Source::Cookie(text.value.clone())),
    };
    found.map_err(|(fault, remedy)| reader.fault(text.place, fault, remedy)).ok()
}
