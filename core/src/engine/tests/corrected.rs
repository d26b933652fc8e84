//! What people correct: incidents are merged, split, and said to be false alarms.

use super::*;
use NotificationKind::{Opened, Resolved, Updated};

pub(super) fn config(rules: Vec<Rule>) -> Arc<Config> {
    Arc::new(Config { reopen_within: Duration::from_secs(900), ..(*forge(rules, None)).clone() })
}

pub(super) fn hits(probe: &Probe, component: &str, workspace: &str) -> bool {
    probe.component.as_str() == component && probe.labels.values().any(|value| value.as_str() == workspace)
}

/// Two outages that share nothing.
fn two(probe: &Probe, now: u32) -> Option<Outcome> {
    let first = (hits(probe, "website", "globex") && (300..900).contains(&now)).then_some(LOST);
    let second = hits(probe, "api", "acme") && (330..900).contains(&now);
    first.or_else(|| second.then_some(Outcome::Failure(FailureClass::Forbidden)))
}

pub(super) fn spikes() -> Vec<Rule> {
    vec![
        error_rate("website-spike", &["website"], Severity::Major),
        error_rate("api-spike", &["api"], Severity::Major),
        error_rate("git-spike", &["git-https"], Severity::Major),
    ]
}

/// One outage of one customer on two components.
pub(super) fn wide(probe: &Probe, now: u32) -> Option<Outcome> {
    let hit = hits(probe, "website", "globex") || hits(probe, "api", "globex");
    (hit && (300..900).contains(&now)).then_some(LOST)
}

pub(super) fn answer(drive: &mut Drive, action: Action, seconds: f64) -> String {
    drive.hand(Input::Action(ActionId(1), action), at(seconds));
    let answers = drive.outputs.iter().rev();
    let mut answers =
        answers.filter_map(|output| if let Output::Answer(_, text) = output { Some(text) } else { None });
    answers.next().unwrap().clone()
}

pub(super) fn merge(a: IncidentId, b: IncidentId) -> Action {
    Action { other: Some(b), text: "one flag service".into(), ..asks(a, ActionKind::Merge) }
}

pub(super) fn split(of: IncidentId, parts: &[&str]) -> Action {
    let parts = parts.iter().map(|part| (*part).to_owned()).collect();
    Action { parts, text: "another team".into(), ..asks(of, ActionKind::Split) }
}

/// In the order in which they were opened.
pub(super) fn opened(drive: &Drive) -> Vec<IncidentId> {
    let events = drive.events().into_iter();
    events.filter(|event| event.seq == 0).map(|event| event.incident).collect()
}

pub(super) fn stored(drive: &Drive, id: IncidentId) -> Incident {
    drive.incidents().into_iter().find(|incident| incident.id == id).unwrap()
}

/// Bad checks by component, that were handed in.
fn bad(drive: &Drive) -> BTreeMap<String, u32> {
    let mut counts = BTreeMap::new();
    for judged in drive.results.iter().filter(|judged| judged.result.outcome.failure().is_some()) {
        let name = judged.result.probe.as_str().split('[').next().unwrap();
        *counts.entry(name.to_owned()).or_default() += 1;
    }
    counts
}

/// Bad checks by component, as the open incidents count them.
fn counted(drive: &Drive) -> BTreeMap<String, u32> {
    let mut counts = BTreeMap::new();
    for incident in drive.incidents().into_iter().filter(Incident::is_open) {
        let today = drive.engine.cases.today(incident.id, &drive.engine.detector).unwrap();
        for part in today.finding.account() {
            *counts.entry(part.component.to_string()).or_default() += part.bad;
        }
    }
    counts
}

#[test]
fn a_merged_incident_goes_on_in_the_other_and_who_had_heard_of_both_is_told_nothing_of_it() {
    for restart in [None, Some(520), Some(700), Some(950)] {
        let mut drive = Drive::new(&config(vec![error_rate("spike", &[], Severity::Major)]));
        drive.run(0, 500, two);
        let [a, b] = opened(&drive)[..] else { panic!("two outages") };
        let before = stored(&drive, b);
        let said = answer(&mut drive, merge(a, b), 500.0);
        assert_eq!(said, format!("incident {} is part of incident {} now", b.short(), a.short()));
        assert_eq!(counted(&drive), bad(&drive), "all checks of both are of one");
        let (one, other) = (stored(&drive, a), stored(&drive, b));
        assert_eq!((other.state, other.corrected.merged_into), (IncidentState::Resolved, Some(a)));
        let ids = |incident: &Incident| incident.breaches.iter().map(|breach| breach.id).collect::<BTreeSet<_>>();
        assert!(ids(&one).is_superset(&ids(&before)), "under their own ids");
        assert!(one.since <= before.since);
        drive.run(500, restart.unwrap_or(600), two);
        if let Some(restart) = restart {
            drive.restart(restart);
        }
        drive.run(restart.unwrap_or(600), 1_600, two);
        assert_eq!(drive.opened(), 2, "restart at {restart:?}");
        assert_eq!(drive.kinds(), [Opened, Opened, Resolved], "restart at {restart:?}");
        assert!(drive.owed()[2].incident == a && !stored(&drive, a).is_open());
        let finding = stored(&drive, a).finding;
        assert_eq!(finding.bad, bad(&drive).values().sum::<u32>(), "restart at {restart:?}");
        let noted = drive.events().into_iter().any(|event| {
            event.incident == b
                && event.change.to_string() == format!("merged into incident {} by ana: one flag service", a.short())
        });
        assert!(noted);
    }
}

#[test]
fn who_had_heard_of_the_merged_incident_alone_is_told_at_once_that_it_is_part_of_the_other() {
    let mut config = (*config(spikes())).clone();
    config.receivers.insert("lead".into(), Receiver { id: "lead".into(), ..receiver(None) });
    config.rules[1].tell = vec!["lead".into()];
    let mut drive = Drive::new(&Arc::new(config));
    drive.run(0, 500, two);
    let [a, b] = opened(&drive)[..] else { panic!("two outages") };
    answer(&mut drive, merge(a, b), 500.0);
    let told = |drive: &Drive| {
        let each = drive.owed().into_iter();
        each.map(|owed| (owed.receiver.to_string(), owed.kind, owed.incident == a)).collect::<Vec<_>>()
    };
    let one = |receiver: &str, kind, of_a| (receiver.to_owned(), kind, of_a);
    assert_eq!(told(&drive), [one("oncall", Opened, true), one("lead", Opened, false), one("lead", Updated, true)]);
    let owed = drive.owed();
    let [Message::Mail(first), Message::Mail(mail)] = [&owed[1].message, &owed[2].message];
    assert_eq!(mail.thread.as_ref(), Some(&first.id), "it answers the mail that they know");
    assert!(owed[2].reason.contains(&format!("incident {}, of which lead was told, is part of it", b.short())));
    assert!(mail.text.contains("is part of it, says ana: one flag service"), "{}", mail.text);
    drive.run(500, 1_600, two);
    let rest = told(&drive).split_off(3);
    assert_eq!(rest, [one("oncall", Updated, true), one("lead", Resolved, true), one("oncall", Resolved, true)]);
}

#[test]
fn what_cannot_be_merged_is_answered_with_the_reason() {
    let mut drive = Drive::new(&config(vec![error_rate("spike", &[], Severity::Major)]));
    drive.run(0, 500, two);
    let [a, b] = opened(&drive)[..] else { panic!("two outages") };
    let none = IncidentId::derived(&["none"]);
    let before = drive.events().len();
    for (action, said) in [
        (merge(a, a), "cannot be merged into itself"),
        (merge(a, none), "ended more than 15m ago"),
        (merge(none, a), "is not open"),
        (asks(a, ActionKind::Merge), "which incident is to be merged"),
    ] {
        let answer = answer(&mut drive, action, 500.0);
        assert!(answer.contains(said), "{answer}");
    }
    assert_eq!(drive.events().len(), before, "nothing happened");
    answer(&mut drive, merge(a, b), 500.0);
    assert!(answer(&mut drive, merge(a, b), 500.0).contains("was merged into incident"));
    assert!(answer(&mut drive, merge(b, a), 500.0).contains("is not open"));
}

#[test]
fn what_was_merged_after_its_end_comes_back_in_the_other() {
    let again = |probe: &Probe, now: u32| {
        let first = hits(probe, "website", "globex") && (300..2_000).contains(&now);
        let second = hits(probe, "api", "acme") && ((330..420).contains(&now) || (1_100..1_400).contains(&now));
        first.then_some(LOST).or_else(|| second.then_some(Outcome::Failure(FailureClass::Forbidden)))
    };
    for restart in [None, Some(1_050)] {
        let mut drive = Drive::new(&config(vec![error_rate("spike", &[], Severity::Major)]));
        drive.run(0, 1_000, again);
        let [a, b] = opened(&drive)[..] else { panic!("two outages") };
        assert!(!stored(&drive, b).is_open(), "it is over");
        answer(&mut drive, merge(a, b), 1_000.0);
        if let Some(restart) = restart {
            drive.run(1_000, restart, again);
            drive.restart(restart);
        }
        drive.run(restart.unwrap_or(1_000), 1_400, again);
        assert_eq!((drive.opened(), stored(&drive, a).is_open()), (2, true), "restart at {restart:?}");
        assert!(!stored(&drive, b).is_open());
    }
}

#[test]
fn what_is_split_off_is_an_incident_of_its_own_and_stays_one() {
    let more = |probe: &Probe, now: u32| {
        // Later another customer is hit, on both.
        let hit = hits(probe, "website", "acme") || hits(probe, "api", "acme");
        wide(probe, now).or_else(|| (hit && (600..900).contains(&now)).then_some(LOST))
    };
    for restart in [None, Some(510), Some(700)] {
        let mut drive = Drive::new(&config(spikes()));
        drive.run(0, 500, more);
        let a = opened(&drive)[0];
        assert_eq!(drive.opened(), 1);
        let said = answer(&mut drive, split(a, &["api"]), 500.0);
        let b = opened(&drive)[1];
        assert_eq!(said, format!("api is split from incident {}, as incident {}", a.short(), b.short()));
        assert_eq!(counted(&drive), bad(&drive), "each check is of one of them");
        drive.run(500, restart.unwrap_or(600), more);
        if let Some(restart) = restart {
            drive.restart(restart);
        }
        drive.run(restart.unwrap_or(600), 890, more);
        assert_eq!(counted(&drive), bad(&drive), "restart at {restart:?}");
        for (id, component) in [(a, "website"), (b, "api")] {
            let incident = stored(&drive, id);
            let rules: BTreeSet<&str> = incident.breaches.iter().map(|breach| breach.rule.as_str()).collect();
            assert_eq!(rules, BTreeSet::from([format!("{component}-spike").as_str()]), "restart at {restart:?}");
            assert_eq!(incident.finding.components, BTreeSet::from([component.into()]), "restart at {restart:?}");
            assert!(incident.see_also.contains_key(if id == a { &b } else { &a }));
        }
        drive.run(890, 1_700, more);
        assert_eq!(drive.opened(), 2, "restart at {restart:?}");
        let mut kinds = drive.kinds();
        kinds.retain(|kind| matches!(kind, Opened | Resolved));
        assert_eq!(kinds, [Opened, Opened, Resolved, Resolved], "restart at {restart:?}");
        assert!(drive.owed().iter().any(|owed| owed.reason.contains("it was split from incident")));
    }
}

#[test]
fn what_was_split_off_comes_back_as_itself_while_the_other_is_open() {
    let again = |probe: &Probe, now: u32| {
        let website = hits(probe, "website", "globex") && (300..2_000).contains(&now);
        let api = hits(probe, "api", "globex") && ((300..550).contains(&now) || (1_200..1_500).contains(&now));
        (website || api).then_some(LOST)
    };
    let mut drive = Drive::new(&config(spikes()));
    drive.run(0, 500, again);
    let a = opened(&drive)[0];
    answer(&mut drive, split(a, &["api"]), 500.0);
    let b = opened(&drive)[1];
    drive.run(500, 1_150, again);
    assert!(stored(&drive, a).is_open() && !stored(&drive, b).is_open());
    drive.run(1_150, 1_400, again);
    assert_eq!((drive.opened(), stored(&drive, b).is_open()), (2, true), "it came back");
    // A person may still say that they are one.
    answer(&mut drive, merge(a, b), 1_400.0);
    assert_eq!(stored(&drive, a).breaches.iter().filter(|breach| breach.rule.as_str() == "api-spike").count(), 2 + 2);
    // ... and two again: with another id.
    answer(&mut drive, split(a, &["api-spike"]), 1_410.0);
    assert_eq!(opened(&drive).into_iter().collect::<BTreeSet<_>>().len(), 3);
}

#[test]
fn a_rule_is_split_off_with_the_checks_that_its_breaches_are_about() {
    let rules = || {
        let down = RuleKind::Consecutive(Consecutive { count: 3, clear_after: Duration::from_secs(60) });
        let api = Rule { kind: down, ..error_rate("down", &["api"], Severity::Minor) };
        vec![error_rate("spike", &[], Severity::Major), api]
    };
    for restart in [None, Some(600)] {
        let mut drive = Drive::new(&config(rules()));
        drive.run(0, 500, wide);
        let a = opened(&drive)[0];
        answer(&mut drive, split(a, &["down"]), 500.0);
        assert_eq!(drive.opened(), 2);
        assert_eq!(counted(&drive), bad(&drive));
        drive.run(500, restart.unwrap_or(600), wide);
        if let Some(restart) = restart {
            drive.restart(restart);
        }
        drive.run(restart.unwrap_or(600), 800, wide);
        assert_eq!(counted(&drive), bad(&drive), "restart at {restart:?}");
        drive.run(800, 1_700, wide);
        assert_eq!(drive.opened(), 2, "restart at {restart:?}");
        assert!(drive.incidents().iter().all(|incident| !incident.is_open()), "restart at {restart:?}");
    }
}

#[test]
fn what_cannot_be_split_is_answered_with_the_reason() {
    let mut drive = Drive::new(&config(spikes()));
    drive.run(0, 500, wide);
    let a = opened(&drive)[0];
    let before = drive.events().len();
    for (parts, said) in [
        (&["git-https"][..], "no breach of incident"),
        (&["api", "website"], "all breaches of incident"),
        (&["apo"], "`apo` is neither a component nor a rule"),
        (&[], "no breach of incident"),
    ] {
        let answer = answer(&mut drive, split(a, parts), 500.0);
        assert!(answer.contains(said) && answer.ends_with("nothing is split"), "{answer}");
    }
    assert_eq!(drive.events().len(), before, "nothing happened");
    let mut drive = Drive::new(&config(default_rules()));
    drive.run(0, 500, wide);
    let wide = opened(&drive)[0];
    let answer = answer(&mut drive, split(wide, &["api"]), 500.0);
    assert!(answer.contains("is of other components too"), "{answer}");
}

#[test]
fn a_false_alarm_ends_and_is_told_as_one_also_when_it_is_over() {
    for said_at in [500, 1_400, 3_500] {
        let mut drive = Drive::new(&config(default_rules()));
        drive.run(0, said_at, globex(300, 600));
        let action = Action { text: "the probe asked the wrong host".into(), ..ana(&drive, ActionKind::FalseAlarm) };
        if said_at == 3_500 {
            let said = answer(&mut drive, action.clone(), f64::from(said_at));
            assert!(said.ends_with("ended too long ago"), "{said}");
            let stored = Box::new(drive.incident());
            drive.hand(Input::Recall(stored), at(f64::from(said_at)));
        }
        let said = answer(&mut drive, action.clone(), f64::from(said_at));
        assert!(said.ends_with("is a false alarm, says ana"), "{said}");
        let alarm = drive.incident().corrected.false_alarm.unwrap();
        assert_eq!((alarm.by.as_str(), alarm.why.as_str()), ("ana", "the probe asked the wrong host"));
        assert!(alarm.untold.is_empty() && !drive.incident().is_open());
        let last = drive.owed().into_iter().next_back().unwrap();
        assert_eq!(last.kind, Resolved);
        let (title, text) = (last.message.title(), last.message.text());
        assert!(title.contains("FALSE ALARM") && !title.contains("RESOLVED"), "{title}");
        assert!(text.starts_with("It was a false alarm, says ana: the probe asked the wrong host."), "{text}");
        let expected = if said_at == 500 { 2 } else { 3 };
        assert_eq!(drive.kinds().len(), expected, "said at {said_at}");
        if said_at == 3_500 {
            let stored = Box::new(drive.incident());
            drive.hand(Input::Recall(stored), at(f64::from(said_at)));
        }
        let again = answer(&mut drive, action, f64::from(said_at));
        assert!(again.contains("already"), "{again}");
        drive.restart(said_at);
        drive.run(said_at, said_at + 400, globex(300, 600));
        assert_eq!(drive.kinds().len(), expected, "told once, said at {said_at}");
    }
}

#[test]
fn after_a_false_alarm_what_fails_is_another_incident() {
    let outages = |probe: &Probe, now: u32| globex(300, 500)(probe, now).or_else(|| globex(1_000, 1_300)(probe, now));
    let mut drive = Drive::new(&config(default_rules()));
    drive.run(0, 450, outages);
    let action = Action { text: "a test".into(), ..ana(&drive, ActionKind::FalseAlarm) };
    answer(&mut drive, action, 450.0);
    drive.run(450, 1_200, outages);
    assert_eq!(drive.opened(), 2);
    assert!(drive.incidents().iter().any(|incident| incident.corrected.false_alarm.is_some() && !incident.is_open()));
}

#[test]
fn whatever_people_correct_a_bad_check_is_of_one_open_incident_at_most() {
    for seed in 0..40 {
        let run = || {
            let mut drive = Drive::new(&config(spikes()));
            let mut dice = Dice::new(seed);
            let mut hit = BTreeSet::new();
            for turn in 0..24_u32 {
                if dice.chance(0.5) {
                    let component = ["website", "api", "git-https"][usize::try_from(dice.below(3)).unwrap()];
                    let workspace = ["acme", "globex"][usize::try_from(dice.below(2)).unwrap()];
                    if !hit.remove(&(component, workspace)) {
                        hit.insert((component, workspace));
                    }
                }
                let (from, until) = (turn * 80, turn * 80 + 80);
                drive.run(from, until, |probe, _| {
                    hit.iter().any(|(component, workspace)| hits(probe, component, workspace)).then_some(LOST)
                });
                let ids = opened(&drive);
                if let Some(&id) = ids.get(usize::try_from(dice.below(6)).unwrap()) {
                    let other = ids[usize::try_from(dice.below(ids.len() as u64)).unwrap()];
                    let part = ["website", "api", "git-https", "api-spike"][usize::try_from(dice.below(4)).unwrap()];
                    match dice.below(5) {
                        0 | 1 => _ = answer(&mut drive, merge(id, other), f64::from(until)),
                        2 | 3 => _ = answer(&mut drive, split(id, &[part]), f64::from(until)),
                        _ => drive.restart(until),
                    }
                }
                let all = bad(&drive);
                for (component, bad) in counted(&drive) {
                    assert!(
                        bad <= all[&component],
                        "seed {seed}, turn {turn}: {bad} of {} on {component}",
                        all[&component]
                    );
                }
                let mut breaches = BTreeSet::new();
                for incident in drive.incidents().iter().filter(|incident| incident.is_open()) {
                    assert!(incident.breaches.iter().all(|breach| breaches.insert(breach.id)), "seed {seed}");
                    assert_eq!(drive.engine.incident(incident.id), Some(incident), "seed {seed}");
                }
            }
            drive.outputs
        };
        assert_eq!(run(), run(), "the same, ids included");
    }
}
