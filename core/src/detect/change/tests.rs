//! The change rule at work, on random outcomes whose seeds are printed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::config::Config;
use crate::detect::{Detector, Signal};
use crate::model::*;

const DAY: u64 = 86_400;
const LOST: Outcome = Outcome::Failure(FailureClass::ServerError);

/// Much as the repository's own configuration: three components with a probe for each of four workspaces, 12 checks a minute
/// each, and seven components with one probe; every 20 s.
fn forge() -> Arc<Config> {
    let workspaces = ["acme", "globex", "initech", "umbrella"];
    let probe = |component: usize, workspace: &str| Probe {
        component: format!("c{component}").as_str().into(),
        labels: BTreeMap::from([("workspace".into(), workspace.into())]),
        ..crate::model::tests::probe(&format!("p{component}[workspace={workspace}]"))
    };
    let mut probes: Vec<Probe> =
        (0..3).flat_map(|component| workspaces.map(|workspace| probe(component, workspace))).collect();
    probes.extend((3..10).map(|component| Probe { labels: Labels::new(), ..probe(component, "") }));
    assert!(probes.iter().all(|probe| matches!(probe.cadence, Cadence::Every(interval) if interval.as_secs() == 20)));
    let change = Change {
        bad: Bad::Failed,
        false_alarms: FalseAlarms { count: 1, per: Duration::from_secs(90 * DAY) },
        clear_hold: Duration::from_secs(30),
    };
    Arc::new(Config {
        cohorts: BTreeMap::from([("workspace".into(), workspaces.map(LabelValue::from).to_vec())]),
        components: vec![],
        probes: probes.into(),
        rules: vec![Rule {
            id: "unusual".into(),
            over: Scope::default(),
            kind: RuleKind::Change(change),
            severity: Severity::Major,
            tell: vec![],
            built_in: false,
        }],
        receivers: BTreeMap::new(),
        ..crate::config::tests::empty()
    })
}

struct Drive {
    config: Arc<Config>,
    detector: Detector,
    millis: i64,
    signals: Vec<Signal>,
}

impl Drive {
    fn new() -> Self {
        let config = forge();
        Self { detector: Detector::new(Arc::clone(&config)), config, millis: 1_739_288_460_000, signals: Vec::new() }
    }

    /// One round of all probes, half a second apart; `fails` says which fail.
    fn round(&mut self, mut fails: impl FnMut(usize) -> bool) {
        for probe in 0..self.config.probes.len() {
            self.millis += 500;
            let at = Timestamp::from_millis(self.millis);
            while let Some(due) = self.detector.next_timeout().filter(|due| *due < at) {
                self.detector.pass(due, &mut self.signals);
            }
            let id = self.config.probes[probe].id.clone();
            let outcome = if fails(probe) { LOST } else { Outcome::Success };
            let result =
                CheckResult { outcome, ..CheckResult::void(id, Location::local(), at, VoidReason::Internal) };
            self.detector.observe(ProbeIndex::nth(probe), &result, at, &mut self.signals);
        }
    }

    fn breaches(&self) -> Vec<&Breach> {
        let breaches = self.signals.iter().filter_map(|signal| match signal {
            Signal::Breached(breach) => Some(breach),
            Signal::Cleared { .. } => None,
        });
        breaches.collect()
    }

    fn cleared(&self) -> usize {
        self.signals.iter().filter(|signal| matches!(signal, Signal::Cleared { .. })).count()
    }
}

fn at_share(sorted: &[usize], share: f64) -> usize {
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let index = ((sorted.len() as f64 * share).ceil() as usize).max(1) - 1;
    sorted[index]
}

#[test]
fn a_partial_outage_is_found_within_1_3_times_of_what_an_ideal_test_that_knew_its_size_would_need() {
    // The share of checks that fail, and the median and p99 of the checks that an ideal sum with a threshold of 18
    // nats needs.
    for (percent, median, p99) in [(50_u32, 6_usize, 17_usize), (30, 12, 33), (20, 18, 51), (10, 46, 137)] {
        let mut needed: Vec<usize> =
            (0..500).map(|seed| checks_until_found(f64::from(percent) / 100.0, seed)).collect();
        needed.sort_unstable();
        let (found_median, found_p99) = (at_share(&needed, 0.5), at_share(&needed, 0.99));
        println!("{percent}% fail: median {found_median} (ideal {median}), p99 {found_p99} (ideal {p99}), 500 seeds");
        assert!(10 * found_median <= 13 * median && 10 * found_p99 <= 13 * p99, "{percent}% fail");
    }
}

/// How many checks of a component it takes until a breach is found when a share of them fails at random; half an hour
/// of noise goes before.
fn checks_until_found(share: f64, seed: u64) -> usize {
    let (mut random, mut drive) = (Dice::new(seed), Drive::new());
    for _ in 0..90 {
        drive.round(|_| random.chance(0.001));
    }
    assert!(drive.signals.is_empty(), "seed {seed}: the noise alone raised something");
    let mut checks = 0;
    loop {
        let mut here = 0;
        let mut fails = Vec::new();
        for probe in 0..drive.config.probes.len() {
            fails.push(random.chance(if probe < 4 { share } else { 0.001 }));
        }
        let before = drive.signals.len();
        let first = drive.millis;
        drive.round(|probe| fails[probe]);
        if let Some(Signal::Breached(breach)) = drive.signals.get(before) {
            // The component's four probes are the first of the round.
            let millis = breach.found.as_millis() - first;
            here += usize::try_from(millis / 500).unwrap().min(4);
            return checks + here;
        }
        checks += 4;
        assert!(checks < 2_000, "seed {seed}: not found");
    }
}

#[test]
fn three_days_of_ordinary_noise_raise_nothing_and_are_learned() {
    for (share, seed) in [(0.001, 1), (0.001, 2), (0.005, 3), (0.005, 4)] {
        let (mut random, mut drive) = (Dice::new(seed), Drive::new());
        for _ in 0..3 * DAY / 20 {
            drive.round(|_| random.chance(share));
        }
        assert_eq!(drive.signals, [], "noise of {share}, seed {seed}");
        // Then everything fails: the message says what was usual.
        drive.round(|_| true);
        let reason = &drive.breaches()[0].reason;
        let usual: &[&str] = if share > 0.002 { &["0.4", "0.5"] } else { &["0.1"] };
        let said = usual.iter().any(|usual| reason.contains(&format!("usually {usual}")));
        assert!(said, "noise of {share}, seed {seed}: {reason}");
    }
}

#[test]
fn the_narrowest_slice_that_holds_an_outage_finds_it_and_says_since_when_and_how_many() {
    let mut drive = Drive::new();
    for _ in 0..30 {
        drive.round(|_| false);
    }
    let before = drive.millis;
    // Every check for one workspace fails: the probes 1, 5, 9, ...
    drive.round(|probe| probe % 4 == 1);
    let first = drive.breaches()[0].clone();
    assert_eq!(first.slice.to_string(), "workspace=globex");
    assert_eq!(first.reason, "3 of 3 checks failed in 4s; usually 0.1% do");
    assert_eq!(first.since.as_millis(), before + 1_000);
    let bad: Vec<_> = drive.detector.bad_checks(&first).collect();
    let its_own = bad.iter().all(|entry| entry.probe.number() % 4 == 1 && entry.class.is_some());
    assert!(its_own && bad.len() == 3, "its bad checks: {bad:?}");
}

#[test]
fn a_breach_is_over_when_for_half_a_minute_no_more_than_usual_failed() {
    let mut drive = Drive::new();
    for _ in 0..30 {
        drive.round(|_| false);
    }
    for _ in 0..30 {
        drive.round(|probe| probe % 4 == 1);
    }
    let breaches = drive.breaches().len();
    assert!(breaches > 1 && drive.cleared() == 0, "{breaches} breaches, {} cleared", drive.cleared());
    let well = drive.millis;
    while drive.cleared() < breaches {
        drive.round(|_| false);
    }
    let took = (drive.millis - well) / 1_000;
    println!("all {breaches} breaches were over {took} s after the end");
    assert!(took <= 180, "{took} s");
}

#[test]
fn what_is_broken_never_becomes_normal_but_a_small_lasting_share_does() {
    let (mut random, mut drive) = (Dice::new(7), Drive::new());
    // 2% of all checks fail from some moment on, for four days.
    for _ in 0..DAY / 20 {
        drive.round(|_| random.chance(0.001));
    }
    for _ in 0..4 * DAY / 20 {
        drive.round(|_| random.chance(0.02));
    }
    let breaches = drive.breaches().len();
    assert!(breaches > 0, "it is a change");
    assert_eq!(drive.cleared(), breaches, "after some days it is usual");
    let quiet_from = Timestamp::from_millis(drive.millis) - Duration::from_secs(DAY / 2);
    let late = drive.breaches().iter().filter(|breach| breach.found > quiet_from).count();
    println!("{breaches} breaches, {late} in the last twelve hours of four days");
    assert!(10 * late < breaches, "{late} of {breaches} breaches came in the last twelve hours");

    let mut drive = Drive::new();
    for _ in 0..4 * DAY / 20 {
        drive.round(|probe| probe == 1);
    }
    let down = drive.breaches().iter().find(|breach| breach.slice.labels.len() == 2).map(|breach| breach.id);
    let over = |signal: &Signal| matches!(signal, Signal::Cleared { breach, .. } if Some(*breach) == down);
    assert!(down.is_some() && !drive.signals.iter().any(over), "a customer who is down stays down");
}
