//! The messages about one incident, as they were sent, held against what is expected of them.

use std::collections::BTreeMap;
use std::time::Duration;

use super::components::show_components;
use super::factor::{Shared, show_expected};
use crate::drill::owed::Owed;
use crate::drill::played::Played;
use crate::drill::report::Report;
use crate::drill::scenario::ExpectedMessage;
use crate::drill::verdict::Verdict;
use crate::model::unit::show_duration;
use crate::model::{NotificationKind, ReceiverId};

/// What the expected messages came to, for each receiver; `of` stands before the key.
pub(super) fn judge(of: &str, expected: &[ExpectedMessage], found: Option<&Played>, report: &Report) -> Vec<Verdict> {
    let wanted = kinds(expected.iter().map(|message| message.kind));
    let Some(played) = found else {
        return vec![Verdict::new(format!("{of}messages"), wanted, "no incident".to_owned(), false)];
    };
    let mut received: BTreeMap<&ReceiverId, Vec<&Owed>> = BTreeMap::new();
    for owed in report.notifications.iter().filter(|owed| owed.what.incident == played.incident.id) {
        received.entry(&owed.what.receiver).or_default().push(owed);
    }
    if received.is_empty() {
        return vec![Verdict::new(format!("{of}messages"), wanted, kinds(std::iter::empty()), expected.is_empty())];
    }
    let several = received.len() > 1;
    let mut verdicts = Vec::new();
    for (receiver, messages) in received {
        let to = if several { format!(" to {receiver}") } else { String::new() };
        let right = expected.iter().map(|message| message.kind).eq(messages.iter().map(|owed| owed.what.kind));
        if !right {
            let told: Vec<String> = messages.iter().map(|owed| describe(owed, report)).collect();
            verdicts.push(Verdict::new(format!("{of}messages{to}"), wanted.clone(), told.join("; "), false));
            continue;
        }
        verdicts.push(Verdict::new(format!("{of}messages{to}"), wanted.clone(), wanted.clone(), true));
        for (index, (expected, owed)) in expected.iter().zip(messages).enumerate() {
            let about = format!("{of}message {}{to}: ", index + 1);
            verdicts.extend(one(&about, expected, owed, played, report));
        }
    }
    verdicts
}

/// One message, of the expected kind.
fn one(about: &str, expected: &ExpectedMessage, owed: &Owed, played: &Played, report: &Report) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    let mut say = |key: &str, expected: String, found: Option<String>, met: bool| {
        let found = found.unwrap_or_else(|| "what it named is not recorded".to_owned());
        verdicts.push(Verdict::new(format!("{about}{key}"), expected, found, met));
    };
    let named = owed.named.as_ref();
    if let Some(expected) = &expected.components {
        let found = named.map(|named| &named.components);
        say("components", show_components(expected), found.map(show_components), found == Some(expected));
    }
    if let Some(expected) = &expected.factor {
        let found = named.map(Shared::named);
        let met = found.is_some_and(|found| found.is(expected));
        say("factor", show_expected(expected), found.map(Shared::show), met);
    }
    if let Some(most) = expected.within {
        let took = took(owed, played, report);
        let met = took.is_ok_and(|took| took <= most);
        say("within", show_duration(most), Some(took.map_or_else(str::to_owned, show_duration)), met);
    }
    verdicts
}

/// How long it took, or why that cannot be said.
fn took(owed: &Owed, played: &Played, report: &Report) -> Result<Duration, &'static str> {
    let (began, ended) = played.cause.ok_or("no fault that the incident is of")?;
    let at = owed.at.since(report.start);
    if owed.what.kind == NotificationKind::Resolved {
        return at.checked_sub(ended).ok_or("before the fault's end");
    }
    at.checked_sub(began).ok_or("before the fault's beginning")
}

/// A message in one line: `opened at 10m17s (website; workspace=globex not_found)`.
fn describe(owed: &Owed, report: &Report) -> String {
    let at = owed.at.since(report.start).saturating_sub(report.take.shift);
    let named = owed.named.as_ref();
    let named =
        named.map(|named| format!(" ({}; {})", show_components(&named.components), Shared::named(named).show()));
    format!("{} at {}{}", owed.what.kind.as_str(), show_duration(at), named.unwrap_or_default())
}

/// Kinds of messages in one line.
fn kinds(kinds: impl Iterator<Item = NotificationKind>) -> String {
    let names: Vec<&str> = kinds.map(NotificationKind::as_str).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
