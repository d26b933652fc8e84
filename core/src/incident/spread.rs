//! What somebody has not heard of an incident: what a message says beside all that messages said before.

use std::collections::BTreeSet;

use crate::config::Config;
use crate::model::{ComponentId, LabelName, LabelValue, Named, Probe, Role};

/// What is hit, in this, that is new for somebody who has heard those messages; `None` if nothing is.
///
/// A message that named no customers was about all of them. Where a few checks fail everywhere, each component's turn
/// comes by chance: that is said once, and further components are no news.
#[must_use]
pub fn unheard(heard: &[Named], now: &Named, config: &Config) -> Option<String> {
    let whom = customers(now, config);
    let said = |other: &Named| {
        let to_all = match (customers(other, config), whom) {
            (None, _) => true,
            (Some((label, values)), Some((own, now))) => label == own && values.is_superset(now),
            (Some(_), None) => false,
        };
        to_all && other.components.is_superset(&now.components)
    };
    let is_said = |other: &Named| if other.everywhere { now.everywhere } else { said(other) };
    if heard.iter().any(is_said) {
        return None;
    }
    let telling: Vec<&Named> = heard.iter().filter(|other| !other.everywhere).collect();
    let known: BTreeSet<&ComponentId> = telling.iter().flat_map(|other| &other.components).collect();
    let service = config.probes.iter().filter(|probe| probe.role == Role::Service);
    let new: Vec<&Probe> = service
        .filter(|probe| names(now, probe, config) && !telling.iter().any(|other| names(other, probe, config)))
        .collect();
    let components: Vec<&str> =
        now.components.iter().filter(|id| !known.contains(id)).map(|id| config.component_name(id)).collect();
    let mut news = Vec::new();
    if !components.is_empty() {
        news.push(components.join(", "));
    }
    let mut others = new.iter().filter(|probe| known.contains(&probe.component)).peekable();
    if others.peek().is_some() {
        news.push(match customers(now, config) {
            Some((label, _)) => {
                let values: BTreeSet<LabelValue> = others.filter_map(|probe| probe.label(label)).collect();
                let values: Vec<&str> = values.iter().map(LabelValue::as_str).collect();
                format!("{label}={}", values.join(", "))
            }
            None => "customers that were not named before".to_owned(),
        });
    }
    if news.is_empty() { None } else { Some(news.join(" and ")) }
}

/// The customers that a message named; nothing where it was about all of them.
fn customers<'n>(named: &'n Named, config: &Config) -> Option<(&'n LabelName, &'n BTreeSet<LabelValue>)> {
    named
        .factor
        .as_ref()
        .filter(|(label, _)| config.cohorts.contains_key(label))
        .map(|(label, values)| (label, values))
}

/// Whether a message that named this was about what this probe asks.
fn names(named: &Named, probe: &Probe, config: &Config) -> bool {
    let is_hit = |(label, values): (&LabelName, &BTreeSet<LabelValue>)| {
        probe.label(label).is_some_and(|value| values.contains(&value))
    };
    named.components.contains(&probe.component) && customers(named, config).is_none_or(is_hit)
}
