//! Jobs of a drill call by their cadence, and silence means what it means to the daemon.

use std::sync::Arc;
use std::time::Duration;

use tripline::config::{Config, load};
use tripline::drill::scenario::{self, Wanted};
use tripline::drill::{self, Report, Scenario};
use tripline::model::{FailureClass, Timestamp};
use tripline::schedule::next_turn;

use super::take;
use crate::given::Nothing;

const MINUTE: Duration = Duration::from_secs(60);

/// A job that should call every ten minutes, with a grace of three.
fn job(scenario: &str) -> (Scenario, Arc<Config>) {
    let config = "name: Jobs
defaults: {interval: 20s}
components: {website: {name: Website}, backups: {name: Backups}}
probes:
  page: {component: website, http: {url: \"https://forge.example/\"}}
  backup: {component: backups, interval: 10m, heartbeat: {token: example-backup-token, grace: 3m}}
rules:
  failed: {over: {components: [backups]}, consecutive: 1}
";
    let config = Arc::new(load("probes.yaml", config, &Nothing).unwrap_or_else(|problems| panic!("{problems}")));
    let given = |_: Wanted<'_>| Ok(Arc::clone(&config));
    scenario::read("scene.yaml", scenario, &Nothing, &given).unwrap_or_else(|problems| panic!("{problems}"))
}

fn run(scripted: &str) -> Report {
    let (scenario, config) = job(&format!("{{name: Job, length: 2h, {scripted}, expect: {{missed: 0}}}}"));
    drill::run(&config, &scenario, take(1))
}

/// The job's turns from this moment of the drill on.
fn turns(from: Duration) -> impl Iterator<Item = Duration> {
    let (scenario, config) = job("{name: Job, length: 2h, expect: {missed: 0}}");
    let backup = config.probes.iter().find(|probe| probe.name.as_str() == "backup").unwrap().clone();
    let first = next_turn(&backup, scenario.start + from - Duration::from_millis(1));
    let turns = std::iter::successors(first, move |at: &Timestamp| next_turn(&backup, *at));
    turns.map(move |at| at.since(scenario.start))
}

fn since(report: &Report) -> Vec<(Duration, Option<FailureClass>)> {
    report.incidents.iter().map(|played| (played.since, played.incident.finding.failure)).collect()
}

#[test]
fn a_job_that_calls_by_its_cadence_never_fails() {
    let report = run("noise: 5%");
    let page = 2 * 60 * 3;
    assert_eq!(report.counts.checks, page + 12, "noise leaves it alone");
    assert_eq!((report.incidents.len(), report.missing), (0, 0));
}

#[test]
fn a_call_that_does_not_come_is_a_failure_at_its_deadline_and_again_for_each_turn() {
    let report = run("faults: [{from: 30m, until: 55m, over: {components: [backups]}, missing: true}]");
    let missed: Vec<Duration> = turns(30 * MINUTE).take_while(|turn| *turn < 55 * MINUTE).collect();
    assert_eq!(since(&report), [(missed[0] + 3 * MINUTE, Some(FailureClass::Missing))]);
    let missed = u64::try_from(missed.len()).unwrap();
    assert_eq!((report.missing, report.counts.failed), (missed, missed));
    assert!(report.incidents[0].resolved.is_some() && !report.incidents[0].false_alarm);
}

#[test]
fn a_job_says_that_it_failed_or_is_not_heard_of_again_or_is_late() {
    let of = |how: &str| run(&format!("faults: [{{from: 30m, until: 35m, over: {{components: [backups]}}, {how}}}]"));
    let hit: Vec<Duration> = turns(30 * MINUTE).take_while(|turn| *turn < 35 * MINUTE).collect();
    let Some(&turn) = hit.first() else {
        // Its turn must come within these five minutes, or the test tells nothing.
        panic!(
            "the job has no turn between 30 and 35 minutes: {:?}",
            turns(Duration::ZERO).take(5).collect::<Vec<_>>()
        );
    };
    assert_eq!(since(&of("failure: corrupt")), [(turn, Some(FailureClass::ServerError))]);
    assert_eq!(since(&of("status: 500")), [(turn, Some(FailureClass::ServerError))]);
    assert_eq!(since(&of("failure: timeout")), [(turn + 3 * MINUTE, Some(FailureClass::Timeout))]);
    assert_eq!(since(&of("failure: missing")), [(turn + 3 * MINUTE, Some(FailureClass::Missing))]);
    assert_eq!(since(&of("latency: 2m")), []);
    assert_eq!(since(&of("latency: 4m")), [(turn + 3 * MINUTE, Some(FailureClass::Missing))]);
    assert_eq!(since(&of("certificate: 1m")), []);
}

#[test]
fn what_nobody_could_hear_is_not_missing() {
    let turn = turns(30 * MINUTE).next().unwrap();
    let around = format!("from: {}s, until: {}s", turn.as_secs() - 60, turn.as_secs() + 240);
    let stopped = run(&format!("suspended: [{{{around}}}]"));
    assert_eq!((stopped.counts.failed, stopped.incidents.len()), (0, 0));
    // A machine without a network listens, and hears nothing.
    let offline = run(&format!("offline: [{{{around}}}]"));
    assert_eq!(since(&offline)[0], (turn + 3 * MINUTE, Some(FailureClass::Missing)));
}

#[test]
fn a_restart_knows_when_the_job_called_last_and_a_reload_too() {
    let turn = turns(30 * MINUTE).next().unwrap();
    let gone = format!("faults: [{{from: {}s, over: {{components: [backups]}}, missing: true}}]", turn.as_secs() - 1);
    let before = turn.as_secs() - 120;
    let last = turn.saturating_sub(10 * MINUTE);
    for what in [format!("restarts: [{before}s]"), format!("reloads: [{{at: {before}s, config: same.yaml}}]")] {
        let report = run(&format!("{gone}, {what}"));
        assert_eq!(since(&report), [(last + 13 * MINUTE, Some(FailureClass::Missing))], "{what}");
    }
}
