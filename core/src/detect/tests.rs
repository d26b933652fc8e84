//! Rules at work, driven by hand: every result has its time.

mod factors;
mod kinds;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::columns::Columns;
use super::slices::Slices;
use super::time_to_detect::time_to_detect;
use super::{Detector, Signal, factor, history::Entry, tally::Tally};
use crate::config::Config;
use crate::model::*;

const START: i64 = 1_739_288_460_000; // 2025-02-11 15:41:00 UTC
const LOST: Outcome = Outcome::Failure(FailureClass::NotFound);

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(START + millis)
}

fn probe(id: &str, component: &str, labels: &[(&str, &str)]) -> Probe {
    let labels = labels.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    Probe { component: component.into(), labels, ..crate::model::tests::probe(id) }
}

fn rule(kind: RuleKind) -> Rule {
    Rule {
        id: "spike".into(),
        over: Scope::default(),
        kind,
        severity: Severity::Major,
        tell: vec![],
        built_in: false,
    }
}

/// Above 20% and at least 2 within a minute; over when below 10% for 30 s.
fn rate() -> ErrorRate {
    ErrorRate {
        bad: Bad::Failed,
        above: Ratio::from_percent(20),
        within: secs(60),
        at_least: 2,
        per: vec![],
        clear: Clear { below: Ratio::from_percent(10), hold: secs(30) },
    }
}

fn config(probes: Vec<Probe>, kind: RuleKind) -> Arc<Config> {
    Arc::new(Config {
        cohorts: BTreeMap::from([("workspace".into(), vec![])]),
        components: vec![],
        probes: probes.into(),
        rules: vec![rule(kind)],
        receivers: BTreeMap::new(),
        ..crate::config::tests::empty()
    })
}

/// A detector for one rule, and all that it said.
struct Drive {
    config: Arc<Config>,
    detector: Detector,
    said: Vec<(i64, Signal)>,
}

impl Drive {
    fn new(probes: Vec<Probe>, kind: RuleKind) -> Self {
        let config = config(probes, kind);
        Self { detector: Detector::new(Arc::clone(&config)), config, said: vec![] }
    }

    /// One probe, judged by an error rate.
    fn one(rate: ErrorRate) -> Self {
        Self::new(vec![probe("api", "api", &[])], RuleKind::ErrorRate(rate))
    }

    /// A check of the probe with this index ends; before that, time passes.
    fn check(&mut self, probe: usize, millis: i64, outcome: Outcome) {
        self.pass(millis);
        let result = CheckResult {
            outcome,
            ..CheckResult::void(
                self.config.probes[probe].id.clone(),
                Location::local(),
                at(millis),
                VoidReason::Internal,
            )
        };
        let mut signals = vec![];
        self.detector.observe(ProbeIndex::nth(probe), &result, at(millis), &mut signals);
        self.said.extend(signals.into_iter().map(|signal| (millis, signal)));
    }

    fn pass(&mut self, until: i64) {
        while let Some(due) = self.detector.next_timeout().filter(|due| *due < at(until)) {
            let mut signals = vec![];
            self.detector.pass(due, &mut signals);
            let millis = due.as_millis() - START;
            self.said.extend(signals.into_iter().map(|signal| (millis, signal)));
            assert_ne!(self.detector.next_timeout(), Some(due), "a timeout that was handed in is over");
        }
    }

    fn breaches(&self) -> Vec<(i64, &Breach)> {
        let breach = |(at, signal): &'_ (i64, Signal)| matches!(signal, Signal::Breached(_)).then_some(*at);
        let moments = self.said.iter().filter_map(breach);
        let breaches = self.said.iter().filter_map(|(_, signal)| match signal {
            Signal::Breached(breach) => Some(breach),
            Signal::Cleared { .. } => None,
        });
        moments.zip(breaches).collect()
    }

    fn cleared(&self) -> Vec<i64> {
        let cleared = self.said.iter().filter(|(_, signal)| matches!(signal, Signal::Cleared { .. }));
        cleared.map(|(at, _)| *at).collect()
    }
}

#[test]
fn a_bad_check_counts_for_exactly_the_length_of_the_window() {
    for (second, breaches) in [(60_000, 1), (60_001, 0)] {
        let mut drive = Drive::one(rate());
        drive.check(0, 0, LOST);
        drive.check(0, second, LOST);
        assert_eq!(drive.breaches().len(), breaches, "the second after {second} ms");
    }
}

#[test]
fn the_share_must_be_above_the_threshold_and_not_at_it() {
    for (good, breaches) in [(8, 0), (7, 1)] {
        let mut drive = Drive::one(rate());
        for check in 0..good {
            drive.check(0, check * 1_000, Outcome::Success);
        }
        drive.check(0, 20_000, LOST);
        drive.check(0, 21_000, LOST);
        assert_eq!(drive.breaches().len(), breaches, "2 of {}", good + 2);
    }
}

#[test]
fn one_bad_check_is_no_breach_when_two_are_wanted() {
    let mut drive = Drive::one(rate());
    drive.check(0, 0, LOST);
    drive.check(0, 20_000, Outcome::Void(VoidReason::Overrun));
    assert_eq!(drive.said, []);
}

#[test]
fn a_breach_begins_with_its_first_bad_check_and_not_with_a_stray_one_long_before() {
    let mut drive = Drive::one(ErrorRate { above: Ratio::from_percent(5), ..rate() });
    drive.check(0, 0, LOST);
    // At 5% a stray failure weighs as much as nineteen good checks, more than fit into the window.
    for check in 1..10 {
        drive.check(0, check * 20_000, Outcome::Success);
    }
    drive.check(0, 200_000, LOST);
    drive.check(0, 220_000, LOST);
    let breaches = drive.breaches();
    assert_eq!(breaches.len(), 1);
    assert_eq!(breaches[0].1.since, at(200_000));
}

#[test]
fn a_breach_is_over_when_the_share_stayed_low_for_long_enough_and_not_before() {
    let mut drive = Drive::one(rate());
    drive.check(0, 0, LOST);
    drive.check(0, 1_000, LOST);
    // Between 10% and 20% it neither starts nor ends.
    for check in 2..14 {
        drive.check(0, check * 1_000, Outcome::Success);
    }
    drive.pass(60_000);
    assert!(drive.cleared().is_empty(), "2 of 14 are 14%");
    // Both have left the window after 61 s; 30 s later it is over.
    for check in 62..120 {
        drive.check(0, check * 1_000, Outcome::Success);
    }
    assert_eq!(drive.cleared().len(), 1);
    assert!((91_000..=93_000).contains(&drive.cleared()[0]), "{:?}", drive.cleared());
}

#[test]
fn a_failure_while_it_recovers_starts_the_waiting_anew() {
    let mut drive = Drive::one(rate());
    drive.check(0, 0, LOST);
    drive.check(0, 1_000, LOST);
    for (second, outcome) in [(65, Outcome::Success), (80, LOST), (100, Outcome::Success), (130, Outcome::Success)] {
        drive.check(0, second * 1_000, outcome);
    }
    // Of the checks since second 90, none is bad.
    drive.check(0, 150_000, Outcome::Success);
    drive.check(0, 175_000, Outcome::Success);
    drive.pass(200_000);
    assert_eq!(drive.cleared(), [180_000]);
}

#[test]
fn a_breach_does_not_end_because_nobody_looks() {
    let mut drive = Drive::one(rate());
    drive.check(0, 0, LOST);
    drive.check(0, 1_000, LOST);
    drive.pass(10_000_000);
    assert!(drive.cleared().is_empty());
}

#[test]
fn a_breach_ends_also_where_checks_are_rarer_than_the_window_is_long() {
    let clear = Clear { below: Ratio::from_percent(10), hold: secs(180) };
    let mut drive = Drive::one(ErrorRate { at_least: 1, clear, ..rate() });
    drive.check(0, 0, LOST);
    assert_eq!(drive.breaches().len(), 1);
    for check in 1..4 {
        drive.check(0, check * 300_000, Outcome::Success);
    }
    assert_eq!(drive.cleared(), [600_000], "the second good check says that it stayed well");
}

#[test]
fn so_many_failures_in_a_row_are_a_breach_and_a_success_between_is_none() {
    let run = RuleKind::Consecutive(Consecutive { count: 3, clear_after: secs(60) });
    let mut drive = Drive::new(vec![probe("api", "api", &[])], run);
    for (check, outcome) in [LOST, LOST, Outcome::Success, LOST, LOST].into_iter().enumerate() {
        drive.check(0, check as i64 * 20_000, outcome);
    }
    assert_eq!(drive.said, []);
    drive.check(0, 100_000, Outcome::Void(VoidReason::Overrun));
    drive.check(0, 120_000, LOST);
    assert_eq!(drive.breaches().len(), 1);
    assert_eq!(drive.breaches()[0].1.since, at(60_000), "the first of the three");
    drive.check(0, 140_000, Outcome::Success);
    drive.check(0, 160_000, LOST);
    drive.check(0, 180_000, Outcome::Success);
    drive.pass(300_000);
    assert_eq!(drive.cleared(), [240_000], "a minute after it failed last and was well");
}

#[test]
fn slices_are_the_whole_and_every_combination_of_the_labels_that_a_probe_has() {
    let probes: Probes = [
        probe("a", "api", &[("workspace", "acme"), ("plan", "free")]),
        probe("b", "api", &[("workspace", "globex"), ("plan", "free")]),
        probe("c", "api", &[("plan", "paid")]),
        probe("d", "website", &[]),
    ]
    .into_iter()
    .collect();
    let over = Scope { components: [ComponentId::from("api")].into(), ..Scope::default() };
    let slices = Slices::new(&over, &["workspace".into(), "plan".into()], &probes);
    let of = |probe: usize| -> Vec<String> {
        slices.of(ProbeIndex::nth(probe)).iter().map(|&slice| slices[slice].to_string()).collect()
    };
    assert_eq!(of(0), ["all checks", "workspace=acme", "plan=free", "plan=free, workspace=acme"]);
    assert_eq!(of(1), ["all checks", "workspace=globex", "plan=free", "plan=free, workspace=globex"]);
    assert_eq!(of(2), ["all checks", "plan=paid"]);
    assert_eq!(of(3), Vec::<String>::new());
    assert_eq!(slices.all().len(), 7, "what two probes share is one slice");
}

/// Ten checks for each of four workspaces on each of two components; `bad` says how many of the ten are.
fn tallied(bad: impl Fn(&str, &str) -> usize) -> (Tally, Arc<Config>) {
    let mut probes = vec![];
    for component in ["api", "website"] {
        for workspace in ["acme", "globex", "initech", "umbrella"] {
            probes.push(probe(&format!("{component}-{workspace}"), component, &[("workspace", workspace)]));
        }
    }
    let config = config(probes, RuleKind::ErrorRate(rate()));
    let mut tally = Tally::default();
    for (index, probe) in config.probes.indexed() {
        let workspace = probe.labels.values().next().unwrap();
        let fails = bad(probe.component.as_str(), workspace.as_str());
        for check in 0..10 {
            let class = (check < fails).then_some(FailureClass::NotFound);
            let status = class.map(|_| 404);
            tally.add(&Entry { at: at(0), probe: index, bad: class.is_some(), class, status, place: 0 });
        }
    }
    (tally, config)
}

fn separating(bad: impl Fn(&str, &str) -> usize) -> Option<String> {
    let (tally, config) = tallied(bad);
    let factor = factor::find(&tally, &[], &Columns::new(&config)).factor?;
    let values: Vec<&str> = factor.values.iter().map(LabelValue::as_str).collect();
    Some(format!("{}={} {}/{}", factor.label, values.join(","), factor.bad, factor.looked))
}

/// A probe's rhythm: its interval and phase in seconds, and the seed of how long its checks take.
fn rhythms() -> impl Strategy<Value = Vec<(u64, u64, u64)>> {
    proptest::collection::vec((5_u64..90, 0_u64..90_000, any::<u64>()), 1..6)
}

proptest! {
    /// However the phases fall and however long each check takes, the rule notices within what it promises.
    #[test]
    fn a_rule_notices_within_its_reach(
        rhythms in rhythms(), percent in 0_u32..100, within in 10_u64..400, at_least in 1_u32..8,
        timeout in 0_u64..5_000, fault in 0_i64..90_000,
    ) {
        let timeout = Duration::from_millis(timeout);
        let probes: Probes = rhythms.iter().enumerate().map(|(index, (interval, ..))| {
            let cadence = Cadence::Every(secs(*interval));
            Probe { cadence, timeout, ..probe(&index.to_string(), "api", &[]) }
        }).collect();
        let rate = ErrorRate { above: Ratio::from_percent(percent), within: secs(within), at_least, ..rate() };
        let promised = time_to_detect(&rule(RuleKind::ErrorRate(rate.clone())), &probes, &BTreeMap::<LabelName, ()>::new(), 0.001);
        prop_assert_eq!(promised.len(), 1);
        let Ok(worst) = promised[0].worst.clone() else { return Ok(()) };

        let fault = 600_000 + fault;
        let end = fault + i64::try_from(worst.as_millis()).unwrap();
        let mut ends = vec![];
        for (index, (interval, phase, seed)) in rhythms.iter().enumerate() {
            let step = i64::try_from(interval * 1_000).unwrap();
            let mut begins = i64::try_from(*phase).unwrap() % step;
            let mut dice = *seed;
            while begins <= end {
                dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                // Mostly as quick or as slow as can be: the extremes are what may break a bound.
                let most = i64::try_from(timeout.as_millis()).unwrap();
                let takes = match dice >> 62 { 0 => 0, 1 => most, _ => i64::try_from(dice >> 33).unwrap() % (most + 1) };
                ends.push((begins + takes, index, if begins >= fault { LOST } else { Outcome::Success }));
                begins += step;
            }
        }
        ends.sort_by_key(|(end, index, _)| (*end, *index));
        let mut drive = Drive::new(probes.into_iter().collect(), RuleKind::ErrorRate(rate));
        for (moment, index, outcome) in ends.into_iter().filter(|(moment, ..)| *moment <= end) {
            drive.check(index, moment, outcome);
        }
        prop_assert_eq!(drive.breaches().len(), 1, "promised within {:?}", worst);
        prop_assert!(drive.breaches()[0].0 >= fault);
    }
}

#[test]
fn a_check_with_many_results_is_one_in_a_row_and_fails_with_any_of_them() {
    let run = Consecutive { count: 3, clear_after: secs(60) };
    let mut asked = probe("api", "api", &[]);
    asked.resolve.each_address = true;
    let mut drive = Drive::new(vec![asked], RuleKind::Consecutive(run));
    for round in 0..2 {
        for outcome in [LOST, LOST, Outcome::Success, LOST] {
            drive.check(0, round * 20_000, outcome);
        }
        assert_eq!(drive.breaches(), [], "three bad results of one check are one failure");
    }
    for outcome in [Outcome::Success, LOST, Outcome::Success] {
        drive.check(0, 40_000, outcome);
    }
    assert_eq!(drive.breaches().len(), 1, "{:?}", drive.said);
    drive.check(0, 60_000, Outcome::Success);
    drive.check(0, 60_000, Outcome::Success);
    drive.check(0, 120_000, Outcome::Success);
    assert_eq!(drive.cleared(), [120_000]);
}
