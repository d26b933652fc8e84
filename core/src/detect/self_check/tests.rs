use super::*;
use crate::model::{Cadence, FailureClass, Probe, ProbeKind, TcpTarget, VoidReason};

const LOST: Outcome = Outcome::Failure(FailureClass::Timeout);
const REFUSED: Outcome = Outcome::Failure(FailureClass::Connect);
const MISSING: Outcome = Outcome::Failure(FailureClass::NotFound);

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis(1_739_288_460_000) + Duration::from_secs(seconds)
}

fn asks(host: &str, seconds: u64, role: Role) -> Probe {
    Probe {
        kind: ProbeKind::Tcp(TcpTarget::bare(host, 443)),
        cadence: Cadence::Every(Duration::from_secs(seconds)),
        role,
        ..crate::model::tests::probe(host)
    }
}

fn check(probes: Vec<Probe>) -> SelfCheck {
    SelfCheck::new(&Config { probes: probes.into(), ..crate::config::tests::empty() })
}

/// Probe 0 asks the service each 20 s, 1 and 2 are canaries.
fn with_canaries() -> SelfCheck {
    check(vec![asks("forge", 20, Role::Service), asks("one", 10, Role::Canary), asks("other", 10, Role::Canary)])
}

fn two_hosts() -> SelfCheck {
    check(vec![asks("forge", 20, Role::Service), asks("git", 30, Role::Service)])
}

fn counts(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Counts { .. })
}

fn waits(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Waits { .. })
}

fn is_void(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Void { .. })
}

#[test]
fn with_one_host_and_no_canaries_a_failure_is_the_services_at_once() {
    let mut check = check(vec![asks("forge", 20, Role::Service), asks("forge", 20, Role::Service)]);
    for second in 0..200 {
        assert!(counts(check.judge(ProbeIndex::nth(0), LOST, at(second), at(second + 10))));
        assert!(counts(check.judge(ProbeIndex::nth(1), LOST, at(second), at(second + 10))));
    }
    assert_eq!((check.blindness(), check.next_timeout()), (None, None));
}

#[test]
fn a_failure_waits_until_anything_answers_that_ended_after_it_began() {
    let mut check = with_canaries();
    assert!(counts(check.judge(ProbeIndex::nth(1), Outcome::Success, at(0), at(1))));
    assert!(waits(check.judge(ProbeIndex::nth(0), LOST, at(2), at(12))));
    assert!(counts(check.judge(ProbeIndex::nth(2), Outcome::Success, at(12), at(13))));
    assert!(counts(check.decide(at(2))));
    assert!(
        counts(check.judge(ProbeIndex::nth(0), LOST, at(13), at(23))),
        "that answer came after this check began, too"
    );
}

#[test]
fn an_answer_that_is_a_failure_shows_that_we_see() {
    let mut check = two_hosts();
    assert!(waits(check.judge(ProbeIndex::nth(0), REFUSED, at(0), at(0))));
    assert!(counts(check.judge(ProbeIndex::nth(1), MISSING, at(1), at(1))), "a 404 is believed");
    assert!(counts(check.decide(at(0))));
}

#[test]
fn void_checks_say_nothing_of_our_sight() {
    let mut check = two_hosts();
    assert!(waits(check.judge(ProbeIndex::nth(0), REFUSED, at(0), at(0))));
    assert!(counts(check.judge(ProbeIndex::nth(1), Outcome::Void(VoidReason::Overrun), at(1), at(1))));
    assert!(waits(check.decide(at(0))));
}

#[test]
fn we_are_blind_when_every_canary_failed_and_see_as_soon_as_one_succeeds() {
    let mut check = with_canaries();
    check.judge(ProbeIndex::nth(1), Outcome::Success, at(0), at(0));
    assert!(waits(check.judge(ProbeIndex::nth(0), LOST, at(1), at(9))));
    check.judge(ProbeIndex::nth(1), LOST, at(6), at(11));
    assert!(waits(check.decide(at(1))), "the other canary may answer");
    check.judge(ProbeIndex::nth(2), LOST, at(7), at(12));
    assert!(is_void(check.decide(at(1))));
    assert!(is_void(check.judge(ProbeIndex::nth(0), REFUSED, at(13), at(13))), "at once, from now on");
    let blindness = check.blindness().unwrap();
    assert_eq!(blindness, Blindness { since: at(1), found: at(12), checks: 2, hosts: 1, canaries: 2 });
    assert!(counts(check.judge(ProbeIndex::nth(2), Outcome::Success, at(17), at(18))));
    assert_eq!((check.blindness(), check.sees()), (None, Some(at(18))));
    assert!(waits(check.judge(ProbeIndex::nth(0), LOST, at(19), at(29))));
}

#[test]
fn canaries_that_are_cut_off_do_not_hide_an_outage_while_others_answer() {
    let mut check =
        check(vec![asks("forge", 20, Role::Service), asks("git", 5, Role::Service), asks("one", 10, Role::Canary)]);
    for round in 0..20 {
        let second = round * 5;
        assert!(counts(check.judge(ProbeIndex::nth(1), Outcome::Success, at(second), at(second))));
        check.judge(ProbeIndex::nth(2), REFUSED, at(second + 1), at(second + 1));
        assert!(
            waits(check.judge(ProbeIndex::nth(0), REFUSED, at(second + 2), at(second + 2))),
            "until git answers again"
        );
        assert_eq!(check.blindness(), None);
    }
}

#[test]
fn a_canary_that_failed_long_ago_says_nothing_of_now() {
    let mut check = with_canaries();
    check.judge(ProbeIndex::nth(1), LOST, at(0), at(5));
    check.judge(ProbeIndex::nth(2), LOST, at(21), at(26));
    assert_eq!(check.blindness(), None);
    check.judge(ProbeIndex::nth(1), LOST, at(22), at(27));
    assert!(check.blindness().is_some());
}

#[test]
fn without_canaries_we_are_blind_after_a_whole_round_in_which_no_host_answered() {
    let mut check = two_hosts();
    check.judge(ProbeIndex::nth(0), Outcome::Success, at(0), at(0));
    assert!(waits(check.judge(ProbeIndex::nth(0), REFUSED, at(20), at(20))));
    assert_eq!(check.next_timeout(), None, "only one host has failed");
    assert!(waits(check.judge(ProbeIndex::nth(1), REFUSED, at(25), at(25))));
    assert_eq!(check.next_timeout(), Some(at(50)), "the longest interval after the first failure");
    check.pass(at(49));
    assert_eq!(check.blindness(), None);
    check.pass(at(50));
    let blindness = check.blindness().unwrap();
    assert_eq!(blindness, Blindness { since: at(20), found: at(50), checks: 2, hosts: 2, canaries: 0 });
    assert_eq!(check.next_timeout(), None);
}

#[test]
fn one_answer_in_a_round_and_all_failures_are_the_services() {
    let mut check = two_hosts();
    for second in (0..600).step_by(10) {
        check.judge(ProbeIndex::nth(0), REFUSED, at(second), at(second));
        assert!(counts(check.judge(ProbeIndex::nth(1), Outcome::Success, at(second + 1), at(second + 1))));
        check.pass(at(second + 2));
        assert_eq!(check.blindness(), None);
        assert!(counts(check.decide(at(second))));
    }
}

#[test]
fn a_heartbeat_says_nothing_about_whom_we_can_reach_and_is_void_while_nobody_can_reach_us() {
    let token = crate::model::Token::parse("0123456789abcdef").unwrap();
    let heartbeat = crate::model::HeartbeatTarget { token, grace: Duration::from_secs(60) };
    let job = Probe { kind: ProbeKind::Heartbeat(heartbeat), ..asks("job", 3_600, Role::Service) };
    let missing = Outcome::Failure(FailureClass::Missing);
    let mut check = check(vec![asks("forge", 20, Role::Service), job, asks("one", 10, Role::Canary)]);
    assert!(counts(check.judge(ProbeIndex::nth(2), Outcome::Success, at(0), at(1))));
    assert!(waits(check.judge(ProbeIndex::nth(0), LOST, at(2), at(12))));
    assert!(counts(check.judge(ProbeIndex::nth(1), missing, at(13), at(13))));
    assert!(waits(check.decide(at(2))), "that nothing came is no answer");
    assert!(counts(check.judge(ProbeIndex::nth(1), LOST, at(5), at(14))), "a run that is stuck is the job's own");
    assert!(counts(check.judge(ProbeIndex::nth(2), LOST, at(15), at(25))));
    assert!(is_void(check.decide(at(2))));
    assert!(is_void(check.judge(ProbeIndex::nth(1), missing, at(26), at(26))));
    assert!(counts(check.judge(ProbeIndex::nth(1), Outcome::Success, at(27), at(27))));
}

#[test]
fn what_was_void_because_we_could_not_see_says_so_again_when_it_is_replayed() {
    let (mut lived, mut replayed) = (two_hosts(), two_hosts());
    for (probe, end) in [(0, 20), (1, 25), (0, 40), (1, 55), (0, 60)] {
        lived.judge(ProbeIndex::nth(probe), LOST, at(end - 1), at(end));
        let verdict =
            replayed.judge(ProbeIndex::nth(probe), Outcome::Void(VoidReason::Offline), at(end - 1), at(end));
        assert!(counts(verdict), "it is not void twice");
        assert_eq!(replayed.blindness(), lived.blindness(), "after {end} s");
    }
    assert!(lived.blindness().is_some());
}
