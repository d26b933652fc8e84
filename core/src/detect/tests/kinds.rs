//! Latency, burn rate, expiry and missing checks.

use super::*;

fn timed(drive: &mut Drive, probe: usize, millis: i64, took: u64, outcome: Outcome) {
    drive.pass(millis);
    let mut result =
        CheckResult::void(drive.config.probes[probe].id.clone(), Location::local(), at(millis), VoidReason::Internal);
    result.outcome = outcome;
    result.phases.total = Duration::from_millis(took);
    let mut signals = vec![];
    drive.detector.observe(ProbeIndex::nth(probe), &result, at(millis), &mut signals);
    drive.said.extend(signals.into_iter().map(|signal| (millis, signal)));
}

fn latency() -> Latency {
    Latency {
        quantile: Ratio::from_percent(90),
        of: Phase::Total,
        above: secs(2),
        within: secs(60),
        at_least: 10,
        per: vec![],
        below: secs(1),
        hold: secs(30),
    }
}

#[test]
fn a_quantile_is_above_when_more_checks_are_slow_than_it_allows_and_says_its_value() {
    for (slow, breaches) in [(1, 0), (2, 1)] {
        let mut drive = Drive::new(vec![probe("api", "api", &[])], RuleKind::Latency(latency()));
        for check in 0..10 {
            let took = if check < slow { 3_000 } else { 100 };
            timed(&mut drive, 0, check * 1_000, took, Outcome::Success);
        }
        assert_eq!(drive.breaches().len(), breaches, "{slow} of 10");
        if let Some((_, breach)) = drive.breaches().first() {
            assert!(breach.reason.starts_with("the 90% quantile of total is 3s over 10 checks"), "{}", breach.reason);
        }
    }
}

#[test]
fn refused_connections_have_no_latency_and_a_timeout_took_at_least_its_time() {
    let mut drive = Drive::new(vec![probe("api", "api", &[])], RuleKind::Latency(latency()));
    for check in 0..20 {
        timed(&mut drive, 0, check * 1_000, 5_000, Outcome::Failure(FailureClass::Connect));
    }
    assert_eq!(drive.said, []);
    for check in 20..30 {
        timed(&mut drive, 0, check * 1_000, 10_000, Outcome::Failure(FailureClass::Timeout));
    }
    assert_eq!(drive.breaches().len(), 1);
    for check in 30..160 {
        timed(&mut drive, 0, check * 1_000, 100, Outcome::Success);
    }
    assert_eq!(drive.cleared().len(), 1);
}

fn burn() -> BurnRate {
    BurnRate {
        bad: Bad::Failed,
        objective: Ratio::from_percent(99),
        factor: 10_000,
        long: secs(3_600),
        short: secs(300),
        at_least: 3,
        per: vec![],
        hold: secs(60),
    }
}

#[test]
fn a_budget_burns_when_both_windows_say_so_and_no_longer_when_the_short_one_is_well() {
    let mut drive = Drive::new(vec![probe("api", "api", &[])], RuleKind::BurnRate(burn()));
    for check in 0..360 {
        drive.check(0, check * 10_000, Outcome::Success);
    }
    // 10% of 360 checks are 36: as many bad ones make it burn ten times too fast, and one more makes it a breach.
    for check in 360..396 {
        drive.check(0, check * 10_000, LOST);
    }
    assert!(drive.breaches().is_empty(), "the short window alone is not enough");
    for check in 396..410 {
        drive.check(0, check * 10_000, LOST);
    }
    assert_eq!(drive.breaches().len(), 1);
    assert_eq!(drive.breaches()[0].1.since, at(3_600_000));
    for check in 410..460 {
        drive.check(0, check * 10_000, Outcome::Success);
    }
    assert_eq!(drive.cleared().len(), 1, "the long window still burns, the short one does not");
}

fn shows(drive: &mut Drive, probe: usize, second: i64, lasts: u64) {
    let mut result = CheckResult::void(
        drive.config.probes[probe].id.clone(),
        Location::local(),
        at(second * 1_000),
        VoidReason::Internal,
    );
    result.outcome = Outcome::Success;
    result.expires = Some(at(0) + secs(lasts * 86_400));
    let mut signals = vec![];
    drive.detector.observe(ProbeIndex::nth(probe), &result, at(second * 1_000), &mut signals);
    drive.said.extend(signals.into_iter().map(|signal| (second * 1_000, signal)));
}

#[test]
fn a_certificate_of_a_host_is_one_breach_until_every_probe_is_shown_a_longer_one() {
    let probes = vec![probe("a", "api", &[]), probe("b", "website", &[])];
    let mut drive = Drive::new(probes, RuleKind::Expiry(Expiry { within: secs(14 * 86_400) }));
    shows(&mut drive, 0, 0, 15);
    assert_eq!(drive.said, []);
    shows(&mut drive, 0, 10, 13);
    shows(&mut drive, 1, 20, 13);
    assert_eq!(drive.breaches().len(), 1, "{:?}", drive.said);
    shows(&mut drive, 0, 30, 90);
    assert!(drive.cleared().is_empty(), "the other probe was shown the old one");
    drive.check(1, 35_000, LOST);
    shows(&mut drive, 1, 40, 90);
    assert_eq!(drive.cleared(), [40_000]);
}

#[test]
fn a_probe_is_missing_when_nothing_looked_for_too_long_and_only_once_counting_started() {
    let mut drive = Drive::new(vec![probe("api", "api", &[])], RuleKind::Missing(Missing { after: secs(600) }));
    drive.check(0, 0, Outcome::Success);
    drive.pass(2_000_000);
    assert_eq!(drive.said, [], "a replay says nothing about now");
    drive.detector.start(at(2_000_000));
    drive.check(0, 2_100_000, Outcome::Success);
    drive.check(0, 2_500_000, Outcome::Void(VoidReason::Overrun));
    drive.pass(5_000_000);
    let breaches = drive.breaches();
    assert_eq!(breaches.len(), 1);
    assert_eq!(breaches[0].0, 2_700_000);
    assert!(breaches[0].1.marks.classes.contains(&FailureClass::Missing));
    drive.check(0, 5_000_000, LOST);
    assert_eq!(drive.cleared(), [5_000_000], "a failure has looked too");
}

#[test]
fn a_stored_breach_goes_on_and_ends_under_its_own_id() {
    let kinds =
        [RuleKind::Expiry(Expiry { within: secs(14 * 86_400) }), RuleKind::Missing(Missing { after: secs(600) })];
    for kind in kinds {
        let host = probe("api", "api", &[]).kind.host().to_owned();
        let slice = match kind {
            RuleKind::Expiry(_) => super::super::expiry::slice(&host.as_str().into()),
            _ => Slice { labels: Labels::new(), probe: Some("api".into()) },
        };
        let mut drive = Drive::new(vec![probe("api", "api", &[])], kind);
        let stored = Breach {
            id: BreachId::derived(&["stored"]),
            rule: "spike".into(),
            slice,
            severity: Severity::Major,
            since: at(0),
            found: at(0),
            reason: String::new(),
            marks: crate::model::Marks::default(),
            usual: None,
            meaning: None,
            cleared: None,
        };
        assert!(drive.detector.adopt(&stored));
        drive.detector.start(at(0));
        drive.pass(10_000_000);
        assert_eq!(drive.said, [], "it is not raised again");
        shows(&mut drive, 0, 10_000, 90);
        assert!(matches!(&drive.said[..], [(_, Signal::Cleared { breach, .. })] if *breach == stored.id));
    }
}

proptest! {
    /// No breach that sorting would not confirm, and the same results give the same signals.
    #[test]
    fn a_latency_is_never_breached_unless_the_sorted_quantile_is_above(
        percent in 1_u32..=100, took in proptest::collection::vec(0_u64..4_000, 1..40),
    ) {
        let rule = Latency { quantile: Ratio::from_percent(percent), at_least: 1, within: secs(3_600), ..latency() };
        let run = || {
            let mut drive = Drive::new(vec![probe("api", "api", &[])], RuleKind::Latency(rule.clone()));
            for (check, took) in (0..).zip(&took) {
                timed(&mut drive, 0, check * 1_000, *took, Outcome::Success);
            }
            drive
        };
        let drive = run();
        let above = (1..=took.len()).any(|count| {
            let mut sorted = took[..count].to_vec();
            sorted.sort_unstable();
            sorted[(percent as usize * count).div_ceil(100) - 1] > 2_000
        });
        // The rule may wait for the next slow check, where a stretch has just ended, but never cries wolf.
        prop_assert!(above || drive.breaches().is_empty());
        prop_assert_eq!(drive.said, run().said);
    }
}

#[test]
fn a_breach_ends_in_the_same_moment_however_often_time_passes_meanwhile() {
    let burn = BurnRate {
        bad: Bad::Failed,
        objective: Ratio::from_percent(90),
        factor: 1_000,
        long: secs(300),
        short: secs(60),
        at_least: 2,
        per: vec![],
        hold: secs(30),
    };
    let latency = Latency { above: secs(2), at_least: 2, ..latency() };
    for kind in [RuleKind::ErrorRate(rate()), RuleKind::Latency(latency), RuleKind::BurnRate(burn)] {
        let ends = |passes: bool| {
            let mut drive = Drive::new(vec![probe("api", "api", &[])], kind.clone());
            for second in 0..400 {
                if second % 20 == 0 || second < 5 {
                    let slow = if second < 5 { (10_000, LOST_IN_TIME) } else { (100, Outcome::Success) };
                    timed(&mut drive, 0, second * 1_000, slow.0, slow.1);
                }
                drive.pass(second * 1_000 + 1);
                if passes {
                    let mut signals = vec![];
                    drive.detector.pass(at(second * 1_000), &mut signals);
                    drive.said.extend(signals.into_iter().map(|signal| (second * 1_000, signal)));
                }
            }
            assert_eq!(drive.breaches().len(), 1, "{kind:?}");
            drive.cleared()
        };
        assert_eq!(ends(true), ends(false), "{kind:?}");
        assert_eq!(ends(true).len(), 1, "{kind:?}");
    }
}

const LOST_IN_TIME: Outcome = Outcome::Failure(FailureClass::Timeout);
