//! `messages`: what the messages about an incident should be, as they were sent.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::bounds::LONGEST_EXPECTED;
use super::components;
use super::factor::{self, ExpectedFactor};
use crate::config::Config;
use crate::config::raw::tree::Value;
use crate::config::reader::{Entry, Reader};
use crate::model::{ComponentId, NotificationKind};

const KEYS: &[&str] = &["kind", "components", "factor", "within"];
const EXAMPLE: &str = "write `- {kind: opened, components: [website], within: 60s}`";

/// What one message should be, as it was sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExpectedMessage {
    /// What kind of news it brings.
    pub kind: NotificationKind,
    /// The components that it names: these, and no others.
    pub components: Option<BTreeSet<ComponentId>>,
    /// What it says that failing checks have in common.
    pub factor: Option<ExpectedFactor>,
    /// How long it takes at most: from the beginning of the earliest fault that its incident is of; that the incident is
    /// over, from the end of the last.
    pub within: Option<Duration>,
}

/// A list of messages; an empty one: there is none.
pub(super) fn read(
    reader: &mut Reader<'_>,
    entry: Entry<'_>,
    configs: &[Arc<Config>],
) -> Option<Vec<ExpectedMessage>> {
    if matches!(&entry.node.value, Value::List(items) if items.is_empty()) {
        return Some(Vec::new());
    }
    let entries = reader.list(entry, EXAMPLE)?;
    let read: Vec<Option<ExpectedMessage>> =
        entries.into_iter().map(|entry| message(reader, entry, configs)).collect();
    read.into_iter().collect()
}

fn message(reader: &mut Reader<'_>, entry: Entry<'_>, configs: &[Arc<Config>]) -> Option<ExpectedMessage> {
    let entry = Entry { name: "a message", ..entry };
    let table = reader.table(entry, KEYS, EXAMPLE)?;
    let kinds = NotificationKind::ALL.map(|kind| (kind.as_str(), kind));
    let kind = reader.need(&table, "kind", EXAMPLE).and_then(|entry| reader.choice(entry, &kinds));
    let components = table.get("components").and_then(|entry| components::read(reader, entry, configs));
    let factor = table.get("factor").filter(|_| !configs.is_empty());
    let factor = factor.and_then(|entry| factor::read(reader, entry, configs));
    let within = table.get("within").and_then(|entry| reader.duration(entry, Duration::ZERO, LONGEST_EXPECTED));
    Some(ExpectedMessage { kind: kind?, components, factor, within })
}
