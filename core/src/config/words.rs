//! What short texts may be: names for people, labels, and lengths of time as a problem shows them.

use std::time::Duration;

use super::problem::Place;
use super::reader::{Entry, Reader};
use super::text::Text;
use crate::model::{LabelName, LabelValue};

/// A name for people. It stands in subjects, logs and on terminals, so it is one line without control characters.
pub(crate) fn shown_name(reader: &mut Reader<'_>, entry: Entry<'_>) -> Option<String> {
    let text = reader.text(entry)?;
    let text = shown(reader, text)?;
    if text.value.contains(char::is_control) {
        let fault = format!("`{}` has a line break or another control character in it", entry.name);
        reader.fault(text.place, fault, "write it in one line");
        return None;
    }
    Some(text.value)
}

/// A text that pages, mails or the database will show, which no secret may.
pub(crate) fn shown(reader: &mut Reader<'_>, text: Text) -> Option<Text> {
    if text.secret {
        let fault = "what `${…}` gives is a secret, and this would be shown".to_owned();
        reader.fault(text.place, fault, "write the value itself");
        return None;
    }
    Some(text)
}

/// Whether it can be a label's name: `[a-z][a-z0-9_]*`, and none of those that mean something by themselves.
pub(crate) fn label_name(reader: &mut Reader<'_>, entry: Entry<'_>) -> Option<LabelName> {
    const RESERVED: [&str; 4] = ["component", "host", "kind", "probe"];
    let name = entry.name;
    if RESERVED.contains(&name) {
        reader.fault(
            entry.at,
            format!("the label name `{name}` is taken"),
            "every check has it already: choose another",
        );
        return None;
    }
    let sound = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if !sound {
        let remedy = "it has small letters, digits and `_`, and starts with a letter";
        reader.fault(entry.at, format!("`{name}` is no label name"), remedy);
        return None;
    }
    Some(LabelName::from(name))
}

/// Whether it can be a label's value: nothing that would make a probe's id ambiguous.
pub(crate) fn label_value(reader: &mut Reader<'_>, value: &str, place: Place) -> Option<LabelValue> {
    let sound =
        !value.contains(|c: char| c.is_control() || matches!(c, ',' | '[' | ']')) && value.chars().count() <= 200;
    if !sound {
        let remedy = "it has at most 200 characters, and no `,`, `[`, `]` or line break";
        reader.fault(place, format!("`{value}` cannot be a label's value"), remedy);
    }
    sound.then(|| LabelValue::from(value))
}

/// So many seconds.
pub(crate) const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// A size in bytes, at most this: a number, or one with KiB, MiB, GiB or TiB.
pub(crate) fn size(reader: &mut Reader<'_>, entry: Entry<'_>, most: u64) -> Option<u64> {
    let text = reader.word(entry)?;
    let bytes = parse_size(&text.value).filter(|bytes| *bytes <= most);
    if bytes.is_none() {
        let fault = format!("`{}` is no size up to {}", text.show(), show_size(most));
        reader.fault(text.place, fault, "write bytes, or a number with KiB, MiB or GiB: `512KiB`");
    }
    bytes
}

/// Bytes in a second: `1MiB/s`.
pub(crate) fn rate(reader: &mut Reader<'_>, entry: Entry<'_>, most: u64) -> Option<u64> {
    let text = reader.word(entry)?;
    let bytes = text.value.strip_suffix("/s").and_then(parse_size).filter(|bytes| (1..=most).contains(bytes));
    if bytes.is_none() {
        let fault = format!("`{}` is no rate", text.show());
        reader.fault(text.place, fault, "write bytes, KiB, MiB or GiB a second: `1MiB/s`");
    }
    bytes
}

/// Bytes, or with a unit: `512`, `64KiB`, `1MiB`.
pub(crate) fn parse_size(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let power = match unit.trim() {
        "" | "B" => 0,
        "KiB" => 1,
        "MiB" => 2,
        "GiB" => 3,
        "TiB" => 4,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(1024_u64.pow(power))
}

fn show_size(bytes: u64) -> String {
    let units = [(1_u64 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match units.into_iter().find(|(unit, _)| bytes >= *unit && bytes.is_multiple_of(*unit)) {
        Some((unit, name)) => format!("{}{name}", bytes / unit),
        None => format!("{bytes} bytes"),
    }
}
