//! Renaming: what the config calls by another id goes on under that one, and what is known of it counts.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::config::Config;
use crate::model::incident::Told;
use crate::model::{
    Breach, Factor, IdOf, Incident, IncidentChange, LabelName, LabelValue, ProbeName, ReceiverId, Rule, RuleId,
};

/// What this incident knows under ids that the config has given up for others, in the order in which it is renamed.
#[must_use]
pub fn changes(incident: &Incident, config: &Config) -> Vec<IncidentChange> {
    let rules = rules(incident, config).into_iter().map(|(from, to)| (IdOf::Rule, from.to_string(), to.to_string()));
    let formerly = &config.formerly;
    let probes = formerly.probes.iter().map(|(from, to)| (IdOf::Probe, from.to_string(), to.to_string()));
    let receivers = formerly.receivers.iter().map(|(from, to)| (IdOf::Receiver, from.to_string(), to.to_string()));
    let mut now = incident.clone();
    let mut changes = Vec::new();
    for (what, from, to) in rules.chain(probes).chain(receivers) {
        let before = now.clone();
        apply(&mut now, what, &from, &to);
        if now != before {
            changes.push(IncidentChange::Renamed { what, from, to });
        }
    }
    changes
}

/// The incident as this config calls what it knows of.
#[must_use]
pub fn renamed(mut incident: Incident, config: &Config) -> Incident {
    for change in changes(&incident, config) {
        if let IncidentChange::Renamed { what, from, to } = change {
            apply(&mut incident, what, &from, &to);
        }
    }
    incident
}

/// The rule of this config that judges for a breach's rule: of the same id, of the id that it was given since, or, where
/// it is gone, the only one that means the same.
#[must_use]
pub fn rule_of<'c>(breach: &Breach, config: &'c Config) -> Option<&'c Rule> {
    let called = |id: &RuleId| config.rules.iter().find(|rule| rule.id == *id);
    called(&breach.rule).or_else(|| called(config.formerly.rules.get(&breach.rule)?)).or_else(|| {
        let meaning = breach.meaning?;
        let mut same = config.rules.iter().filter(|rule| means(rule, meaning, config));
        let first = same.next()?;
        same.next().is_none().then_some(first)
    })
}

/// Whether the rule has this meaning, or had it while its probes had their former ids.
fn means(rule: &Rule, meaning: u64, config: &Config) -> bool {
    let probes = &config.formerly.probes;
    let before = |now: &ProbeName| {
        let former = probes.iter().find(|(_, to)| *to == now).map(|(from, _)| from.clone());
        former.unwrap_or_else(|| now.clone())
    };
    rule.meaning() == meaning || (!probes.is_empty() && rule.meaning_with(before) == meaning)
}

/// The rules of an incident that go on under other ids. The last of a rule's breaches says what it means.
fn rules(incident: &Incident, config: &Config) -> BTreeMap<RuleId, RuleId> {
    let last: BTreeMap<&RuleId, &Breach> =
        incident.breaches.iter().map(|breach| (&breach.rule, breach.as_ref())).collect();
    let each = last.into_iter().filter_map(|(id, breach)| Some((id.clone(), rule_of(breach, config)?.id.clone())));
    each.filter(|(from, to)| from != to).collect()
}

/// Lets what an incident knows of one thing go on under another id.
pub(super) fn apply(incident: &mut Incident, what: IdOf, from: &str, to: &str) {
    match what {
        IdOf::Rule => {
            for breach in incident.breaches.iter_mut().filter(|breach| breach.rule.as_str() == from) {
                Arc::make_mut(breach).rule = to.into();
            }
        }
        IdOf::Probe => probe(incident, &from.into(), &to.into()),
        IdOf::Receiver => receiver(incident, &from.into(), &to.into()),
    }
}

fn probe(incident: &mut Incident, from: &ProbeName, to: &ProbeName) {
    let slices = incident.breaches.iter_mut().map(Arc::make_mut).filter_map(|breach| breach.slice.probe.as_mut());
    let examples = incident.finding.example.iter_mut().map(|example| &mut example.probe);
    for id in slices.chain(examples) {
        if let Some(renamed) = id.renamed(from, to) {
            *id = renamed;
        }
    }
    let renamed = |value: &mut LabelValue| {
        if value.as_str() == from.as_str() {
            *value = to.as_str().into();
        }
    };
    if let Some(Factor { label, values, and, .. }) = &mut incident.finding.factor {
        if is_probe(label) {
            *values = std::mem::take(values).into_iter().map(|value| with(value, renamed)).collect();
        }
        and.iter_mut().filter(|(label, _)| is_probe(label)).for_each(|(_, value)| renamed(value));
    }
    for named in incident.told.values_mut().flat_map(|told| &mut told.heard) {
        if let Some((_, values)) = named.factor.as_mut().filter(|(label, _)| is_probe(label)) {
            *values = std::mem::take(values).into_iter().map(|value| with(value, renamed)).collect();
        }
    }
}

fn is_probe(label: &LabelName) -> bool {
    label.as_str() == "probe"
}

fn with(mut value: LabelValue, change: impl Fn(&mut LabelValue)) -> LabelValue {
    change(&mut value);
    value
}

fn receiver(incident: &mut Incident, from: &ReceiverId, to: &ReceiverId) {
    if let Some(mut told) = incident.told.remove(from) {
        told.first_as.get_or_insert_with(|| from.clone());
        let both = match incident.told.remove(to) {
            Some(own) => together(told, own),
            None => told,
        };
        incident.told.insert(to.clone(), both);
    }
    if let Some(causes) = incident.withheld.remove(&Some(from.clone())) {
        incident.withheld.entry(Some(to.clone())).or_default().extend(causes);
    }
}

/// What one receiver has heard that was two: what the later message said goes on, and what either named is known.
fn together(one: Told, other: Told) -> Told {
    let (mut later, earlier) = if one.at > other.at { (one, other) } else { (other, one) };
    for named in earlier.heard {
        if !later.heard.contains(&named) {
            later.heard.push(named);
        }
    }
    later.messages = later.messages.saturating_add(earlier.messages);
    for (address, (messages, why)) in earlier.undelivered {
        later.undelivered.entry(address).or_insert_with(|| (Default::default(), why)).0.extend(messages);
    }
    later
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::incident::lifecycle;
    use crate::model::{
        BreachId, Example, Finding, IncidentEvent, Marks, Named, NotificationId, NotificationKind, Severity, Slice,
        Timestamp, WithheldFor,
    };

    fn values(names: &[&str]) -> BTreeSet<LabelValue> {
        names.iter().map(|name| LabelValue::from(*name)).collect()
    }

    /// Of the probes `till` and `home`, of which `oncall` was told, and `lead` is not.
    fn incident() -> Incident {
        let at = Timestamp::from_millis(1_000);
        let slice = Slice { labels: BTreeMap::default(), probe: Some("till[workspace=acme]".into()) };
        let breach = Breach {
            id: BreachId::derived(&["a"]),
            rule: "down".into(),
            slice,
            severity: Severity::Major,
            since: at,
            found: at,
            reason: "3 failures in a row".into(),
            marks: Marks::default(),
            usual: None,
            meaning: None,
            cleared: None,
        };
        let factor = Factor {
            label: "probe".into(),
            values: values(&["home", "till"]),
            and: None,
            bad: 3,
            looked: 3,
            bad_elsewhere: 0,
            looked_elsewhere: 9,
        };
        let (request, fault) = (String::new(), String::new());
        let example = Example { probe: "till[workspace=acme]".into(), at, request, fault };
        let finding = Finding { factor: Some(factor), example: Some(example), ..Finding::default() };
        let (mut incident, _) = lifecycle::begin(breach, finding, at);
        let told = IncidentChange::Told {
            notification: NotificationId::derived(&["a"]),
            receiver: "oncall".into(),
            kind: NotificationKind::Opened,
            reason: String::new(),
            named: None,
        };
        let (receiver, cause, reason) = (Some("lead".into()), WithheldFor::Pause, String::new());
        for change in [told, IncidentChange::Withheld { receiver, cause, reason }] {
            happen(&mut incident, change);
        }
        incident
    }

    fn happen(incident: &mut Incident, change: IncidentChange) {
        let (seq, at) = (incident.next_event, Timestamp::from_millis(2_000));
        lifecycle::apply(incident, &IncidentEvent { incident: incident.id, seq, at, change });
    }

    fn rename(incident: &mut Incident, what: IdOf, from: &str, to: &str) {
        happen(incident, IncidentChange::Renamed { what, from: from.into(), to: to.into() });
    }

    #[test]
    fn a_probe_has_its_new_id_wherever_an_incident_names_it() {
        let mut incident = incident();
        rename(&mut incident, IdOf::Probe, "till", "checkout");
        assert_eq!(incident.breaches[0].slice.to_string(), "checkout[workspace=acme]");
        assert_eq!(incident.finding.example.as_ref().unwrap().probe.as_str(), "checkout[workspace=acme]");
        assert_eq!(incident.finding.factor.as_ref().unwrap().values, values(&["checkout", "home"]));
        let heard = &incident.told[&ReceiverId::from("oncall")].heard;
        assert_eq!(*heard, [Named::of(&incident.finding)], "they have heard of it");
        let before = incident.clone();
        rename(&mut incident, IdOf::Probe, "checkou", "shop");
        assert_eq!(Incident { next_event: before.next_event, ..incident }, before, "the beginning of an id is none");
    }

    #[test]
    fn a_receiver_takes_along_what_it_was_told_and_what_was_kept_back_and_two_can_be_one() {
        let mut incident = incident();
        rename(&mut incident, IdOf::Receiver, "oncall", "night");
        rename(&mut incident, IdOf::Receiver, "lead", "night");
        let night = ReceiverId::from("night");
        assert_eq!(incident.told.keys().collect::<Vec<_>>(), [&night]);
        assert_eq!(incident.told[&night].first_as, Some("oncall".into()));
        assert_eq!(incident.withheld.keys().collect::<Vec<_>>(), [&Some(night.clone())]);
        rename(&mut incident, IdOf::Receiver, "night", "watch");
        let watch = ReceiverId::from("watch");
        assert_eq!(incident.told[&watch].first_as, Some("oncall".into()), "the thread stays the first");
        let again = IncidentChange::Told {
            notification: NotificationId::derived(&["b"]),
            receiver: "watch".into(),
            kind: NotificationKind::Reminder,
            reason: String::new(),
            named: None,
        };
        happen(&mut incident, again);
        assert_eq!(incident.told[&watch].first_as, Some("oncall".into()));
        assert!(incident.withheld.is_empty());
    }
}
