//! Which incidents and messages are about a fault, which only happen beside it, and which are those that were expected.

use std::time::Duration;

use tripline::drill::{self, Report};
use tripline::model::NotificationKind;

use super::{scene, scene_of, take};

const MINUTE: Duration = Duration::from_secs(60);

fn kinds(report: &Report) -> Vec<NotificationKind> {
    report.notifications.iter().map(|owed| owed.what.kind).collect()
}

#[test]
fn an_incident_that_says_that_tripline_cannot_see_is_the_detection_of_no_fault() {
    let (scenario, config) = scene_of(
        "two-halves.yaml",
        "{name: Behind the curtain, length: 30m, offline: [{from: 10m, until: 13m}],
          faults: [{from: 11m, until: 12m, over: {components: [website]}, failure: server_error}],
          expect: {missed: 0, detected_within: 5m}}",
    );
    let report = drill::run(&config, &scenario, take(1));
    assert!(report.incidents.iter().all(|played| played.incident.is_our_own()), "{:?}", report.incidents);
    assert_eq!((report.incidents.len(), &report.missed[..], report.detected), (1, &[0][..], None));
    assert_eq!((report.false_alarms, report.verdicts.iter().filter(|verdict| verdict.met).count()), (0, 0));
}

/// For so long every check fails, which is noise; then comes this fault, so much later than the incident was opened.
fn after_noise(length: &str, later: Duration, fault: &str) -> Report {
    let noise = format!("length: 80m, noise: {{blips: {{every: 80m, for: {length}, failure: server_error}}}}");
    let (calm, config) = scene(&format!("{{name: Noise, {noise}, expect: {{incidents: 1}}}}"));
    let calm = drill::run(&config, &calm, take(1));
    assert!(calm.is_met(), "{:?}", calm.verdicts);
    let from = calm.incidents[0].opened + later;
    let (scenario, _) = scene(&format!(
        "{{name: Noise and a fault, {noise}, faults: [{{from: {}ms, {fault}}}], expect: {{detected_within: 5m}}}}",
        from.as_millis()
    ));
    drill::run(&config, &scenario, take(1))
}

#[test]
fn a_message_that_something_is_over_or_still_open_is_no_detection() {
    let (resolved, reminder) = (NotificationKind::Resolved, NotificationKind::Reminder);
    for (length, later, kind) in [("2m", MINUTE, resolved), ("75m", 40 * MINUTE, reminder)] {
        let report = after_noise(length, later, "latency: 1ms, share: 1%");
        println!("{:?}", kinds(&report));
        assert_eq!((kinds(&report).contains(&kind), report.detected), (true, None));
        assert_eq!((&report.incidents[0].faults[..], report.is_met()), (&[0][..], false));
    }
}

#[test]
fn an_incident_that_was_open_before_and_worsens_in_the_fault_is_its_detection() {
    let report = after_noise("12s", Duration::from_secs(5), "failure: server_error");
    println!("{:?}", kinds(&report));
    assert_eq!(&kinds(&report)[..2], [NotificationKind::Opened, NotificationKind::Worsened]);
    assert!(report.is_met(), "{:?}", report.verdicts);
}

#[test]
fn an_incident_that_was_over_before_and_comes_back_in_the_fault_is_its_detection() {
    let report = after_noise("2m", 8 * MINUTE, "failure: server_error");
    println!("{:?}", kinds(&report));
    assert!(kinds(&report).contains(&NotificationKind::Reopened) && report.is_met(), "{:?}", report.verdicts);
}

#[test]
fn a_fault_that_outlasts_its_incident_was_not_resolved_in_time() {
    let (scenario, config) = scene(
        "{name: Sent home, length: 40m, faults: [{from: 10m, until: 30m, over: {components: [signup]}, failure: dns}],
          acts: [{at: 16m, do: resolve}], expect: {resolved_within: 5m}}",
    );
    let report = drill::run(&config, &scenario, take(1));
    assert_eq!((report.incidents[0].resolved, report.resolved), (Some(16 * MINUTE), None));
    let verdict = &report.verdicts[0];
    assert_eq!((verdict.met, verdict.found.as_str()), (false, "before the fault's end"));
}

#[test]
fn listed_incidents_are_met_in_whatever_order_they_are_listed() {
    let apart = "{from: 5m, until: 8m, over: {components: [api]}, failure: server_error},
        {from: 30m, until: 33m, over: {components: [website]}, failure: server_error}";
    for listed in
        ["{severity: major}, {severity: major, components: [api]}", "{components: [website]}, {severity: major}"]
    {
        let (scenario, config) = scene(&format!(
            "{{name: One after the other, length: 50m, faults: [{apart}], expect: {{incidents: [{listed}]}}}}"
        ));
        let report = drill::run(&config, &scenario, take(1));
        assert!(report.is_met(), "{:?}", report.verdicts);
    }
}
