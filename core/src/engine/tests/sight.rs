//! Sight: what waits, what becomes void, and the incident of our own.

use super::*;
use crate::model::rule::OFFLINE;
use crate::model::{Cadence, ProbeKind, Role, TcpTarget};

const CUT: Outcome = Outcome::Failure(FailureClass::Timeout);

/// The forge, and one canary, asked each 20 s like everything else.
fn with_canary() -> Arc<Config> {
    let mut config = Arc::unwrap_or_clone(forge(default_rules(), None));
    config.probes.extend([Probe {
        role: Role::Canary,
        kind: ProbeKind::Tcp(TcpTarget::bare("192.0.2.1", 443)),
        cadence: Cadence::Every(Duration::from_secs(20)),
        ..crate::model::tests::probe("canary[tcp://192.0.2.1:443]")
    }]);
    config.rules.push(Rule {
        id: OFFLINE.into(),
        kind: RuleKind::Offline,
        severity: Severity::Minor,
        ..default_rules().remove(0)
    });
    Arc::new(config)
}

fn cut(from: u32, until: u32) -> impl Fn(&Probe, u32) -> Option<Outcome> {
    move |_, now| (from..until).contains(&now).then_some(CUT)
}

#[test]
fn when_our_own_network_fails_no_incident_is_opened_against_the_service_and_one_says_that_we_cannot_see() {
    let mut drive = Drive::new(&with_canary());
    drive.run(0, 900, cut(300, 600));
    assert_eq!(drive.opened(), 1);
    let incident = drive.incident();
    assert!(incident.is_our_own() && incident.state == IncidentState::Resolved, "{incident:?}");
    assert_eq!(drive.kinds(), [NotificationKind::Opened, NotificationKind::Resolved]);
    let [opened, over] = [0, 1].map(|index| drive.owed()[index].clone());
    assert!(opened.message.title().ends_with("MINOR: Tripline cannot see"), "{}", opened.message.title());
    assert!(opened.message.text().starts_with("Tripline cannot see: none of "), "{}", opened.message.text());
    assert!(opened.message.text().contains("nor the canary reached anything since "), "{}", opened.message.text());
    assert!(opened.owed.since(at(300.0)) <= Duration::from_secs(65), "a minute after the first failure");
    assert!(over.message.text().starts_with("Tripline sees again; not measured from "), "{}", over.message.text());
    let results = || drive.results.iter().map(|judged| &judged.result);
    let failed = |result: &&CheckResult| result.outcome == CUT && !result.probe.as_str().starts_with("canary");
    assert_eq!(results().filter(failed).count(), 0, "nothing is held against the service");
    let void = results().filter(|result| result.outcome == Outcome::Void(VoidReason::Offline)).count();
    assert!(void > 100, "{void}");
}

#[test]
fn results_keep_their_order_and_none_is_lost() {
    let mut drive = Drive::new(&with_canary());
    drive.run(0, 700, cut(300, 500));
    drive.engine.finish(at(700.0));
    while let Some(output) = drive.engine.poll_output() {
        if let Output::Result(judged) = output {
            drive.results.push(judged);
        }
    }
    assert!(drive.results.is_sorted_by_key(|judged| judged.result.finished()));
    assert!(drive.results.is_sorted_by_key(|judged| judged.at));
    let made = (700.0 / 20.0 * 13.0_f64).round();
    assert!((drive.results.len() as f64 - made).abs() <= 1.0, "{}", drive.results.len());
}

#[test]
fn an_outage_of_the_network_kind_waits_for_the_next_answer_at_most() {
    let found = |class: Outcome| {
        let mut drive = Drive::new(&with_canary());
        drive.run(0, 400, |probe, now| globex(300, 400)(probe, now).map(|_| class));
        drive.incident().opened
    };
    let answers = Duration::from_millis(20_000 / 13 + 1);
    assert!(found(CUT).since(found(LOST)) <= answers, "{} {}", found(CUT), found(LOST));
}

#[test]
fn a_service_that_is_down_as_a_whole_is_told_as_such_while_the_canary_answers() {
    let mut drive = Drive::new(&with_canary());
    drive.run(0, 400, |probe, now| (now >= 300 && probe.role == Role::Service).then_some(CUT));
    assert_eq!(drive.opened(), 1);
    let incident = drive.incident();
    assert!(!incident.is_our_own());
    assert!(incident.opened.since(at(300.0)) <= Duration::from_secs(25), "{incident:?}");
}

#[test]
fn an_outage_that_is_open_when_we_go_blind_stays_open() {
    let mut drive = Drive::new(&with_canary());
    drive.run(0, 500, |probe, now| cut(400, 500)(probe, now).or_else(|| globex(300, 400)(probe, now)));
    let open: Vec<_> =
        drive.incidents().iter().filter(|incident| incident.is_open()).map(Incident::is_our_own).collect();
    assert_eq!((open.len(), open.iter().filter(|ours| **ours).count()), (2, 1));
    assert_eq!(drive.kinds(), [NotificationKind::Opened, NotificationKind::Opened]);
}

#[test]
fn after_a_restart_the_incident_of_our_own_goes_on_and_ends_when_something_answers() {
    let mut drive = Drive::new(&with_canary());
    drive.run(0, 450, cut(300, 600));
    drive.restart(450);
    drive.run(450, 700, cut(300, 600));
    assert_eq!(drive.opened(), 1);
    assert_eq!(drive.kinds(), [NotificationKind::Opened, NotificationKind::Resolved]);
    assert_eq!(drive.incident().state, IncidentState::Resolved);
}

#[test]
fn what_waits_is_bounded_in_time() {
    let mut drive = Drive::new(&with_canary());
    let first = result(&"api[workspace=acme]".into(), at(10.0), CUT);
    drive.hand(Input::Result(first.clone()), at(10.0));
    assert_eq!((drive.results.len(), drive.engine.poll_timeout()), (0, Some(at(30.0))));
    drive.hand(Input::Timeout, at(29.0));
    assert_eq!(drive.results, []);
    drive.hand(Input::Timeout, at(30.0));
    let judged = Judged { result: first, at: at(30.0) };
    assert_eq!(drive.results, [judged], "after that it is what it is");
}

#[test]
fn what_waits_is_bounded_in_number_and_given_over_whole() {
    let mut drive = Drive::new(&with_canary());
    for _ in 0..5_000 {
        drive.hand(Input::Result(result(&"api[workspace=acme]".into(), at(10.0), CUT)), at(10.0));
    }
    assert_eq!(drive.results.len(), 5_000 - 4_096);
    assert_eq!(drive.engine.take_waiting().len(), 4_096);
}

#[test]
fn a_try_that_was_made_again_opens_nothing() {
    let mut drive = Drive::new(&forge(default_rules(), None));
    for second in 0..100 {
        let tried = result(&"api[workspace=acme]".into(), at(f64::from(second)), CUT);
        drive.hand(Input::Result(CheckResult { superseded: true, ..tried }), at(f64::from(second)));
    }
    assert_eq!((drive.outputs.len(), drive.results.len()), (0, 100));
}

#[test]
fn what_was_not_measured_is_told_by_the_clock_that_was_set_back_meanwhile() {
    let mut drive = Drive::new(&with_canary());
    drive.run(3600, 3900, |_, _| None);
    drive.run(3900, 4100, cut(3900, 4100));
    drive.run(500, 800, cut(500, 700));
    let unseen = drive.incident().finding.unseen.unwrap();
    let gap = unseen.until.unwrap().since(unseen.since).as_secs();
    assert!((380..=440).contains(&gap), "{gap} s of 400: {unseen:?}");
}

#[test]
fn nothing_is_missing_while_we_are_blind_and_a_probe_that_stops_then_is_missing_after() {
    let mut config = Arc::unwrap_or_clone(with_canary());
    config.rules.push(Rule {
        id: "silent".into(),
        kind: RuleKind::Missing(Missing { after: Duration::from_secs(45) }),
        ..default_rules().remove(0)
    });
    let config = Arc::new(config);
    let mut drive = Drive::new(&config);
    drive.engine = Restoring::new(config, vec![]).settle(at(0.0));
    drive.run(0, 900, cut(300, 600));
    assert_eq!(drive.opened(), 1, "{:?}", drive.events());
    assert!(drive.incident().is_our_own());

    let silent =
        |probe: &Probe, _| (probe.id.as_str() == "api[workspace=acme]").then_some(Outcome::Void(VoidReason::Overrun));
    drive.run(900, 1000, silent);
    assert_eq!(drive.opened(), 2);
    let missing =
        drive.events().into_iter().rfind(|event| matches!(event.change, IncidentChange::Opened { .. })).unwrap();
    assert!(missing.at >= at(925.0) && missing.at <= at(945.0), "{missing:?}");
}

#[test]
fn what_was_stored_of_a_time_without_sight_shows_it_again() {
    let mut drive = Drive::new(&with_canary());
    drive.run(0, 900, cut(300, 600));
    for canaries in [true, false] {
        let mut config = Arc::unwrap_or_clone(with_canary());
        // Of one canary, and of none: then it takes two hosts.
        if !canaries {
            config.probes.retain(|probe| probe.role == Role::Service);
            let mut probes = Vec::from_iter(config.probes);
            probes[0].kind = ProbeKind::Tcp(TcpTarget::bare("192.0.2.7", 443));
            config.probes = probes.into();
        }
        let config = Arc::new(config);
        let mut replay = crate::backtest::Replay::new(Arc::clone(&config));
        let known = |judged: &&Judged| config.probes.iter().any(|probe| probe.id == judged.result.probe);
        drive.results.iter().filter(known).cloned().for_each(|judged| replay.add(judged));
        let incidents: Vec<&Incident> = replay.incidents.values().collect();
        assert!(incidents.len() == 1 && incidents[0].is_our_own(), "canaries: {canaries}; {incidents:?}");
        assert!(incidents[0].since.since(at(300.0)) <= Duration::from_secs(20), "{:?}", incidents[0]);
    }
}

#[test]
fn an_incident_of_our_own_that_a_person_ended_stays_ended_when_something_answers() {
    let mut drive = Drive::new(&with_canary());
    drive.run(0, 450, cut(300, 600));
    let action = ana(&drive, ActionKind::Resolve);
    drive.hand(Input::Action(ActionId(1), action), at(450.0));
    let ended = drive.incident();
    drive.run(450, 700, cut(300, 600));
    assert_eq!(drive.opened(), 1);
    assert_eq!(drive.incident(), ended);
}

#[test]
fn what_comes_from_a_location_of_before_is_seen_from_our_own() {
    let config = with_canary();
    let mut drive = Drive::new(&config);
    for turn in 0..160 {
        let (now, probe) = (at(f64::from(turn) * 1.5), &config.probes[turn as usize % config.probes.len()]);
        while let Some(due) = drive.engine.poll_timeout().filter(|due| *due <= now) {
            drive.hand(Input::Timeout, due);
        }
        let outcome = if turn < 60 { Outcome::Success } else { CUT };
        let known = CheckResult { location: "before".into(), ..result(&probe.id, now, outcome) };
        drive.hand(Input::Result(known), now);
    }
    assert_eq!(drive.opened(), 1);
    assert!(drive.incident().is_our_own());
    drive.hand(Input::Result(result(&config.probes[0].id, at(240.0), Outcome::Success)), at(240.0));
    assert_eq!(drive.incident().state, IncidentState::Resolved);
}
