//! What a check comes to, looked at one by one.

use std::sync::Arc;
use std::time::Duration;

use super::faults::Faults;
use super::scenario::{Answer, Expectations, Fault, Noise, Scenario};
use super::take::Take;
use crate::config::Config;
use crate::model::*;

const START: Timestamp = Timestamp::from_millis(1_739_288_460_000);

fn config(expect: &[&str]) -> Arc<Config> {
    let conditions = expect.iter().map(|source| Condition::parse(source, &["status", "timing"]).unwrap());
    let mut probe = crate::model::tests::probe("home");
    probe.expect = conditions.collect();
    Arc::new(Config { name: "Shop".into(), probes: vec![probe].into(), ..crate::config::tests::empty() })
}

fn fault(answer: Answer) -> Fault {
    let over = Scope::default();
    let until = Duration::from_secs(3_600);
    Fault { from: Duration::ZERO, until, over, answer, share: (Ratio::ONE, Ratio::ONE), flap: None }
}

fn scenario(faults: Vec<Fault>) -> Scenario {
    Scenario {
        name: "A drill".into(),
        start: START,
        length: Duration::from_secs(3_600),
        seed: 1,
        noise: Noise { share: Ratio::default(), answer: Answer::Failure(FailureClass::ServerError), blips: vec![] },
        faults,
        restarts: vec![],
        clock: vec![],
        offline: vec![],
        suspended: vec![],
        reloads: vec![],
        refused: vec![],
        acts: vec![],
        expect: Expectations::default(),
    }
}

/// The results of a thousand checks, one each second; those that come.
fn checks(config: &Arc<Config>, faults: Vec<Fault>) -> Vec<CheckResult> {
    let scenario = scenario(faults);
    let take = Take { seed: 1, shift: Duration::ZERO };
    let faults = Faults::new(&scenario, config, take);
    let at = (0..1_000).map(Duration::from_secs);
    at.filter_map(|at| faults.check(ProbeIndex::nth(0), at, START + at, Duration::from_secs(10))).collect()
}

fn add_up(result: &CheckResult) -> bool {
    let phases = result.phases;
    let parts = [phases.dns, phases.connect, phases.tls, phases.first_byte, phases.transfer];
    parts.into_iter().flatten().sum::<Duration>() == phases.total
}

#[test]
fn sound_checks_take_a_while_and_their_phases_add_up() {
    let results = checks(&config(&[]), vec![]);
    let millis = |result: &CheckResult| result.phases.total.as_millis();
    assert!(results.iter().all(|result| result.outcome == Outcome::Success && add_up(result)));
    assert!(results.iter().all(|result| (42..=195).contains(&millis(result))));
    let (least, most) = (results.iter().map(millis).min().unwrap(), results.iter().map(millis).max().unwrap());
    assert!(most > least * 3 / 2, "{least} to {most}");
}

#[test]
fn every_failure_has_its_class_evidence_and_phases_as_far_as_it_came() {
    for class in FailureClass::ALL {
        let results = checks(&config(&[]), vec![fault(Answer::Failure(class))]);
        assert_eq!(results.len(), 1_000);
        for result in &results {
            let evidence = result.evidence.as_ref().unwrap();
            assert_eq!(result.outcome, Outcome::Failure(class));
            assert!(!evidence.fault.is_empty() && evidence.request.starts_with("GET http"), "{evidence:?}");
            assert!(add_up(result), "{class}: {:?}", result.phases);
            let timeout = result.phases.total == Duration::from_secs(10);
            assert_eq!(timeout, class == FailureClass::Timeout, "{class}: {:?}", result.phases);
        }
    }
}

#[test]
fn a_status_has_the_class_that_the_real_prober_gives_it() {
    for (status, class) in [(404, FailureClass::NotFound), (503, FailureClass::ServerError)] {
        let result = checks(&config(&[]), vec![fault(Answer::Status(status))]).remove(0);
        assert_eq!((result.status, result.outcome), (Some(status), Outcome::Failure(class)));
    }
}

#[test]
fn a_late_answer_is_a_success_unless_it_is_expected_sooner_or_comes_after_the_timeout() {
    let late = |expect: &[&str], seconds| {
        let latency = Answer::Latency(Duration::from_secs(seconds));
        checks(&config(expect), vec![fault(latency)]).remove(0)
    };
    assert_eq!(late(&[], 3).outcome, Outcome::Success);
    assert!(late(&[], 3).phases.total > Duration::from_secs(3));
    let slow = late(&["status == 200", "timing.total < duration(\"2s\")"], 3);
    assert_eq!(slow.outcome, Outcome::Failure(FailureClass::Expectation));
    assert!(slow.evidence.unwrap().fault.contains("timing.total"));
    let never = late(&[], 12);
    assert_eq!(
        (never.outcome, never.phases.total),
        (Outcome::Failure(FailureClass::Timeout), Duration::from_secs(10))
    );
}

#[test]
fn a_ramp_hits_more_and_more_and_a_flap_comes_and_goes() {
    let ramp = Fault {
        until: Duration::from_secs(1_000),
        share: (Ratio::default(), Ratio::ONE),
        ..fault(Answer::Status(500))
    };
    let results = checks(&config(&[]), vec![ramp]);
    let failed = |results: &[CheckResult]| results.iter().filter(|result| result.outcome != Outcome::Success).count();
    let (first, last) = (failed(&results[..500]), failed(&results[500..]));
    // A quarter and three quarters of 500; five standard deviations are below 50.
    assert!((75..175).contains(&first) && (325..425).contains(&last), "{first}, {last}");

    let flap = Some((Duration::from_secs(30), Duration::from_secs(10)));
    let results = checks(&config(&[]), vec![Fault { flap, ..fault(Answer::Status(500)) }]);
    assert_eq!((failed(&results[..30]), failed(&results[30..40]), failed(&results)), (30, 0, 750));
}

#[test]
fn the_first_fault_in_the_list_that_hits_decides() {
    let half = Fault { share: (Ratio::from_percent(50), Ratio::from_percent(50)), ..fault(Answer::Missing) };
    let results = checks(&config(&[]), vec![half, fault(Answer::Status(404))]);
    assert!((420..580).contains(&results.len()), "{}", results.len());
    assert!(results.iter().all(|result| result.status == Some(404)));
}

#[test]
fn a_drill_without_probes_ends() {
    let empty = crate::config::tests::empty();
    let report = super::run(&Arc::new(empty), &scenario(vec![]), Take { seed: 1, shift: Duration::ZERO });
    assert_eq!((report.counts.checks, report.incidents.len()), (0, 0));
}
