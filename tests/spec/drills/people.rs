//! What people do in a drill.

use std::time::Duration;

use tripline::drill;
use tripline::model::{IncidentChange, IncidentState};

use super::{scene, take};

#[test]
fn people_can_take_an_incident_on_and_end_it() {
    let (scenario, config) = scene(
        "{name: People, length: 40m, faults: [{from: 10m, until: 30m, over: {components: [signup]}, failure: dns}],
          acts: [{at: 15m, do: acknowledge, by: ada}, {at: 16m, do: resolve, by: grace}], expect: {incidents: 1}}",
    );
    let report = drill::run(&config, &scenario, take(1));
    let played = &report.incidents[0];
    assert_eq!(played.incident.acknowledged.as_ref().map(|(by, _)| by.as_str()), Some("ada"));
    assert_eq!(played.resolved, Some(Duration::from_secs(16 * 60)));
    assert!(report.is_met());
}

const OUTAGE: &str = "length: 40m, faults: [{from: 10m, until: 30m, over: {components: [signup]}, failure: dns}]";

#[test]
fn people_can_do_in_a_drill_all_that_they_can_do() {
    let (scenario, config) = scene(&format!(
        "{{name: People, {OUTAGE}, expect: {{incidents: 1}}, acts: [
          {{at: 15m, do: note, by: ada, text: the zone is empty}},
          {{at: 16m, do: identify, by: ada, text: a deployment of the zone}},
          {{at: 17m, do: monitor, by: grace, text: rolled back}},
          {{at: 18m, do: watch, by: grace}}]}}"
    ));
    let report = drill::run(&config, &scenario, take(1));
    let mut said = report.events.iter().filter_map(|event| match &event.what.change {
        IncidentChange::Noted { by, text } => Some(format!("{by} notes {text}")),
        IncidentChange::Identified { by, cause } => Some(format!("{by} identifies {cause}")),
        IncidentChange::Mended { by, text } => Some(format!("{by} mends {text}")),
        _ => None,
    });
    assert_eq!(said.next().as_deref(), Some("ada notes the zone is empty"));
    assert_eq!(said.next().as_deref(), Some("ada identifies a deployment of the zone"));
    assert_eq!(said.next().as_deref(), Some("grace mends rolled back"));
    assert_eq!(said.next().as_deref(), Some("grace mends "));
    assert_eq!(report.incidents[0].incident.state, IncidentState::Resolved);
}
