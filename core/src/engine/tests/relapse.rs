//! What comes back, what is another outage, and what follows from another.

use super::*;
use NotificationKind::{Opened, Reopened, Resolved};

fn reopening(rules: Vec<Rule>) -> Arc<Config> {
    Arc::new(Config { reopen_within: Duration::from_secs(900), ..(*forge(rules, None)).clone() })
}

/// All incidents, as their events make them, in the order in which they were opened.
fn incidents(drive: &Drive) -> Vec<Incident> {
    let mut histories: Vec<(IncidentId, Vec<IncidentEvent>)> = Vec::new();
    for event in drive.events() {
        match histories.iter_mut().find(|(id, _)| *id == event.incident) {
            Some((_, events)) => events.push(event.clone()),
            None => histories.push((event.incident, vec![event.clone()])),
        }
    }
    histories.iter().map(|(_, events)| lifecycle::fold(events).unwrap()).collect()
}

#[test]
fn what_comes_back_within_a_quarter_of_an_hour_is_the_same_incident_also_across_a_restart() {
    let outages = |probe: &Probe, now: u32| globex(300, 600)(probe, now).or_else(|| globex(1200, 1500)(probe, now));
    for restart in [None, Some(800), Some(1100), Some(1350)] {
        let mut drive = Drive::new(&reopening(default_rules()));
        drive.run(0, restart.unwrap_or(800), outages);
        if let Some(restart) = restart {
            drive.restart(restart);
        }
        drive.run(restart.unwrap_or(800), 2400, outages);
        assert_eq!(drive.opened(), 1, "restart at {restart:?}");
        assert_eq!(drive.kinds(), [Opened, Resolved, Reopened, Resolved], "restart at {restart:?}");
        let incident = drive.incident();
        assert_eq!((incident.flaps, incident.is_open()), (1, false));
        let back = drive.owed()[2];
        assert!(back.message.title().contains("BACK AGAIN"), "{}", back.message.title());
        let Message::Mail(mail) = &back.message;
        assert!(mail.thread.is_some(), "it answers in the thread of the first");
    }
    let mut drive = Drive::new(&reopening(default_rules()));
    drive.run(0, 4000, |probe, now| globex(300, 600)(probe, now).or_else(|| globex(2400, 2600)(probe, now)));
    assert_eq!(drive.opened(), 2, "half an hour later it is another");
}

#[test]
fn an_outage_that_comes_and_goes_for_two_hours_is_one_incident_that_says_so_in_few_messages() {
    let mut drive = Drive::new(&reopening(default_rules()));
    // Three minutes bad, five minutes well.
    drive.run(0, 7200 + 2400, |probe, now| globex(0, 7200)(probe, now).filter(|_| now % 480 < 180));
    let incident = drive.incident();
    assert_eq!(drive.opened(), 1);
    assert!(incident.flaps > 10, "{} flaps", incident.flaps);
    assert_eq!(drive.kinds(), [Opened, Resolved, Reopened, Resolved]);
    let end = incident.resolved.unwrap().since(at(7200.0)).as_secs();
    assert!((600..1200).contains(&end), "watched before it was over, for {end} s");
}

fn refused(probe: &Probe) -> Option<Outcome> {
    (probe.component.as_str() == "api" && probe.labels.values().any(|value| value.as_str() == "acme"))
        .then_some(Outcome::Failure(FailureClass::Forbidden))
}

#[test]
fn two_outages_that_have_nothing_in_common_stay_two_with_their_own_factors() {
    let one = |probe: &Probe| {
        probe.component.as_str() == "website" && probe.labels.values().any(|v| v.as_str() == "globex")
    };
    let mut rule = error_rate("spike", &[], Severity::Major);
    if let RuleKind::ErrorRate(rate) = &mut rule.kind {
        rate.above = Ratio::from_percent(10);
    }
    for later in [300, 330, 500] {
        let mut drive = Drive::new(&reopening(vec![rule.clone()]));
        drive.run(0, 1500, |probe, now| {
            let first = (one(probe) && (300..900).contains(&now)).then_some(LOST);
            first.or_else(|| refused(probe).filter(|_| (later..900).contains(&now)))
        });
        let found = incidents(&drive);
        assert_eq!(found.len(), 2, "the second {} s later", later - 300);
        for incident in &found {
            let factor = incident.finding.factor.as_ref().unwrap();
            let (customer, component, class) = match incident.finding.failure.unwrap() {
                FailureClass::NotFound => ("globex", "website", FailureClass::NotFound),
                _ => ("acme", "api", FailureClass::Forbidden),
            };
            assert_eq!(factor.values.iter().map(|value| value.as_str()).collect::<Vec<_>>(), [customer]);
            assert_eq!(factor.and.as_ref().unwrap().1.as_str(), component, "both labels together separate best");
            assert_eq!(incident.finding.failure, Some(class));
            assert_eq!((factor.bad_elsewhere, factor.bad), (0, factor.looked));
        }
    }
}

#[test]
fn what_depends_on_what_fails_joins_it_and_is_named_as_a_consequence() {
    let mut config = (*reopening(default_rules())).clone();
    config.components[0].depends_on = vec!["git-https".into()];
    let mut drive = Drive::new(&Arc::new(config));
    drive.run(0, 1200, |probe, now| match probe.component.as_str() {
        "git-https" if (300..700).contains(&now) => Some(Outcome::Failure(FailureClass::ServerError)),
        "website" if (400..700).contains(&now) => Some(Outcome::Failure(FailureClass::Expectation)),
        _ => None,
    });
    assert_eq!(drive.opened(), 1);
    let last = drive.owed().last().unwrap().message.text().to_owned();
    assert!(last.contains("Website: cannot work without others that are hit"), "{last}");
}

#[test]
fn an_incident_that_hits_most_customers_on_most_components_is_graver_than_its_rule_says() {
    let mut drive = Drive::new(&reopening(default_rules()));
    drive.run(0, 900, |_, now| (300..600).contains(&now).then_some(LOST));
    let incident = drive.incident();
    assert_eq!(incident.severity, Severity::Critical);
    assert_eq!(incident.breaches[0].severity, Severity::Major);
    assert_eq!(drive.opened(), 1);
}

#[test]
fn what_failed_before_it_came_back_is_not_told_of_again_after_a_restart() {
    let website = |probe: &Probe| probe.component.as_str() == "website";
    let outages = |probe: &Probe, now: u32| {
        globex(300, 600)(probe, now).or_else(|| globex(900, 1500)(probe, now).filter(|_| website(probe)))
    };
    let told = |restart: Option<u32>| {
        let mut drive = Drive::new(&reopening(default_rules()));
        drive.run(0, restart.unwrap_or(1200), outages);
        if let Some(restart) = restart {
            drive.restart(restart);
        }
        drive.run(restart.unwrap_or(1200), 1400, outages);
        assert_eq!(drive.opened(), 1, "restart at {restart:?}");
        drive.incident()
    };
    let through = told(None);
    assert_eq!(through.finding.components, std::collections::BTreeSet::from(["website".into()]));
    for restart in [1000, 1200, 1390] {
        let restarted = told(Some(restart));
        assert_eq!(restarted.finding.components, through.finding.components, "restart at {restart}");
        assert_eq!(restarted.severity, through.severity, "restart at {restart}");
    }
}

#[test]
fn what_a_person_ended_too_early_and_comes_back_later_still_ends_by_itself() {
    let outages = |probe: &Probe, now: u32| globex(300, 600)(probe, now).or_else(|| globex(900, 1200)(probe, now));
    for restart in [None, Some(500), Some(800), Some(1000)] {
        let mut drive = Drive::new(&reopening(default_rules()));
        drive.run(0, 400, outages);
        let action = ana(&drive, ActionKind::Resolve);
        drive.hand(Input::Action(ActionId(1), action), at(400.0));
        drive.run(400, restart.unwrap_or(500), outages);
        if let Some(restart) = restart {
            drive.restart(restart);
        }
        drive.run(restart.unwrap_or(500), 2400, outages);
        assert_eq!(drive.kinds(), [Opened, Resolved, Reopened, Resolved], "restart at {restart:?}");
        assert!(!drive.incident().is_failing() && !drive.incident().is_open(), "restart at {restart:?}");
    }
}
