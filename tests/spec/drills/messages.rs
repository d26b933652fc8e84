//! Messages are judged one by one, as they were sent, and pair expected incidents with found ones.

use std::sync::Arc;

use tripline::config::{Config, load};
use tripline::drill::scenario::{self, Wanted};
use tripline::drill::{self, Report, Scenario};

use super::{scene, take};
use crate::given::Nothing;

/// One outage of sign-up, and what is expected of its incident.
fn outage(expected: &str) -> Report {
    let (scenario, config) = scene(&format!(
        "{{name: One, length: 30m, expect: {{incidents: [{{{expected}}}]}},
          faults: [{{from: 10m, until: 15m, over: {{components: [signup]}}, failure: dns}}]}}"
    ));
    drill::run(&config, &scenario, take(1))
}

/// The verdicts that were not met: `message 1: within: expected 1s, found 40s`.
fn missed(report: &Report) -> Vec<String> {
    let missed = report.verdicts.iter().filter(|verdict| !verdict.met);
    missed
        .map(|verdict| format!("{}: expected {}, found {}", verdict.about, verdict.expected, verdict.found))
        .collect()
}

#[test]
fn the_messages_are_these_and_no_others_in_this_order() {
    let met = outage(
        "messages: [
          {kind: opened, components: [signup], factor: {component: signup, failure: dns}, within: 2m},
          {kind: resolved, components: [signup], factor: {component: signup}, within: 5m}]",
    );
    assert_eq!(missed(&met), [""; 0]);
    for list in ["[{kind: opened}]", "[{kind: resolved}, {kind: opened}]", "[]"] {
        let report = outage(&format!("messages: {list}"));
        let missed = missed(&report);
        assert_eq!(missed.len(), 1, "{missed:?}");
        let told = "opened at 10m";
        assert!(missed[0].starts_with("incident 1: messages: expected "), "{missed:?}");
        assert!(
            missed[0].contains(told) && missed[0].contains("(signup; component=signup dns); resolved at 1"),
            "{missed:?}"
        );
    }
}

#[test]
fn what_differs_in_a_message_is_told_by_its_number() {
    let report = outage(
        "messages: [
          {kind: opened, components: [website, signup], within: 1s},
          {kind: resolved, factor: {failure: tls}, within: 1s}]",
    );
    let missed = missed(&report);
    assert_eq!(missed.len(), 4, "{missed:?}");
    assert_eq!(missed[0], "incident 1: message 1: components: expected signup, website, found signup");
    assert!(missed[1].starts_with("incident 1: message 1: within: expected 1s, found "), "{missed:?}");
    assert_eq!(missed[2], "incident 1: message 2: factor: expected tls, found component=signup dns");
    assert!(missed[3].starts_with("incident 1: message 2: within: expected 1s, found "), "{missed:?}");
}

#[test]
fn since_and_the_times_of_one_incident_are_judged_by_its_own_fault() {
    let met = "since: 10m, detected_within: 2m, resolved_within: 5m";
    assert_eq!(missed(&outage(met)), [""; 0]);
    let report = outage("since: {max: 9m}, detected_within: 1s, resolved_within: 1s");
    let about: Vec<&str> =
        report.verdicts.iter().filter(|verdict| !verdict.met).map(|verdict| &*verdict.about).collect();
    assert_eq!(about, ["incident 1: since", "incident 1: detected_within", "incident 1: resolved_within"]);
    assert_eq!(missed(&outage("since: {min: 10m}")), [""; 0]);
    assert_eq!(missed(&outage("since: 10m30s")).len(), 1, "not before it");
    assert_eq!(missed(&outage("since: 9m")).len(), 1, "nor later than two turns and a timeout after it");
}

/// The second outage of the same component is another incident; they differ in their times and messages alone.
#[test]
fn incidents_are_paired_by_when_they_were_and_what_was_told() {
    let twice = "length: 90m, faults: [
        {from: 5m, until: 8m, over: {components: [api]}, failure: server_error},
        {from: 60m, until: 63m, over: {components: [api]}, failure: server_error}], acts: [{at: 62m, do: resolve}]";
    for listed in [
        "{since: 60m, detected_within: 2m}, {since: 5m, resolved_within: 5m}",
        "{since: 60m}, {messages: [{kind: opened}, {kind: resolved, within: 5m}]}",
    ] {
        let (scenario, config) = scene(&format!("{{name: Twice, {twice}, expect: {{incidents: [{listed}]}}}}"));
        let report = drill::run(&config, &scenario, take(1));
        assert_eq!(report.incidents.len(), 2);
        assert_eq!(missed(&report), [""; 0], "{listed}");
    }
    // What fits nobody in all is paired with what it fits in most.
    let listed = "{since: 60m, detected_within: 1ms}, {since: 5m, detected_within: 1ms}";
    let (scenario, config) = scene(&format!("{{name: Twice, {twice}, expect: {{incidents: [{listed}]}}}}"));
    let missed = missed(&drill::run(&config, &scenario, take(1)));
    assert!(missed.len() == 2 && missed.iter().all(|missed| missed.contains("detected_within")), "{missed:?}");
}

fn shop(scenario: &str) -> (Scenario, Arc<Config>) {
    let receiver = |name: &str, to: &str| {
        format!(
            "  {name}: {{email: {{from: a@shop.example, to: [{to}@shop.example], smtp: \"smtp://127.0.0.1:2525\"}}}}"
        )
    };
    let config = format!(
        "name: Shop
defaults: {{interval: 20s}}
components: {{cart: {{name: Cart}}, list: {{name: List}}}}
probes:
  cart: {{component: cart, http: {{url: \"https://shop.example/cart\"}}}}
  list: {{component: list, http: {{url: \"https://list.shop.example/\"}}}}
rules:
  cart: {{over: {{components: [cart]}}, consecutive: 2, tell: [lead]}}
  all: {{consecutive: 3}}
receivers:
{}
{}
",
        receiver("lead", "lead"),
        receiver("oncall", "oncall")
    );
    let config = Arc::new(load("probes.yaml", &config, &Nothing).unwrap_or_else(|problems| panic!("{problems}")));
    let given = |_: Wanted<'_>| Ok(Arc::clone(&config));
    scenario::read("scene.yaml", scenario, &Nothing, &given).unwrap_or_else(|problems| panic!("{problems}"))
}

#[test]
fn every_receiver_gets_all_of_the_messages() {
    let expected = |within: &str| {
        let (scenario, config) = shop(&format!(
            "{{name: Cart, length: 30m, faults: [{{from: 10m, until: 15m, over: {{components: [cart]}}, failure: dns}}],
              expect: {{incidents: [{{messages: [{{kind: opened, within: {within}}}, {{kind: resolved}}]}}]}}}}"
        ));
        drill::run(&config, &scenario, take(1))
    };
    assert_eq!(missed(&expected("90s")), [""; 0]);
    let report = expected("1s");
    let missed = missed(&report);
    assert_eq!(missed.len(), 2, "{missed:?}");
    assert!(missed[0].starts_with("incident 1: message 1 to lead: within"), "{missed:?}");
    assert!(missed[1].starts_with("incident 1: message 1 to oncall: within"), "{missed:?}");
}
