//! False alarms: how often each rule gave one, and what to do about it.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::config::Config;
use crate::model::unit::show_duration;
use crate::model::{Incident, RuleId};

/// So far back they are counted.
pub const COUNTED: Duration = Duration::from_secs(30 * 86_400);

/// After so many of one rule something is to be done about it.
const MANY: usize = 3;

/// What to do about the rules of an incident that was a false alarm, by all the recent ones: a sentence for each rule that
/// gave many.
#[must_use]
pub fn advice(incident: &Incident, recent: &[Incident], config: &Config) -> Vec<String> {
    let rules: BTreeSet<&RuleId> = incident.breaches.iter().map(|breach| &breach.rule).collect();
    let each = rules.into_iter().filter_map(|id| {
        let is_its = |incident: &&Incident| incident.breaches.iter().any(|breach| breach.rule == *id);
        let is_alarm = |incident: &&Incident| incident.corrected.false_alarm.is_some();
        let count = recent.iter().filter(is_alarm).filter(is_its).count();
        let rule = config.rules.iter().find(|rule| rule.id == *id).filter(|_| count >= MANY)?;
        let retry = if rule.kind.judges_probes() { "; or its probes a `retry`" } else { "" };
        Some(format!(
            "Rule {id} gave {count} false alarms within {}. Give it more patience: {}{retry}.",
            show_duration(COUNTED),
            rule.kind.patience()
        ))
    });
    each.collect()
}
