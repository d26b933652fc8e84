//! Which incidents and messages are about a fault, and which only happen beside it.

use tripline::drill;

use super::{scene_of, take};

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
