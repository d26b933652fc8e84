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

/// Bytes, or with KiB or MiB: `512`, `64KiB`, `1MiB`.
pub(crate) fn parse_size(text: &str) -> Option<usize> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let size = match unit.trim() {
        "" | "B" => 1,
        "KiB" => 1024,
        "MiB" => 1024 * 1024,
        _ => return None,
    };
    number.parse::<usize>().ok()?.checked_mul(size)
}

/// So many seconds.
pub(crate) const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}
