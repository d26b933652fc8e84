use proptest::prelude::*;

use super::*;
use crate::model;

const NOON: Timestamp = Timestamp::from_millis(1_739_275_200_000);

fn probe(id: &str, cadence: Cadence) -> Probe {
    Probe { cadence, ..model::tests::probe(id) }
}

fn every(count: usize, interval: Duration) -> Vec<Probe> {
    (0..count).map(|number| probe(&format!("probe-{number}"), Cadence::Every(interval))).collect()
}

fn at(expression: &str) -> Cadence {
    Cadence::At(Arc::new(Calendar::parse(expression, "UTC").unwrap()))
}

fn take(schedule: &mut Schedule, now: Timestamp) -> Vec<Due> {
    let mut due = Vec::new();
    schedule.take_due(now, &mut due);
    due
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

#[test]
fn a_probe_is_due_once_per_interval_at_the_same_rest() {
    let mut schedule = Schedule::new(&every(1, Duration::from_secs(20)), NOON);
    let mut times = Vec::new();
    for _ in 0..5 {
        let now = schedule.next_wake().unwrap();
        let due = take(&mut schedule, now);
        assert_eq!(due, [Due { probe: ProbeIndex::nth(0), at: now, what: What::Run }]);
        times.push(now.as_millis());
        schedule.finished(ProbeIndex::nth(0));
    }
    assert!(times.windows(2).all(|pair| pair[1] - pair[0] == 20_000), "{times:?}");
}

#[test]
fn after_a_restart_the_moments_are_the_same() {
    let probes = every(50, Duration::from_secs(20));
    let wakes = |start: Timestamp| {
        let mut schedule = Schedule::new(&probes, start);
        let mut seen = std::collections::BTreeSet::new();
        while let Some(now) = schedule.next_wake().filter(|now| *now < NOON + millis(200_000)) {
            seen.extend(take(&mut schedule, now).into_iter().map(|due| (due.at, due.probe)));
            (0..50).for_each(|probe| schedule.finished(ProbeIndex::nth(probe)));
        }
        seen.retain(|(at, _)| *at > NOON + millis(100_000));
        seen
    };
    let first = wakes(NOON);
    assert_eq!(first.len(), 250);
    assert_eq!(first, wakes(NOON + millis(73_219)));
}

#[test]
fn a_thousand_probes_are_spread_evenly_over_the_interval() {
    let schedule = Schedule::new(&every(1_000, Duration::from_secs(10)), NOON);
    let mut tenths = [0_u32; 10];
    for (at, _) in &schedule.queue {
        tenths[usize::try_from((at.as_millis() - NOON.as_millis() - 1) / 1_000).unwrap()] += 1;
    }
    // A hundred each; a fair hash stays within four standard deviations of that.
    assert!(tenths.iter().all(|count| (60..=140).contains(count)), "{tenths:?}");
}

#[test]
fn a_check_that_still_runs_makes_the_next_an_overrun_and_the_one_after_its_end_a_run() {
    let mut schedule = Schedule::new(&every(1, Duration::from_secs(20)), NOON);
    let mut what = || {
        let now = schedule.next_wake().unwrap();
        take(&mut schedule, now)[0].what
    };
    assert_eq!([what(), what(), what()], [What::Run, What::Overrun, What::Overrun]);
    schedule.finished(ProbeIndex::nth(0));
    let now = schedule.next_wake().unwrap();
    assert_eq!(take(&mut schedule, now)[0].what, What::Run);
}

#[test]
fn a_night_asleep_brings_no_burst_and_is_counted() {
    let mut schedule = Schedule::new(&every(100, Duration::from_secs(60)), NOON);
    let morning = NOON + Duration::from_hours(9);
    let due = take(&mut schedule, morning);
    // Only those whose turn came in the last seconds are still in time, and for them a turn has gone before.
    assert_eq!(due, []);
    assert_eq!(schedule.skipped(), 100);
    assert!(schedule.next_wake().unwrap() > morning);
    let mut runs = 0;
    while let Some(now) = schedule.next_wake().filter(|now| *now <= morning + Duration::from_secs(60)) {
        runs += take(&mut schedule, now).len();
    }
    assert_eq!(runs, 100);
}

#[test]
fn a_little_late_is_in_time_and_the_next_turn_stays_where_it_was() {
    let mut schedule = Schedule::new(&every(1, Duration::from_secs(20)), NOON);
    let first = schedule.next_wake().unwrap();
    assert_eq!(
        take(&mut schedule, first + millis(4_999)),
        [Due { probe: ProbeIndex::nth(0), at: first, what: What::Run }]
    );
    schedule.finished(ProbeIndex::nth(0));
    assert_eq!(schedule.next_wake(), Some(first + millis(20_000)));
    assert_eq!(take(&mut schedule, first + millis(25_000)), []);
    assert_eq!((schedule.skipped(), schedule.next_wake()), (1, Some(first + millis(40_000))));
}

#[test]
fn a_clock_that_steps_back_an_hour_does_not_stop_the_checks_for_an_hour() {
    let mut schedule = Schedule::new(&every(1, Duration::from_secs(20)), NOON);
    let back = NOON - Duration::from_hours(1);
    assert_eq!(take(&mut schedule, back), []);
    let next = schedule.next_wake().unwrap();
    assert!(next > back && next <= back + millis(20_000), "{next}");
}

#[test]
fn a_clock_that_trembles_repeats_nothing() {
    let mut schedule = Schedule::new(&every(1, Duration::from_secs(20)), NOON);
    let first = schedule.next_wake().unwrap();
    assert_eq!(take(&mut schedule, first).len(), 1);
    schedule.finished(ProbeIndex::nth(0));
    for back in [1, 400, 999] {
        assert_eq!(take(&mut schedule, first - millis(back)), []);
        assert_eq!(take(&mut schedule, first), []);
    }
}

#[test]
fn calendars_are_due_at_their_times_and_end_when_those_end() {
    let probes = [probe("report", at("0 13 * * *")), probe("once", at("30 0 12 11 2 ? 2025"))];
    let mut schedule = Schedule::new(&probes, NOON);
    assert_eq!(schedule.next_wake(), Some(NOON + millis(30_000)));
    assert_eq!(take(&mut schedule, NOON + millis(30_020))[0].probe, ProbeIndex::nth(1));
    assert_eq!(schedule.next_wake(), Some(NOON + Duration::from_hours(1)));
    assert_eq!(take(&mut schedule, NOON + Duration::from_hours(2)), []);
    assert_eq!((schedule.skipped(), schedule.next_wake()), (1, Some(NOON + Duration::from_hours(25))));
}

#[test]
fn nothing_to_do_is_nothing_to_wait_for() {
    assert_eq!(Schedule::new(&[], NOON).next_wake(), None);
}

proptest! {
    #[test]
    fn no_clock_makes_a_probe_run_twice_at_once_or_before_its_turn(
        steps in prop::collection::vec(
            prop_oneof![
                4 => 0..3_000i64,
                1 => -3_000..0i64,
                1 => -100_000_000..100_000_000i64,
                1 => prop::sample::select(vec![i64::MAX / 2, i64::MIN / 2]),
            ],
            1..60,
        ),
        ends in prop::collection::vec(any::<bool>(), 60),
    ) {
        let mut probes = every(4, millis(700));
        probes.push(probe("slow", Cadence::Every(Duration::from_secs(60))));
        probes.push(probe("calendar", at("*/7 * * * * *")));
        let mut schedule = Schedule::new(&probes, NOON);
        let mut now = NOON;
        let mut running = [false; 6];
        for (step, ends) in steps.into_iter().zip(ends) {
            now = Timestamp::from_millis(now.as_millis().saturating_add(step));
            let due = take(&mut schedule, now);
            let mut seen = [false; 6];
            for Due { probe, at, what } in due {
                let probe = probe.number() as usize;
                prop_assert!(!std::mem::replace(&mut seen[probe], true), "{probe} twice at {now}");
                prop_assert!(at <= now && now.since(at) < GRACE);
                if probe < 4 {
                    prop_assert!(now.since(at) < millis(700));
                }
                prop_assert_eq!(what == What::Overrun, running[probe]);
                running[probe] = true;
            }
            if ends {
                (0..6).for_each(|probe| schedule.finished(ProbeIndex::nth(probe)));
                running = [false; 6];
            }
            if let Some(wake) = schedule.next_wake() {
                prop_assert!(wake > now || now.as_millis() < schedule.latest.as_millis());
                // A clock that went back by less than a second costs no more than that second.
                prop_assert!(wake.since(now) <= Duration::from_secs(61) || now.as_millis() < 0);
            }
        }
    }

    #[test]
    fn with_a_steady_clock_every_turn_is_taken_and_none_skipped(interval in 500u64..90_000, tick in 1u64..400) {
        let probes = every(3, millis(interval));
        let mut schedule = Schedule::new(&probes, NOON);
        let mut taken = 0;
        let end = NOON + millis(interval * 5 + tick);
        let mut now = NOON;
        let mut calls = 0;
        while now < end && calls < 20_000 {
            now = now + millis(tick);
            calls += 1;
            for due in take(&mut schedule, now) {
                taken += 1;
                schedule.finished(due.probe);
            }
        }
        prop_assert_eq!(schedule.skipped(), 0);
        // So many times each of the three, or once more: the last tick may go past the end.
        let turns = u64::try_from(now.since(NOON).as_millis()).unwrap() / interval;
        prop_assert!((3 * turns..=3 * turns + 3).contains(&taken), "{taken} in {turns} turns");
    }
}
