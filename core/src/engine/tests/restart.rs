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
        let mut kinds = drive.kinds();
        // Cut short, the first round reaches a component more after the message than it did before.
        kinds.retain(|kind| *kind != NotificationKind::Updated);
        assert_eq!(kinds, [NotificationKind::Opened, NotificationKind::Resolved], "restart at {restart}");
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
        let mut owed = drive.owed();
        owed.retain(|owed| owed.kind != NotificationKind::Updated);
        assert_eq!(owed.len(), 4, "restart at {restart}");
        let second = owed[2];
        assert!(second.owed.since(at(800.0)) <= Duration::from_secs(21), "restart at {restart}: noticed at once");
    }
}

#[test]
fn a_rule_that_is_gone_after_a_restart_ends_its_breaches() {
    let mut drive = Drive::new(&forge(default_rules(), None));
    drive.run(0, 400, globex(300, 600));
    let stored = vec![drive.incident()];
    let other = forge(vec![error_rate("other", &["nothing"], Severity::Minor)], None);
    drive.engine = Restoring::new(other, stored).settle(at(400.0));
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

fn change() -> Rule {
    let change = Change {
        bad: Bad::Failed,
        false_alarms: FalseAlarms { count: 1, per: Duration::from_secs(30 * 86_400) },
        clear_hold: Duration::from_secs(60),
    };
    Rule { kind: RuleKind::Change(change), ..error_rate("change", &[], Severity::Major) }
}

#[test]
fn a_daemon_that_starts_again_every_five_seconds_still_ends_what_is_over() {
    let run = Consecutive { count: 3, clear_after: Duration::from_secs(60) };
    let down = Rule { kind: RuleKind::Consecutive(run), ..error_rate("down", &[], Severity::Major) };
    for rule in [error_rate("rate", &[], Severity::Major), down, change()] {
        let id = rule.id.clone();
        let mut drive = Drive::new(&forge(vec![rule], None));
        drive.run(0, 600, globex(300, 600));
        assert_eq!(drive.opened(), 1, "{id}");
        for start in (600..1600).step_by(5) {
            drive.restart(start);
            drive.go_on(start, start + 5, globex(300, 600));
        }
        assert_eq!(drive.incident().state, IncidentState::Resolved, "{id}");
        assert_eq!(drive.kinds(), [NotificationKind::Opened, NotificationKind::Resolved], "{id}");
    }
}

#[test]
fn what_ends_while_nobody_is_up_for_long_ends_though_the_results_show_no_beginning() {
    // Taken up from an incident whose beginning is older than the results: only what came since is known.
    let config = forge(vec![change()], None);
    let mut drive = Drive::new(&config);
    drive.run(0, 600, globex(300, 600));
    drive.results.retain(|judged| judged.at >= at(600.0));
    for start in (600..1600).step_by(5) {
        drive.restart(start);
        drive.go_on(start, start + 5, |_, _| None);
    }
    assert_eq!(drive.incident().state, IncidentState::Resolved);
}

#[test]
fn a_breach_that_is_found_right_after_rules_were_taken_up_tells_the_counts_of_its_window() {
    let mut drive = Drive::new(&forge(vec![error_rate("other", &["website"], Severity::Minor)], None));
    drive.run(0, 400, globex(300, 3600));
    let events: Vec<IncidentEvent> = drive.events().into_iter().cloned().collect();
    let stored = vec![lifecycle::fold(&events).unwrap()];
    let both = vec![error_rate("other", &["website"], Severity::Minor), error_rate("new", &["api"], Severity::Minor)];
    let mut restoring = Restoring::new(forge(both, None), stored);
    drive.results.iter().for_each(|judged| restoring.replay(judged));
    drive.engine = restoring.settle(at(400.0));
    drive.run(400, 440, globex(300, 3600));
    let joined = drive.events().into_iter().find_map(|event| match &event.change {
        IncidentChange::Joined { breach, .. } if breach.rule.as_str() == "new" => Some(breach.reason.clone()),
        _ => None,
    });
    let reason = joined.unwrap();
    assert!(reason.contains(" checks bad in the last 2m; "), "{reason}");
    assert!(!reason.starts_with("1 of 1 "), "{reason}");
}

#[test]
fn a_daemon_that_starts_again_every_five_seconds_from_the_beginning_tells_two_outages_and_their_ends() {
    let both = |probe: &Probe, now: u32| globex(300, 600)(probe, now).or_else(|| globex(1100, 1300)(probe, now));
    for (rule, ends_by) in [(error_rate("rate", &[], Severity::Major), 1300 + 900), (change(), 1300 + 900)] {
        let id = rule.id.clone();
        let mut config = Arc::unwrap_or_clone(forge(vec![rule], None));
        config.reopen_within = Duration::from_secs(900);
        let mut drive = Drive::new(&Arc::new(config));
        for start in (0..ends_by).step_by(5) {
            drive.restart(start);
            drive.go_on(start, start + 5, both);
            // What was not stored when it was killed.
            drive.results.pop_if(|last| last.at > at(f64::from(start) + 4.5));
        }
        assert_eq!(drive.opened(), 1, "{id}");
        assert_eq!(drive.incident().state, IncidentState::Resolved, "{id}: {:?}", drive.incident());
        let kinds = [
            NotificationKind::Opened,
            NotificationKind::Resolved,
            NotificationKind::Reopened,
            NotificationKind::Resolved,
        ];
        assert_eq!(drive.kinds(), kinds, "{id}");
    }
}

#[test]
fn a_breach_found_in_the_moment_in_which_the_one_before_ended_goes_on_after_a_restart() {
    let run = RuleKind::Consecutive(Consecutive { count: 1, clear_after: Duration::from_secs(60) });
    let rule = Rule { kind: run, ..default_rules().remove(0) };
    let config = Arc::new(Config { reopen_within: Duration::ZERO, ..(*forge(vec![rule], None)).clone() });
    let mut drive = Drive::new(&config);
    let check = |drive: &mut Drive, second: u32, outcome: Outcome| {
        let moment = at(f64::from(second));
        while let Some(due) = drive.engine.poll_timeout().filter(|due| *due <= moment) {
            drive.hand(Input::Timeout, due);
        }
        drive.hand(Input::Result(result(&"api[workspace=acme]".into(), moment, outcome)), moment);
    };
    check(&mut drive, 100, LOST);
    check(&mut drive, 120, Outcome::Success);
    check(&mut drive, 180, LOST);
    assert_eq!(drive.opened(), 2);
    let second = drive.events().last().unwrap().incident;
    let action = asks(second, ActionKind::Resolve);
    drive.hand(Input::Action(ActionId(1), action), at(180.0));
    drive.restart(180);
    check(&mut drive, 200, LOST);
    assert_eq!(drive.opened(), 2, "a person resolved it, and it goes on failing");
}

#[test]
fn a_budget_that_is_still_overdrawn_when_its_incident_ends_is_not_told_of_again_after_a_restart() {
    let minutes = |count: u64| Duration::from_secs(60 * count);
    let burn = BurnRate {
        objective: Ratio::from_percent(95),
        bad: Bad::Failed,
        per: vec![],
        long: minutes(30),
        short: minutes(20),
        factor: 1_000,
        at_least: 3,
        hold: minutes(5),
    };
    let budget = Rule { kind: RuleKind::BurnRate(burn), ..error_rate("budget", &[], Severity::Major) };
    let config = forge(vec![error_rate("rate", &[], Severity::Major), budget], None);
    let stray = |probe: &Probe, now: u32| {
        let odd = probe.id.as_str() == "api[workspace=acme]" && (1_300..1_320).contains(&now);
        odd.then_some(LOST).or_else(|| globex(300, 900)(probe, now))
    };
    for restart in [1_200, 1_310] {
        let mut drive = Drive::new(&config);
        drive.run(0, restart, stray);
        let reasons: Vec<&str> = drive
            .events()
            .into_iter()
            .filter_map(|event| match &event.change {
                IncidentChange::Cleared { reason, .. } => Some(reason.as_str()),
                _ => None,
            })
            .collect();
        assert!(reasons.iter().any(|reason| reason.contains("what burnt the budget is over")), "{reasons:?}");
        drive.restart(restart);
        drive.go_on(restart, 5_000, stray);
        assert_eq!(drive.opened(), 1, "restart at {restart}");
        drive.restart(5_000);
        drive.go_on(5_000, 6_600, globex(5_000, 5_600));
        let burnt = drive.incidents().into_iter().flat_map(|incident| incident.breaches);
        let burnt = burnt.filter(|breach| breach.rule.as_str() == "budget").count();
        assert_eq!((drive.opened(), burnt), (2, 2), "restart at {restart}: once it was low, the next is told of");
    }
}
