//! What a restart or a new config goes on with.

use super::*;

#[test]
fn an_incident_resolved_by_hand_does_not_open_again_while_it_goes_on_failing() {
    let mut drive = Drive::new(&forge(default_rules(), None));
    drive.run(0, 400, globex(300, 900));
    let action = ana(&drive, ActionKind::Resolve);
    drive.hand(Input::Action(ActionId(1), action), at(400.0));
    drive.run(400, 900, globex(300, 900));
    assert_eq!(drive.opened(), 1);
    assert_eq!(drive.kinds(), [NotificationKind::Opened, NotificationKind::Resolved]);
    drive.run(900, 1500, globex(1200, 1500));
    assert_eq!(drive.opened(), 2, "well in between: a new outage is a new incident");
}

#[test]
fn a_restart_in_mid_incident_opens_and_tells_nothing_twice() {
    let config = forge(default_rules(), Some(Duration::from_secs(3600)));
    for restart in [310, 320, 340, 400, 590, 610, 680, 719] {
        let mut drive = Drive::new(&config);
        drive.run(0, restart, globex(300, 600));
        drive.restart(restart);
        drive.run(restart, 900, globex(300, 600));
        assert_eq!(drive.opened(), 1, "restart at {restart}");
        assert_eq!(drive.kinds(), [NotificationKind::Opened, NotificationKind::Resolved], "restart at {restart}");
        assert_eq!(drive.incident().state, IncidentState::Resolved);
    }
}

#[test]
fn a_second_outage_soon_after_the_first_is_an_incident_of_its_own_also_across_a_restart() {
    let config = forge(default_rules(), None);
    let outages = |probe: &Probe, now: u32| globex(300, 600)(probe, now).or_else(|| globex(800, 1000)(probe, now));
    for restart in [781, 795, 805, 830, 990] {
        let mut drive = Drive::new(&config);
        drive.run(0, restart, outages);
        drive.restart(restart);
        drive.run(restart, 1300, outages);
        assert_eq!(drive.opened(), 2, "restart at {restart}");
        let ids: std::collections::BTreeSet<IncidentId> = drive.events().iter().map(|event| event.incident).collect();
        assert_eq!(ids.len(), 2, "restart at {restart}: each has its own id");
        assert_eq!(drive.owed().len(), 4, "restart at {restart}");
        let second = drive.owed()[2];
        assert!(second.owed.since(at(800.0)) <= Duration::from_secs(21), "restart at {restart}: noticed at once");
    }
}

#[test]
fn a_rule_that_is_gone_after_a_restart_ends_its_breaches() {
    let mut drive = Drive::new(&forge(default_rules(), None));
    drive.run(0, 400, globex(300, 600));
    let stored = vec![drive.incident()];
    drive.engine = Engine::restore(forge(vec![error_rate("other", &["nothing"], Severity::Minor)], None), stored);
    drive.engine.settle(at(400.0));
    while let Some(output) = drive.engine.poll_output() {
        drive.outputs.push(output);
    }
    assert_eq!(drive.incident().state, IncidentState::Resolved);
    assert_eq!(drive.kinds(), [NotificationKind::Opened, NotificationKind::Resolved]);
}

#[test]
fn an_outage_after_a_restart_is_told_though_the_one_before_was_resolved_by_hand() {
    let config = forge(default_rules(), None);
    for restart in [1000, 1010, 1030] {
        let mut drive = Drive::new(&config);
        drive.run(0, 400, globex(300, 500));
        let action = ana(&drive, ActionKind::Resolve);
        drive.hand(Input::Action(ActionId(1), action), at(400.0));
        drive.run(400, restart, globex(300, 500));
        // The stored incident still has a breach that no event ended: its end was nobody's news.
        drive.restart(restart);
        drive.run(restart, 1500, globex(1005, 1500));
        assert_eq!(drive.opened(), 2, "restart at {restart}");
    }
}

#[test]
fn an_incident_resolved_by_hand_stays_resolved_across_a_restart_while_it_goes_on_failing() {
    let mut drive = Drive::new(&forge(default_rules(), None));
    drive.run(0, 400, globex(300, 900));
    let action = ana(&drive, ActionKind::Resolve);
    drive.hand(Input::Action(ActionId(1), action), at(400.0));
    drive.run(400, 600, globex(300, 900));
    drive.restart(600);
    drive.run(600, 1200, globex(300, 900));
    assert_eq!(drive.opened(), 1);
}
