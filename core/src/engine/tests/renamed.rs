//! A changed config is no recovery: what has another id goes on, and what nothing watches any more is not said to be over.

use super::*;
use crate::incident::impact::Impact;
use NotificationKind::{Opened, Resolved};

fn changed(config: &Arc<Config>, change: impl FnOnce(&mut Config)) -> Arc<Config> {
    let mut config = Config::clone(config);
    change(&mut config);
    Arc::new(config)
}

/// Takes up this config, as a reload does.
pub(super) fn take_up(drive: &mut Drive, config: &Arc<Config>, now: u32) {
    drive.engine = Restoring::new(Arc::clone(config), vec![]).begin();
    drive.restart(now);
}

pub(super) fn forge_that_reopens(rules: Vec<Rule>) -> Arc<Config> {
    changed(&forge(rules, None), |config| config.reopen_within = Duration::from_secs(900))
}

/// The built-in-like rules of these tests: a share, and failures of one probe in a row.
pub(super) fn rules() -> Vec<Rule> {
    let run = RuleKind::Consecutive(Consecutive { count: 3, clear_after: Duration::from_secs(60) });
    vec![error_rate("spike", &[], Severity::Major), Rule { kind: run, ..error_rate("down", &[], Severity::Minor) }]
}

fn rule<'c>(config: &'c mut Config, id: &str) -> &'c mut Rule {
    config.rules.iter_mut().find(|rule| rule.id.as_str() == id).unwrap()
}

/// Gives the rule another id, and another meaning too.
fn rename_rule(config: &mut Config, from: &str, to: &str) {
    let rule = rule(config, from);
    rule.id = to.into();
    if let RuleKind::ErrorRate(rate) = &mut rule.kind {
        rate.above = Ratio::from_percent(6);
    }
}

fn rename_probe(config: &mut Config, from: &str, to: &str) {
    let (from, to) = (ProbeName::from(from), ProbeName::from(to));
    let renamed = config.probes.iter().cloned().map(|probe| match probe.id.renamed(&from, &to) {
        Some(id) => Probe { id, name: to.clone(), ..probe },
        None => probe,
    });
    config.probes = renamed.collect();
}

/// The receiver has another id now.
pub(super) fn oncall_is_called_night(config: &Arc<Config>) -> Arc<Config> {
    changed(config, |config| {
        let night = Receiver { id: "night".into(), ..receiver(None) };
        config.receivers = BTreeMap::from([("night".into(), night)]);
        config.rules.iter_mut().for_each(|rule| rule.tell = vec!["night".into()]);
        config.formerly.receivers.insert("oncall".into(), "night".into());
    })
}

fn renamed(drive: &Drive) -> Vec<String> {
    let events = drive.events().into_iter();
    let events = events.filter(|event| matches!(event.change, IncidentChange::Renamed { .. }));
    events.map(|event| event.change.to_string()).collect()
}

fn api_fails(probe: &Probe, now: u32) -> Option<Outcome> {
    (probe.component.as_str() == "api" && (300..900).contains(&now)).then_some(LOST)
}

#[test]
fn a_rule_that_says_what_it_was_called_goes_on_silently_also_when_it_starts_twice_after_it() {
    let config = forge_that_reopens(rules());
    let called = changed(&config, |config| {
        rename_rule(config, "spike", "surge");
        config.formerly.rules.insert("spike".into(), "surge".into());
    });
    let mut drive = Drive::new(&config);
    drive.run(0, 400, globex(300, 900));
    for start in [400, 500, 600] {
        take_up(&mut drive, &called, start);
        drive.run(start, start + 100, globex(300, 900));
        assert_eq!(drive.kinds(), [Opened], "at {start}");
        assert_eq!(renamed(&drive), ["rule spike is called surge now"], "at {start}");
    }
    assert!(drive.incident().breaches.iter().all(|breach| breach.rule.as_str() != "spike"));
    drive.run(700, 1500, globex(300, 900));
    assert_eq!(drive.kinds(), [Opened, Resolved]);
    assert_eq!((drive.opened(), drive.incident().unwatched), (1, None));
}

#[test]
fn a_probe_that_says_what_it_was_called_goes_on_silently_and_its_results_count() {
    let config = forge_that_reopens(rules());
    let called = changed(&config, |config| {
        rename_probe(config, "api", "rest");
        config.formerly.probes.insert("api".into(), "rest".into());
    });
    let mut drive = Drive::new(&config);
    drive.run(0, 400, api_fails);
    for start in [400, 500] {
        take_up(&mut drive, &called, start);
        drive.run(start, start + 100, api_fails);
        assert_eq!(drive.kinds(), [Opened], "at {start}");
        assert_eq!(renamed(&drive), ["probe api is called rest now"], "at {start}");
    }
    let slices: Vec<String> = drive.incident().breaches.iter().map(|breach| breach.slice.to_string()).collect();
    assert!(slices.iter().any(|slice| slice == "rest[workspace=acme]"), "{slices:?}");
    assert!(slices.iter().all(|slice| !slice.starts_with("api")), "{slices:?}");
    let incident = drive.incident();
    let mut impact = Impact::new(&incident, &called);
    drive.results.iter().for_each(|judged| impact.add(judged));
    let failed = drive.results.iter().filter(|judged| judged.result.outcome == LOST).count();
    assert_eq!((impact.unknown, impact.total.failed), (0, u64::try_from(failed).unwrap()));
    drive.run(600, 1500, api_fails);
    assert_eq!(drive.kinds(), [Opened, Resolved]);
    assert_eq!((drive.opened(), drive.incident().unwatched), (1, None));
}

#[test]
fn a_receiver_that_says_what_it_was_called_is_not_notified_again_and_its_thread_goes_on() {
    let config = forge_that_reopens(rules());
    let called = oncall_is_called_night(&config);
    let mut drive = Drive::new(&config);
    drive.run(0, 400, globex(300, 900));
    for start in [400, 500] {
        take_up(&mut drive, &called, start);
        drive.run(start, start + 100, globex(300, 900));
        assert_eq!(drive.kinds(), [Opened], "at {start}");
        assert_eq!(renamed(&drive), ["receiver oncall is called night now"], "at {start}");
    }
    drive.run(600, 1500, globex(300, 900));
    assert_eq!(drive.kinds(), [Opened, Resolved]);
    let owed = drive.owed();
    assert_eq!([owed[0].receiver.as_str(), owed[1].receiver.as_str()], ["oncall", "night"]);
    let [Message::Mail(first), Message::Mail(second), ..] = [&owed[0].message, &owed[1].message];
    assert_eq!(second.thread.as_deref(), Some(first.id.as_str()));
}

#[test]
fn all_three_renamed_at_once_and_an_end_that_may_come_back_under_the_new_ids() {
    let config = forge_that_reopens(rules());
    let called = changed(&config, |config| {
        rename_rule(config, "spike", "surge");
        rename_probe(config, "api", "rest");
        config.formerly.rules.insert("spike".into(), "surge".into());
        config.formerly.probes.insert("api".into(), "rest".into());
    });
    let outages = |probe: &Probe, now: u32| {
        let hit = (300..900).contains(&now) || (1300..1600).contains(&now);
        (probe.component.as_str() == "api" && hit).then_some(LOST)
    };
    let mut drive = Drive::new(&config);
    drive.run(0, 1200, outages);
    assert_eq!(drive.kinds(), [Opened, Resolved]);
    take_up(&mut drive, &called, 1200);
    assert_eq!(renamed(&drive).len(), 2, "an end that may come back is renamed too");
    let withheld = |drive: &Drive| {
        drive.events().into_iter().filter(|event| matches!(event.change, IncidentChange::Withheld { .. })).count()
    };
    assert_eq!(withheld(&drive), 0, "another id is no news");
    drive.run(1200, 2600, outages);
    assert_eq!(drive.kinds(), [Opened, Resolved, NotificationKind::Reopened, Resolved]);
    assert_eq!(drive.opened(), 1);
}

#[test]
fn a_rule_is_known_again_by_what_it_means_whatever_its_id_severity_and_receivers() {
    let config = forge_that_reopens(default_rules());
    let called = changed(&config, |config| {
        let rule = rule(config, "not-found-spike");
        (rule.id, rule.severity) = ("surge".into(), Severity::Critical);
    });
    let mut drive = Drive::new(&config);
    drive.run(0, 400, globex(300, 900));
    for start in [400, 500] {
        take_up(&mut drive, &called, start);
        drive.run(start, start + 100, globex(300, 900));
        assert_eq!(drive.kinds(), [Opened], "at {start}");
        assert_eq!(renamed(&drive), ["rule not-found-spike is called surge now"], "at {start}");
    }
    drive.run(600, 1500, globex(300, 900));
    assert_eq!((drive.kinds(), drive.opened()), (vec![Opened, Resolved], 1));
}

#[test]
fn two_rules_that_mean_the_same_are_not_taken_for_the_one_that_is_gone() {
    let config = forge_that_reopens(default_rules());
    let doubled = changed(&config, |config| {
        rule(config, "not-found-spike").id = "surge".into();
        let again = Rule { id: "flood".into(), ..config.rules[0].clone() };
        config.rules.push(again);
    });
    let mut drive = Drive::new(&config);
    drive.run(0, 400, globex(300, 900));
    take_up(&mut drive, &doubled, 400);
    assert_eq!(renamed(&drive), Vec::<String>::new());
    assert!(drive.incident().unwatched.is_some());
}

#[test]
fn two_rules_that_become_one_have_one_breach_and_it_ends() {
    let mut both = default_rules();
    both.push(Rule { id: "other".into(), ..both[0].clone() });
    let config = forge_that_reopens(both);
    let merged = changed(&config, |config| {
        config.rules.truncate(1);
        rename_rule(config, "not-found-spike", "surge");
        for former in ["not-found-spike", "other"] {
            config.formerly.rules.insert(former.into(), "surge".into());
        }
    });
    let mut drive = Drive::new(&config);
    drive.run(0, 400, globex(300, 900));
    take_up(&mut drive, &merged, 400);
    drive.run(400, 1500, globex(300, 900));
    assert_eq!((drive.kinds(), drive.opened()), (vec![Opened, Resolved], 1));
    assert_eq!(drive.incident().unwatched, None);
    assert!(drive.incident().breaches.iter().all(|breach| breach.cleared.is_some()));
}

/// What the last message says: nothing of recovery.
#[track_caller]
fn says_that_it_is_no_longer_watched(drive: &Drive) {
    let last = drive.owed().pop().unwrap();
    assert_eq!(last.kind, Resolved);
    let (title, text) = (last.message.title(), last.message.text());
    assert!(title.starts_with("[Forge] NO LONGER WATCHED, major: 404 Not Found "), "{title}");
    let first = text.lines().next().unwrap();
    assert!(first.starts_with("404 Not Found for "), "{first}");
    assert!(
        first.contains(" is no longer watched: the configuration changed. It was: 404 Not Found for "),
        "{first}"
    );
    let Message::Mail(mail) = &last.message;
    for said in [title, text, mail.html.as_str()] {
        for word in ["t is over", "RESOLVED", "esolved", "recovered", "well again"] {
            assert!(!said.contains(word), "{word}: {said}");
        }
    }
    assert!(mail.thread.is_some());
}

#[test]
fn an_incident_whose_rule_is_gone_is_no_longer_watched_and_what_still_fails_is_another() {
    let config = forge_that_reopens(default_rules());
    let other = changed(&config, |config| rename_rule(config, "not-found-spike", "surge"));
    let mut drive = Drive::new(&config);
    drive.run(0, 400, globex(300, 900));
    take_up(&mut drive, &other, 400);
    assert_eq!(drive.kinds(), [Opened, Resolved]);
    says_that_it_is_no_longer_watched(&drive);
    let first = drive.incident();
    assert_eq!(first.unwatched.as_deref(), Some("not in the configuration any more: rule `not-found-spike`"));
    assert_eq!(first.resolved, Some(at(400.0)));
    drive.run(400, 500, globex(300, 900));
    take_up(&mut drive, &other, 500);
    drive.run(500, 1500, globex(300, 900));
    let mut kinds = drive.kinds();
    // It begins in the midst of a round.
    kinds.retain(|kind| *kind != NotificationKind::Updated);
    assert_eq!((drive.opened(), kinds), (2, vec![Opened, Resolved, Opened, Resolved]));
    let incidents = drive.incidents();
    let second = incidents.iter().find(|incident| incident.id != first.id).unwrap();
    assert!(second.see_also.contains_key(&first.id), "{:?}", second.see_also);
    assert_eq!(second.unwatched, None, "it recovered");
}

#[test]
fn an_incident_whose_probes_are_gone_is_no_longer_watched_and_never_comes_back() {
    let config = forge_that_reopens(default_rules());
    let without = changed(&config, |config| config.probes.retain(|probe| probe.name.as_str() != "api"));
    // The same under another id, which does not say what it was called.
    let other = changed(&config, |config| rename_probe(config, "api", "rest"));
    let mut drive = Drive::new(&config);
    drive.run(0, 400, api_fails);
    take_up(&mut drive, &without, 400);
    assert_eq!(drive.kinds(), [Opened, Resolved]);
    says_that_it_is_no_longer_watched(&drive);
    let first = drive.incident();
    let why = "not in the configuration any more: probes `api[workspace=acme]`, `api[workspace=globex]`, \
               `api[workspace=initech]`, and 1 more";
    assert_eq!(first.unwatched.as_deref(), Some(why));
    assert!(!first.has_breach(), "no breach of it goes on, and hides another");
    drive.run(400, 500, api_fails);
    take_up(&mut drive, &other, 500);
    assert_eq!(drive.kinds(), [Opened, Resolved], "a start says nothing twice");
    drive.run(500, 1500, api_fails);
    assert_eq!((drive.opened(), drive.kinds()), (2, vec![Opened, Resolved, Opened, Resolved]));
    let incidents = drive.incidents();
    let second = incidents.iter().find(|incident| incident.id != first.id).unwrap();
    assert!(second.see_also.contains_key(&first.id), "{:?}", second.see_also);
}

#[test]
fn a_run_of_failures_of_a_probe_that_is_gone_and_slow_checks_of_it_are_no_longer_watched() {
    let run = RuleKind::Consecutive(Consecutive { count: 3, clear_after: Duration::from_secs(60) });
    let seconds = Duration::from_secs;
    let slow = RuleKind::Latency(Latency {
        quantile: Ratio::from_percent(95),
        of: Phase::Total,
        above: seconds(2),
        within: seconds(120),
        at_least: 3,
        per: vec![],
        below: seconds(1),
        hold: seconds(60),
    });
    for (kind, outcome) in [(run, LOST), (slow, Outcome::Success)] {
        let rule = Rule { kind, ..default_rules().remove(0) };
        let config = changed(&forge_that_reopens(vec![rule]), |config| {
            config.probes.retain(|probe| probe.component.as_str() == "website");
        });
        let without = changed(&config, |config| {
            config.probes.retain(|probe| probe.id.as_str() != "website[workspace=acme]");
        });
        let mut drive = Drive::new(&config);
        for turn in (100..400_u32).step_by(20) {
            for probe in &config.probes {
                let moment = at(f64::from(turn));
                let mut result = result(&probe.id, moment, Outcome::Success);
                if probe.id.as_str() == "website[workspace=acme]" {
                    (result.outcome, result.phases.total) = (outcome, seconds(3));
                    result.started = moment - seconds(3);
                }
                drive.hand(Input::Result(result), moment);
            }
        }
        assert_eq!(drive.kinds(), [Opened]);
        take_up(&mut drive, &without, 400);
        assert_eq!(drive.kinds(), [Opened, Resolved]);
        let why = drive.incident().unwatched.unwrap();
        assert_eq!(why, "not in the configuration any more: probe `website[workspace=acme]`");
    }
}

#[test]
fn an_incident_some_of_whose_probes_are_gone_goes_on_with_the_others() {
    let config = forge_that_reopens(default_rules());
    let without = changed(&config, |config| config.probes.retain(|probe| probe.name.as_str() != "api"));
    let mut drive = Drive::new(&config);
    drive.run(0, 400, globex(300, 900));
    take_up(&mut drive, &without, 400);
    drive.run(400, 600, globex(300, 900));
    assert_eq!(drive.kinds(), [Opened]);
    drive.run(600, 1500, globex(300, 900));
    assert_eq!((drive.kinds(), drive.incident().unwatched), (vec![Opened, Resolved], None));
}

#[test]
fn an_incident_whose_results_are_too_old_to_be_stored_goes_on() {
    let config = forge_that_reopens(default_rules());
    let without = changed(&config, |config| config.probes.retain(|probe| probe.name.as_str() != "git-https"));
    let mut drive = Drive::new(&config);
    drive.run(0, 400, api_fails);
    drive.results.clear();
    take_up(&mut drive, &without, 400);
    assert!(drive.incident().is_open());
    assert_eq!(drive.kinds(), [Opened]);
}

#[test]
fn another_severity_and_other_receivers_notify_those_who_have_not_heard() {
    let config = forge_that_reopens(default_rules());
    let other = changed(&config, |config| {
        let lead = Receiver { id: "lead".into(), ..receiver(None) };
        config.receivers.insert("lead".into(), lead);
        let rule = rule(config, "not-found-spike");
        rule.severity = Severity::Critical;
        rule.tell.push("lead".into());
    });
    let mut drive = Drive::new(&config);
    drive.run(0, 400, globex(300, 900));
    for start in [400, 500] {
        take_up(&mut drive, &other, start);
        drive.run(start, start + 100, globex(300, 900));
    }
    let notified: Vec<(&str, NotificationKind)> =
        drive.owed().into_iter().map(|owed| (owed.receiver.as_str(), owed.kind)).collect();
    assert_eq!(notified, [("oncall", Opened), ("lead", Opened)]);
    assert_eq!(drive.incident().severity, Severity::Major, "it is as grave as it was found");
}
