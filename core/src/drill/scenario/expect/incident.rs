//! What one incident should be.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::bounds::{LONGEST_EXPECTED, Span, span};
use super::components;
use super::factor::{self, ExpectedFactor};
use super::message::{self, ExpectedMessage};
use crate::config::Config;
use crate::config::reader::{Entry, Reader, Table};
use crate::model::{ComponentId, Role, Severity};

const KEYS: &[&str] =
    &["factor", "components", "severity", "since", "detected_within", "resolved_within", "messages"];

/// What one incident should be, in the end; and its messages, as they were sent.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ExpectedIncident {
    /// What its failing checks have in common.
    pub factor: Option<ExpectedFactor>,
    /// The components that it names: these, and no others.
    pub components: Option<BTreeSet<ComponentId>>,
    /// How grave it is.
    pub severity: Option<Severity>,
    /// When its first bad check ended.
    pub since: Option<Span>,
    /// The longest time from the beginning of the earliest fault that it is of to its first message.
    pub detected_within: Option<Duration>,
    /// The longest time from the end of the last fault that it is of to its own.
    pub resolved_within: Option<Duration>,
    /// Its messages to each receiver, in their order: these, and no others.
    pub messages: Option<Vec<ExpectedMessage>>,
}

/// One of a list of incidents.
pub(super) fn listed(reader: &mut Reader<'_>, entry: Entry<'_>, configs: &[Arc<Config>]) -> Option<ExpectedIncident> {
    let entry = Entry { name: "an incident", ..entry };
    let table = reader.table(entry, KEYS, "write `- {severity: major}`")?;
    let mut found = in_the_end(reader, &table, configs);
    let time = |reader: &mut Reader<'_>, name| {
        table.get(name).and_then(|entry| reader.duration(entry, Duration::ZERO, LONGEST_EXPECTED))
    };
    found.detected_within = time(reader, "detected_within");
    found.resolved_within = time(reader, "resolved_within");
    let leeway = leeway(configs, found.components.as_ref());
    found.since = table.get("since").and_then(|entry| span(reader, entry, leeway));
    found.messages = table.get("messages").and_then(|entry| message::read(reader, entry, configs));
    Some(found)
}

/// What it should be in the end: the keys that a table of an incident shares with that of the whole drill.
pub(super) fn in_the_end(reader: &mut Reader<'_>, table: &Table<'_>, configs: &[Arc<Config>]) -> ExpectedIncident {
    let severities = Severity::ALL.map(|severity| (severity.as_str(), severity));
    let severity = table.get("severity").and_then(|entry| reader.choice(entry, &severities));
    let components = table.get("components").and_then(|entry| components::read(reader, entry, configs));
    let factor = table.get("factor").filter(|_| !configs.is_empty());
    let factor = factor.and_then(|entry| factor::read(reader, entry, configs));
    ExpectedIncident { factor, components, severity, ..ExpectedIncident::default() }
}

/// How much later than a fault its first bad check may end: two of the longest intervals and the longest timeout of the
/// probes of these components, of all probes without. A heartbeat has its grace for a timeout.
fn leeway(configs: &[Arc<Config>], components: Option<&BTreeSet<ComponentId>>) -> Duration {
    let probes = configs.iter().flat_map(|config| config.probes.iter()).filter(|probe| {
        probe.role == Role::Service && components.is_none_or(|named| named.contains(&probe.component))
    });
    let interval = probes.clone().filter_map(|probe| probe.interval()).max().unwrap_or_default();
    let timeout = probes.map(|probe| probe.kind.heartbeat().map_or(probe.timeout, |heartbeat| heartbeat.grace)).max();
    interval.saturating_mul(2).saturating_add(timeout.unwrap_or_default())
}
