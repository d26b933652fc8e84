//! What people say of an incident while it goes on.

use super::*;
use crate::incident::impact::Impact;
use crate::incident::postmortem::{Review, draft};

fn says(drive: &mut Drive, kind: ActionKind, text: &str, seconds: f64) {
    let action = Action { text: text.into(), ..ana(drive, kind) };
    drive.hand(Input::Action(ActionId(1), action), at(seconds));
}

#[test]
fn the_states_of_statuspage_are_said_by_hand_kept_across_a_restart_and_end_by_themselves() {
    let mut drive = Drive::new(&forge(default_rules(), None));
    drive.run(0, 400, globex(300, 600));
    assert_eq!(drive.incident().state, IncidentState::Investigating);
    says(&mut drive, ActionKind::Identify, "the feature-flag service is down", 400.0);
    assert_eq!(drive.incident().state, IncidentState::Identified);
    drive.restart(410);
    drive.run(410, 500, globex(300, 600));
    says(&mut drive, ActionKind::Watch, "flags are served from the cache", 500.0);
    assert_eq!(drive.incident().state, IncidentState::Monitoring);
    drive.run(500, 900, globex(300, 600));
    let incident = drive.incident();
    assert_eq!(incident.state, IncidentState::Resolved);
    assert_eq!(drive.kinds(), [NotificationKind::Opened, NotificationKind::Resolved], "nobody is mailed for it");

    let events: Vec<IncidentEvent> = drive.events().into_iter().cloned().collect();
    let config = Arc::clone(drive.engine.config());
    let impact = Impact::new(&incident, &config);
    let review = Review {
        incident: &incident,
        events: &events,
        config: &config,
        impact: &impact,
        sent: &[],
        verdicts: &[],
        failures: &[],
    };
    let text = draft(&review);
    let cause = "## Root cause\n\nAna at 2025-02-11 15:47:40 UTC: the feature-flag service is down\n\n*What failed";
    assert!(text.contains(cause), "{text}");
    let said =
        ["Identified by ana: the feature-flag service is down", "Repaired and monitored by ana: flags are served"];
    assert!(said.iter().all(|line| text.contains(line)), "{text}");
}

#[test]
fn what_comes_back_after_its_end_is_taken_on_by_nobody_until_somebody_does_again() {
    let mut config = Arc::unwrap_or_clone(forge(default_rules(), None));
    config.reopen_within = Duration::from_secs(900);
    let mut drive = Drive::new(&Arc::new(config));
    let again = |probe: &Probe, now: u32| globex(300, 600)(probe, now).or_else(|| globex(1_100, 1_400)(probe, now));
    drive.run(0, 400, again);
    says(&mut drive, ActionKind::Acknowledge, "", 400.0);
    drive.run(400, 1_000, again);
    assert!(drive.incident().resolved.is_some() && drive.incident().acknowledged.is_some());
    drive.run(1_000, 1_300, again);
    assert_eq!((drive.incident().resolved, drive.incident().acknowledged), (None, None));
}

#[test]
fn what_comes_back_while_it_is_said_to_be_mended_is_investigated_again() {
    let mut config = Arc::unwrap_or_clone(forge(default_rules(), None));
    config.reopen_within = Duration::from_secs(900);
    let mut drive = Drive::new(&Arc::new(config));
    drive.run(0, 400, globex(300, 600));
    says(&mut drive, ActionKind::Watch, "", 400.0);
    let again = |probe: &Probe, now: u32| globex(300, 600)(probe, now).or_else(|| globex(900, 1000)(probe, now));
    drive.run(400, 1000, again);
    assert_eq!(drive.incident().state, IncidentState::Investigating);
    assert!(drive.events().iter().any(|event| event.change.to_string() == "repaired and monitored by ana"));
}

/// The server has refused this message for good.
pub(super) fn refused(owed: &Notification) -> Undelivered {
    Undelivered {
        incident: owed.incident,
        notification: owed.id,
        receiver: "oncall".into(),
        address: "oncall@example.com".into(),
        why: "550 no such user".into(),
    }
}

#[test]
fn a_message_after_one_that_was_refused_says_that_it_is_the_first_that_gets_there() {
    let mut drive = Drive::new(&forge(default_rules(), None));
    drive.run(0, 350, globex(300, 600));
    let opened = drive.owed()[0].clone();
    let undelivered = refused(&opened);
    for _ in 0..2 {
        drive.hand(Input::Undelivered(undelivered.clone()), at(350.0));
    }
    let noted = |event: &&&IncidentEvent| matches!(event.change, IncidentChange::Undelivered { .. });
    assert_eq!(drive.events().iter().filter(noted).count(), 1, "it is noted once");
    drive.restart(350);
    drive.run(350, 900, globex(300, 600));
    let resolved = drive.owed().last().unwrap().message.text().to_owned();
    let says = "this is the first message that oncall@example.com can get; the one before was not delivered: 550 no such user";
    assert!(resolved.contains(says), "{resolved}");
}

#[test]
fn who_resolves_what_still_fails_is_told_that_it_does() {
    for (at_second, fails) in [(400, true), (700, false)] {
        let mut drive = Drive::new(&forge(default_rules(), None));
        drive.run(0, at_second, globex(300, 640));
        says(&mut drive, ActionKind::Resolve, "", f64::from(at_second));
        let text = drive.owed().last().unwrap().message.text();
        let says = "A person resolved it before it was known to have recovered: 404 Not Found for workspace=globex";
        assert_eq!(text.starts_with(says), fails, "{text}");
    }
}

/// One rule that notices at once, per workspace, and one that looks at everything for longer.
fn narrow_and_wide() -> Arc<Config> {
    let mut wide = error_rate("wide", &[], Severity::Major);
    if let RuleKind::ErrorRate(rate) = &mut wide.kind {
        (rate.above, rate.within, rate.per) = (Ratio::from_percent(10), Duration::from_secs(1_200), Vec::new());
    }
    let rules = vec![error_rate("narrow", &[], Severity::Major), wide];
    Arc::new(Config { reopen_within: Duration::from_secs(900), ..(*forge(rules, None)).clone() })
}

#[test]
fn what_goes_on_after_a_person_resolved_it_is_no_news_to_a_rule_that_notices_later() {
    for kind in [ActionKind::Resolve, ActionKind::FalseAlarm] {
        for restart in [None, Some(450)] {
            let mut drive = Drive::new(&narrow_and_wide());
            drive.run(0, 400, globex(300, 2_000));
            says(&mut drive, kind, "the probe asks the wrong host", 400.0);
            let before = drive.kinds();
            drive.run(400, 450, globex(300, 2_000));
            restart.into_iter().for_each(|at| drive.restart(at));
            drive.run(450, 1_900, globex(300, 2_000));
            assert_eq!((drive.opened(), drive.kinds()), (1, before), "{kind:?}, restart {restart:?}");
            let events = drive.events().into_iter();
            let said: Vec<String> = events.map(|event| event.change.to_string()).collect();
            let why = "rule wide crossed its threshold for all checks only with bad checks of this incident, which is resolved";
            assert_eq!(said.iter().filter(|said| said.contains(why)).count(), 1, "{said:#?}");
        }
    }
}

#[test]
fn another_outage_is_told_while_what_a_person_resolved_goes_on() {
    let mut drive = Drive::new(&narrow_and_wide());
    let hit = |probe: &Probe, name: &str| probe.labels.values().any(|value| value.as_str() == name);
    let both = |probe: &Probe, now: u32| {
        let other = hit(probe, "acme") && probe.component.as_str() == "api" && now >= 700;
        let other = other.then_some(Outcome::Failure(FailureClass::ServerError));
        globex(300, 2_000)(probe, now).or(other)
    };
    drive.run(0, 400, both);
    says(&mut drive, ActionKind::FalseAlarm, "the probe asks the wrong host", 400.0);
    drive.run(400, 900, both);
    assert_eq!(drive.opened(), 2);
    let text = drive.owed().last().unwrap().message.text();
    assert!(
        text.lines().next().is_some_and(|first| first.contains("on API") && !first.contains("Website")),
        "{text}"
    );
    let bad = drive.incidents().iter().map(|incident| incident.finding.bad).min();
    assert!(bad >= Some(3), "no rule is breached by less");
}
