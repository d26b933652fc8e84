//! Pairing incidents that were with those that would have been.

use std::collections::BTreeMap;

use super::*;
use crate::model::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_739_288_460_000 + seconds * 1_000)
}

fn incident(name: &str, component: &str, since: i64, opened: i64, resolved: Option<i64>) -> Incident {
    Incident {
        id: IncidentId::derived(&[name]),
        state: if resolved.is_some() { IncidentState::Resolved } else { IncidentState::Investigating },
        severity: Severity::Major,
        since: at(since),
        opened: at(opened),
        resolved: resolved.map(at),
        breaches: vec![],
        finding: Finding { components: [component.into()].into(), ..Finding::default() },
        acknowledged: None,
        stretch: 0,
        see_also: BTreeMap::new(),
        corrected: Corrected::default(),
        flaps: 0,
        watched_until: None,
        unwatched: None,
        told: BTreeMap::new(),
        withheld: BTreeMap::new(),
        next_event: 1,
    }
}

#[test]
fn incidents_pair_by_time_and_component_and_the_rest_is_new_or_vanished() {
    let stored = [incident("a", "api", 0, 480, Some(900)), incident("b", "web", 0, 30, Some(60))];
    let replayed = [incident("c", "api", 10, 24, Some(800)), incident("d", "web", 3_600, 3_620, None)];
    let found = compare(&stored, &replayed, at(7_200));
    assert_eq!(found.both.len(), 1);
    assert_eq!((found.both[0].0.id, found.both[0].1.id), (stored[0].id, replayed[0].id));
    let times = times_to_detect(found.both[0].0, found.both[0].1);
    assert_eq!((times.0.as_secs(), times.1.as_secs()), (480, 24), "both from the earlier beginning");
    assert_eq!(found.vanished.iter().map(|incident| incident.id).collect::<Vec<_>>(), [stored[1].id]);
    assert_eq!(found.new.iter().map(|incident| incident.id).collect::<Vec<_>>(), [replayed[1].id]);
}

#[test]
fn of_two_that_overlap_the_one_that_does_so_longer_is_the_partner() {
    let stored = [incident("a", "api", 0, 20, Some(1_000))];
    let replayed = [incident("c", "api", 0, 20, Some(60)), incident("d", "api", 100, 120, Some(1_000))];
    let found = compare(&stored, &replayed, at(7_200));
    assert_eq!(found.both[0].1.id, replayed[1].id);
    assert_eq!(found.new.len(), 1);
}

#[test]
fn that_we_could_not_see_is_the_same_when_both_say_so_and_no_outage_of_the_service() {
    let unseen = |name: &str, opened| {
        let mut incident = incident(name, "api", 0, opened, Some(900));
        let unseen = Unseen { since: at(0), until: Some(at(900)), checks: 9, hosts: 2, canaries: 0 };
        incident.finding = Finding { unseen: Some(unseen), ..Finding::default() };
        incident
    };
    let (stored, replayed) = ([unseen("a", 60)], [unseen("b", 62), incident("c", "api", 0, 60, Some(900))]);
    let found = compare(&stored, &replayed, at(7_200));
    assert_eq!(
        found.both.iter().map(|(was, would)| (was.id, would.id)).collect::<Vec<_>>(),
        [(stored[0].id, replayed[0].id)]
    );
    assert_eq!((found.vanished.len(), found.new.len()), (0, 1));
}

#[test]
fn what_a_rule_about_missing_checks_noticed_has_not_vanished_unless_no_such_rule_is_left() {
    let breach = |rule: &str, class| Breach {
        id: BreachId::derived(&[rule]),
        rule: rule.into(),
        slice: Slice::default(),
        severity: Severity::Major,
        since: at(0),
        found: at(0),
        reason: String::new(),
        marks: Marks { classes: [class].into(), ..Marks::default() },
        usual: None,
        meaning: None,
        cleared: None,
    };
    let rule = |id: &str, kind| Rule {
        id: id.into(),
        over: Scope::default(),
        kind,
        severity: Severity::Major,
        tell: vec![],
        built_in: false,
    };
    let missing = |id: &str| rule(id, RuleKind::Missing(Missing { after: std::time::Duration::from_secs(600) }));
    let run = Consecutive { count: 3, clear_after: std::time::Duration::from_secs(60) };
    let set_aside = |class, rules: Vec<Rule>| {
        let was = Incident { breaches: vec![breach("silent", class).into()], ..incident("a", "api", 0, 0, Some(60)) };
        let stored = [was];
        let mut found = compare(&stored, &[], at(7_200));
        found.set_aside(&Config { rules, ..crate::config::tests::empty() });
        (found.vanished.len(), found.not_judged.len())
    };
    assert_eq!(set_aside(FailureClass::Missing, vec![missing("silent")]), (0, 1));
    assert_eq!(set_aside(FailureClass::Missing, vec![missing("renamed")]), (0, 1));
    assert_eq!(set_aside(FailureClass::Missing, vec![rule("run", RuleKind::Consecutive(run))]), (1, 0));
    assert_eq!(set_aside(FailureClass::NotFound, vec![missing("renamed")]), (1, 0));
}
