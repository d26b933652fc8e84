//! What happens to Tripline itself in a drill: its process is stopped, its configuration replaced, its mail refused.

use std::time::Duration;

use tripline::drill::{self, Report};
use tripline::model::NotificationKind;

use super::{scene, scene_of, take};
use crate::terminal::tripline;

const MINUTE: Duration = Duration::from_secs(60);

fn run(scripted: &str) -> Report {
    let (scenario, config) = scene(&format!("{{name: Process, {scripted}, expect: {{missed: 0}}}}"));
    drill::run(&config, &scenario, take(1))
}

#[test]
fn no_check_begins_while_the_process_is_stopped() {
    let report = run("length: 20m, suspended: [{from: 5m, until: 15m}]");
    // 19 probes, three times a minute, for ten minutes; what was due just before it goes on may begin a little late.
    let checks = report.counts.checks;
    assert!((19 * 30..19 * 30 + 6).contains(&checks), "{checks}");
    assert_eq!(report.counts.failed, 0);
}

#[test]
fn a_check_that_is_under_way_ends_late_and_is_a_timeout_past_its_limit() {
    // For half of the time each probe has a check under way.
    let slow = "length: 20m, faults: [{from: 0s, latency: 9s}]";
    let calm = run(slow).counts;
    assert_eq!((calm.failed, calm.again), (0, 0));
    let short = run(&format!("{slow}, suspended: [{{from: 10m, until: 10m500ms}}]")).counts;
    assert_eq!((short.failed, short.again), (0, 0), "there is time enough");
    let long = run(&format!("{slow}, suspended: [{{from: 10m, until: 12m}}]")).counts;
    assert!((4..=15).contains(&long.again), "{long:?}");
    assert_eq!(long.failed, 0, "and the second try gets through");
}

#[test]
fn what_time_and_people_ask_for_while_it_is_stopped_comes_when_it_goes_on() {
    let outage = "length: 60m, faults: [{from: 5m, over: {components: [signup]}, failure: not_found}]";
    let at = |report: &Report, kind| {
        let mut owed = report.notifications.iter().filter(|owed| owed.what.kind == kind);
        owed.next().map(|owed| owed.at.since(report.start))
    };
    let on_time = at(&run(outage), NotificationKind::Reminder).unwrap();
    assert!(on_time > 34 * MINUTE && on_time < 37 * MINUTE, "{on_time:?}");
    let stopped = run(&format!("{outage}, suspended: [{{from: 30m, until: 40m}}]"));
    let late = at(&stopped, NotificationKind::Reminder).unwrap();
    assert_eq!(late, 40 * MINUTE, "not while it was stopped, and at once after");
    let acted = run(&format!("{outage}, suspended: [{{from: 20m, until: 22m}}], acts: [{{at: 21m, do: resolve}}]"));
    assert_eq!(acted.incidents[0].resolved, Some(22 * MINUTE));
}

#[test]
fn a_clock_that_is_set_while_it_is_stopped_is_noticed_when_it_goes_on() {
    let report = run("length: 40m, suspended: [{from: 10m, until: 15m}], clock: [{at: 12m, by: -2m}],
        faults: [{from: 20m, until: 25m, over: {components: [signup]}, failure: not_found}]");
    assert_eq!((report.incidents.len(), report.false_alarms, report.missed.len()), (1, 0, 0));
    let since = report.incidents[0].since;
    assert!(since > 20 * MINUTE && since < 21 * MINUTE, "{since:?}");
}

const RELOAD: &str = "reloads: [{at: 10m, config: two-halves-and-api.yaml}]";

fn halves(scripted: &str) -> Report {
    let text = format!("{{name: Halves, length: 20m, {scripted}, expect: {{missed: 0}}}}");
    let (scenario, config) = scene_of("two-halves.yaml", &text);
    drill::run(&config, &scenario, take(1))
}

#[test]
fn another_configuration_is_checked_by_and_judged_by_from_then_on() {
    // Six probes and two canaries; then four of them twice as often, and four more.
    let (before, after) = (halves("restarts: []").counts.checks, halves(RELOAD).counts.checks);
    assert!((after - before).abs_diff(4 * 30 + 4 * 30) <= 8, "{before}, {after}");
    // A fault hits those probes of each that it is over, and an incident may be of one that came later.
    let report = halves(&format!("{RELOAD}, faults: [{{from: 8m, until: 16m, failure: not_found}}]"));
    let named: Vec<&str> = report
        .incidents
        .iter()
        .flat_map(|played| &played.incident.finding.components)
        .map(|id| id.as_str())
        .collect();
    assert!(named.contains(&"api") && named.contains(&"website"), "{named:?}");
    assert_eq!((report.false_alarms, report.missed.len()), (0, 0));
}

#[test]
fn checks_that_are_under_way_at_a_reload_end_by_themselves() {
    // Each check takes more than five seconds, so a quarter of the probes has one under way.
    let slow = "faults: [{from: 0s, latency: 5s}]";
    let report = halves(&format!("{slow}, {RELOAD}"));
    assert_eq!((report.counts.failed, report.counts.void), (0, 0));
}

#[test]
fn what_an_incident_needs_is_taken_up_by_another_configuration() {
    let report = halves(&format!(
        "{RELOAD}, faults: [{{from: 5m, until: 15m, over: {{components: [website], labels: {{workspace: acme}}}}, failure: dns}}]"
    ));
    let kinds: Vec<NotificationKind> = report.notifications.iter().map(|owed| owed.what.kind).collect();
    assert_eq!(kinds, [NotificationKind::Opened, NotificationKind::Resolved]);
}

#[test]
fn mail_that_is_refused_is_marked_in_the_report_and_in_what_is_printed() {
    let refused = |report: &Report| report.notifications.iter().map(|owed| owed.refused).collect::<Vec<_>>();
    let outage = "faults: [{from: 5m, until: 8m, over: {components: [shop]}, failure: dns}]";
    assert_eq!(refused(&halves(outage)), [false, false]);
    assert_eq!(refused(&halves(&format!("{outage}, refused: [{{from: 5m, until: 8m}}]"))), [true, false]);
    assert_eq!(refused(&halves(&format!("{outage}, refused: [{{from: 8m, receiver: oncall}}]"))), [false, true]);

    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("probes.yaml"), include_str!("../../drills/configs/two-halves.yaml")).unwrap();
    let text = format!(
        "name: No mail\nconfig: probes.yaml\nlength: 20m\n{outage}\nrefused: [{{from: 5m, until: 8m}}]\nexpect: {{incidents: 1}}\n"
    );
    std::fs::write(folder.path().join("drill.yaml"), text).unwrap();
    let ended = tripline(folder.path(), &["drill", "drill.yaml"]).with(0);
    assert!(
        ended.out.contains("oncall: opened (refused)") && ended.out.contains("oncall: resolved\n"),
        "{}",
        ended.out
    );
    let told: serde_json::Value =
        serde_json::from_str(&tripline(folder.path(), &["drill", "drill.yaml", "--json"]).with(0).out).unwrap();
    let message = &told["runs"][0]["notifications"][0];
    assert_eq!(
        (message["refused"].as_bool(), message["named"]["components"][0].as_str()),
        (Some(true), Some("shop"))
    );
    assert_eq!(told["runs"][0]["notifications"][1]["refused"], false);
}
