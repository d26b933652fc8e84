//! Drafts of incidents made by hand: what the results tell is said, and what they do not tell is not.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::model::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_739_288_460_000 + seconds * 1_000) // 2025-02-11 15:41:00 UTC
}

fn config(kinds: Vec<RuleKind>) -> Config {
    let rule = |(number, kind): (usize, RuleKind)| Rule {
        id: format!("rule-{number}").into(),
        over: Scope::default(),
        kind,
        severity: Severity::Major,
        tell: vec![],
        built_in: false,
    };
    Config {
        components: vec![Component { id: "api".into(), name: "API".into(), depends_on: vec![] }],
        probes: vec![Probe { component: "api".into(), ..crate::model::tests::probe("home") }].into(),
        rules: kinds.into_iter().enumerate().map(rule).collect(),
        ..crate::config::tests::empty()
    }
}

fn run() -> RuleKind {
    RuleKind::Consecutive(Consecutive { count: 3, clear_after: Duration::from_secs(60) })
}

fn slow() -> RuleKind {
    RuleKind::Latency(Latency {
        quantile: Ratio::from_percent(95),
        of: Phase::Total,
        above: Duration::from_secs(5),
        within: Duration::from_secs(600),
        at_least: 20,
        per: vec![],
        below: Duration::from_secs(4),
        hold: Duration::from_secs(60),
    })
}

/// Of every rule of the config one breach, from 0 s to an hour; so many checks had looked by its last bad one.
fn incident(config: &Config, looked: u32) -> Incident {
    let breach = |rule: &Rule| Breach {
        id: BreachId::derived(&[rule.id.as_str()]),
        rule: rule.id.clone(),
        slice: Slice::default(),
        severity: Severity::Major,
        since: at(0),
        found: at(20),
        reason: String::new(),
        marks: Marks::default(),
        usual: None,
        meaning: None,
        cleared: Some(at(3_600)),
    };
    Incident {
        id: IncidentId::derived(&["a"]),
        state: IncidentState::Resolved,
        severity: Severity::Major,
        since: at(0),
        opened: at(20),
        resolved: Some(at(3_600)),
        breaches: config.rules.iter().map(breach).map(Arc::new).collect(),
        finding: Finding { bad: looked, looked, components: ["api".into()].into(), ..Finding::default() },
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

fn check(probe: &str, seconds: i64, outcome: Outcome) -> Judged {
    Judged::at_once(CheckResult {
        probe: probe.into(),
        location: Location::local(),
        started: at(seconds),
        outcome,
        status: None,
        phases: Phases::default(),
        address: None,
        expires: None,
        superseded: false,
        asked: Asked::Turn,
        evidence: None,
    })
}

/// A check of each minute of the hour, those that are named here failed.
fn hour(impact: &mut Impact<'_>, failed: &[i64]) {
    for minute in 0..=60 {
        let lost = Outcome::Failure(FailureClass::NotFound);
        impact.add(&check("home", minute * 60, if failed.contains(&minute) { lost } else { Outcome::Success }));
    }
}

fn drafted(
    config: &Config,
    impact: &Impact<'_>,
    incident: &Incident,
    sent: &[Sent],
    events: &[IncidentEvent],
) -> String {
    draft(&Review { incident, events, config, impact, sent, verdicts: &[], failures: &[] })
}

#[test]
fn an_end_is_said_only_where_what_was_bad_failed_and_every_result_is_there() {
    let said = |kinds, looked| {
        let config = config(kinds);
        let incident = incident(&config, looked);
        let mut impact = Impact::new(&incident, &config);
        hour(&mut impact, &[0, 5]);
        drafted(&config, &impact, &incident, &[], &[])
    };
    let (until, duration) = ("From 2025-02-11 15:41:00 UTC until 2025-02-11 15:46:00 UTC: ", "| Duration, from");
    let resolved = "From 2025-02-11 15:41:00 UTC, resolved at 2025-02-11 16:41:00 UTC: ";
    let text = said(vec![run()], 6);
    assert!(text.contains(until) && text.contains("check to the last | 5m |"), "{text}");
    for text in [said(vec![slow()], 6), said(vec![run(), slow()], 6), said(vec![run()], 200)] {
        assert!(text.contains(resolved) && !text.contains(duration), "{text}");
    }
}

#[test]
fn results_are_missing_only_where_fewer_are_stored_than_were_counted_and_what_did_not_come_was_never_stored() {
    let missing = |kinds, looked, failed: &[i64]| {
        let config = config(kinds);
        let incident = incident(&config, looked);
        let mut impact = Impact::new(&incident, &config);
        hour(&mut impact, failed);
        impact.missing()
    };
    // The last slow check ended the hour, long after the last failure.
    assert_eq!(missing(vec![slow()], 61, &[5]), None);
    let said = missing(vec![slow()], 62, &[5]).unwrap();
    assert!(said.starts_with("At most 61 of the 62 checks that were counted then are stored"), "{said}");
    let silent = || RuleKind::Missing(Missing { after: Duration::from_secs(600) });
    assert_eq!(missing(vec![run(), silent(), silent()], 63, &[60]), None);
    assert!(missing(vec![run(), silent(), silent()], 64, &[60]).is_some());
}

#[test]
fn after_the_clock_was_set_back_a_mail_was_taken_when_it_was_owed_by_the_same_clock() {
    let config = config(vec![run()]);
    let incident = incident(&config, 6);
    let by = Duration::from_secs(600);
    let event = |seq, at, change| IncidentEvent { incident: incident.id, seq, at, change };
    let (breach, finding) = (incident.breaches[0].as_ref().clone(), incident.finding.clone());
    // Opened at 20 s, by a clock that was 10 minutes fast.
    let events = [
        event(0, at(620), IncidentChange::Opened { breach, finding }),
        event(1, at(640), IncidentChange::ClockSetBack { by }),
    ];
    let said = |accepted| {
        let kind = NotificationKind::Opened;
        let (to, state) = ("oncall@forge.example".into(), "accepted".into());
        let mail = Sent { kind, to, owed: at(620), delivered: Some(accepted), attempts: 1, state };
        drafted(&config, &Impact::new(&incident, &config), &incident, &[mail], &events)
    };
    let text = said(at(625));
    assert!(text.contains("| Time to the first delivery | 25s |"), "{text}");
    assert!(text.contains("| 2025-02-11 15:41:20 | Notification \"opened\" to "), "{text}");
    assert!(text.contains("delivered at 15:41:25 (1 attempt)"), "{text}");
    let text = said(at(90));
    assert!(text.contains("delivered at 15:42:30 (1 attempt)"), "taken by the clock as it goes now: {text}");
}

#[test]
fn events_of_one_moment_stay_in_their_order() {
    let config = config(vec![run()]);
    let incident = incident(&config, 6);
    let event = |seq, change| IncidentEvent { incident: incident.id, seq, at: at(20), change };
    let (breach, finding) = (incident.breaches[0].as_ref().clone(), incident.finding.clone());
    let events = [
        event(0, IncidentChange::Opened { breach, finding }),
        event(1, IncidentChange::Acknowledged { by: "ana".into() }),
        event(2, IncidentChange::Mended { by: "zoe".into(), text: "it is mended".into() }),
    ];
    let text = drafted(&config, &Impact::new(&incident, &config), &incident, &[], &events);
    let place = |what: &str| text.find(what).unwrap_or_else(|| panic!("{what}\n{text}"));
    assert!(place("Detected: ") < place("Acknowledged by ana"), "{text}");
    assert!(place("Acknowledged by ana") < place("Repaired and monitored by zoe"), "{text}");
}

#[test]
fn customers_left_out_of_a_table_may_have_failed_as_much_as_those_in_it() {
    let names: Vec<String> = (10..33).map(|number| format!("w{number}")).collect();
    let mut config = config(vec![run()]);
    config.cohorts = BTreeMap::from([("workspace".into(), names.iter().map(|name| name.as_str().into()).collect())]);
    let probe = |name: &String| {
        let labels = [("workspace".into(), name.as_str().into())].into();
        Probe { component: "api".into(), labels, ..crate::model::tests::probe(name) }
    };
    config.probes = names.iter().map(probe).collect();
    let incident = incident(&config, 23);
    let mut impact = Impact::new(&incident, &config);
    for name in &names {
        impact.add(&check(name, 0, Outcome::Failure(FailureClass::NotFound)));
    }
    let text = drafted(&config, &impact, &incident, &[], &[]);
    assert!(text.contains("| w29 | 1 | 1 | 100.0% |\n\n... and 3 more, with shares no larger.\n"), "{text}");
}
