//! What holds of the engine whatever happens, under any config: checks that fail, are slow or show another certificate,
//! in any order and with clocks that jump, people who act, and restarts at any moment.

mod configs;
mod drive;
mod history;
mod outages;

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use tripline::backtest::Replay;
use tripline::incident::lifecycle;
use tripline::model::{ActionKind, FailureClass, Incident, IncidentChange, IncidentId, NotificationKind, RuleKind};

use crate::given::{START, seconds};
use drive::Drive;
use history::{Hit, Round, Step, any_history, steady_history, unattended_history};

/// So many cases as the tests have time for; PROPTEST_CASES asks for more. Each run has others: its seed is printed, and
/// PROPTEST_RNG_SEED asks for the same again. What fails is printed: the config as a file, and the history.
fn cases() -> ProptestConfig {
    let asked = ProptestConfig::default();
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { asked.cases } else { 60 };
    let seed = match asked.rng_seed {
        RngSeed::Fixed(seed) => seed,
        RngSeed::Random => RandomState::new().build_hasher().finish(),
    };
    println!("PROPTEST_RNG_SEED={seed}");
    ProptestConfig {
        cases,
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: None,
        max_shrink_iters: 2_000,
        ..asked
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn whatever_happens_events_and_messages_belong_to_each_other_and_nothing_opens_twice(
        written in configs::any_config(),
        steps in any_history(),
    ) {
        Drive::new(&written.load()).play(&steps)?;
    }

    #[test]
    fn the_stored_results_alone_give_the_same_incidents_to_the_byte(
        written in configs::any_config(),
        steps in unattended_history(),
    ) {
        let config = written.without_missing().load();
        let mut drive = Drive::new(&config);
        drive.play(&steps)?;
        let mut replay = Replay::new(Arc::clone(&config));
        drive.results.iter().cloned().for_each(|result| replay.add(result));
        replay.pass(drive.now);
        let lived: BTreeMap<IncidentId, Incident> =
            drive.events.iter().map(|(id, events)| (*id, lifecycle::fold(events).unwrap())).collect();
        prop_assert_eq!(format!("{:?}", replay.incidents), format!("{lived:?}"));
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn a_restart_opens_the_same_incidents_as_no_restart(
        written in configs::any_config(),
        before in steady_history(),
        after in steady_history(),
    ) {
        let config = written.without_missing().without_doubt().load();
        let mut through = Drive::new(&config);
        through.play(&before)?;
        let mut restarted = Drive::new(&config);
        restarted.play(&before)?;
        // As far back as there is anything: a daemon looks back a bounded time, and a run of failures that is older,
        // of a probe that was hardly checked, would begin anew.
        restarted.restart_from(START - seconds(3_600))?;
        through.play(&after)?;
        restarted.play(&after)?;
        let told = |drive: &Drive| {
            let mut all: Vec<_> = drive.events.values().flatten().collect();
            all.sort_by_key(|event| (event.at, event.incident, event.seq));
            all.iter().map(|event| format!("{} {} {}\n", event.at.show_clock(), event.incident.short(), event.change)).collect::<String>()
        };
        prop_assert_eq!(&restarted.opened, &through.opened, "restarted:\n{}\nthrough:\n{}", told(&restarted), told(&through));
    }
}

#[test]
fn an_outage_after_a_restart_is_noticed_though_a_person_resolved_the_one_before() {
    let config = configs::fixed(
        "name: Forge
cohorts: {workspace: [acme, globex, initech, umbrella]}
components: {website: {name: Website}}
probes: {page: {component: website, for_each: [workspace], http: {url: \"https://forge.example/{{workspace}}/\"}}}
rules: {spike: {above: 30%, within: 2m, at_least: 2, per: [workspace]}, down: {consecutive: 3}, unusual: {change: {}}}
",
    );
    let mut drive = Drive::new(&config.load());
    let round = |hit, count| {
        let class = FailureClass::NotFound;
        vec![Step::Round(Round { hit, class, again: false, late: None, noise: (0, 0) }); count]
    };
    drive.play(&round(Hit::Everything, 3)).unwrap();
    let first = drive.opened.len();
    drive.play(&[Step::Act(0, ActionKind::Resolve)]).unwrap();
    drive.play(&round(Hit::Nobody, 60)).unwrap();
    drive.restart().unwrap();
    assert_eq!((first, drive.opened.len()), (1, 1));
    drive.play(&round(Hit::Everything, 3)).unwrap();
    assert_eq!(drive.opened.len(), 2, "twenty minutes of peace lie between the two");
}

/// What is tried reaches what it is about: without this, it could all be of nothing.
#[test]
fn the_histories_that_are_tried_have_incidents_of_every_kind() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut seen, mut incidents) = (BTreeSet::new(), 0);
    let expected = BTreeSet::from(EVERY_KIND);
    let mut tried = 0;
    while !expected.is_subset(&seen) {
        tried += 1;
        assert!(tried <= 400, "not reached: {:?}", expected.difference(&seen));
        let config = configs::any_config().new_tree(&mut runner).unwrap().current().load();
        let steps = any_history().new_tree(&mut runner).unwrap().current();
        let mut drive = Drive::new(&config);
        drive.play(&steps).unwrap();
        incidents += drive.opened.len();
        for event in drive.events.values().flatten() {
            if let IncidentChange::Opened { breach, .. } | IncidentChange::Joined { breach, .. } = &event.change {
                let rule = config.rules.iter().find(|rule| rule.id == breach.rule).unwrap();
                seen.insert(raised_by(&rule.kind));
            }
            seen.insert(match &event.change {
                IncidentChange::Opened { .. } => "opened",
                IncidentChange::Joined { .. } => "joined",
                IncidentChange::Cleared { .. } => "cleared",
                IncidentChange::Assessed { .. } => "assessed",
                IncidentChange::Raised { .. } => "raised",
                IncidentChange::Watched { .. } => "watched",
                IncidentChange::Reopened { .. } => "reopened",
                IncidentChange::SeeAlso { .. } => "see also",
                IncidentChange::Undelivered { .. } => "undelivered",
                IncidentChange::ClockSetBack { .. } => "clock set back",
                IncidentChange::Renamed { .. } => "renamed",
                IncidentChange::Acknowledged { .. } => "acknowledged",
                IncidentChange::Noted { .. } => "noted",
                IncidentChange::Identified { .. } => "identified",
                IncidentChange::Mended { .. } => "mended",
                IncidentChange::Resolved { by: None, .. } => "resolved",
                IncidentChange::Resolved { by: Some(_), .. } => "resolved by hand",
                IncidentChange::Merged { .. } => "merged",
                IncidentChange::MergedInto { .. } => "merged into",
                IncidentChange::Split { .. } => "split",
                IncidentChange::SplitFrom { .. } => "split from",
                IncidentChange::FalseAlarm { .. } => "false alarm",
                IncidentChange::Told { kind, .. } => told(*kind),
                IncidentChange::Withheld { .. } => "withheld",
            });
        }
    }
    println!("{incidents} incidents in {tried} histories");
    assert!(incidents > tried / 2, "{incidents} incidents in {tried} histories");
}

/// What can happen to an incident, what can be told of it, and what can have raised it.
const EVERY_KIND: [&str; 35] = [
    "merged",
    "merged into",
    "split",
    "split from",
    "false alarm",
    "withheld",
    "opened",
    "joined",
    "cleared",
    "assessed",
    "raised",
    "watched",
    "reopened",
    "acknowledged",
    "see also",
    "clock set back",
    "noted",
    "identified",
    "mended",
    "resolved",
    "resolved by hand",
    "told opened",
    "told worsened",
    "told reminder",
    "told resolved",
    "told reopened",
    "told updated",
    "by error rate",
    "by change",
    "by consecutive",
    "by latency",
    "by burn rate",
    "by expiry",
    "by missing",
    "by offline",
];

fn raised_by(kind: &RuleKind) -> &'static str {
    match kind {
        RuleKind::ErrorRate(_) => "by error rate",
        RuleKind::Change(_) => "by change",
        RuleKind::Consecutive(_) => "by consecutive",
        RuleKind::Latency(_) => "by latency",
        RuleKind::BurnRate(_) => "by burn rate",
        RuleKind::Expiry(_) => "by expiry",
        RuleKind::Missing(_) => "by missing",
        RuleKind::Offline => "by offline",
    }
}

fn told(kind: NotificationKind) -> &'static str {
    match kind {
        NotificationKind::Opened => "told opened",
        NotificationKind::Worsened => "told worsened",
        NotificationKind::Reminder => "told reminder",
        NotificationKind::Resolved => "told resolved",
        NotificationKind::Reopened => "told reopened",
        NotificationKind::Updated => "told updated",
    }
}
