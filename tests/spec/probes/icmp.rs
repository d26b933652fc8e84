//! ICMP: the kernel's own answers, in networks of their own where the rules differ.

use std::process::Command;
use std::time::Duration;

use tripline::model::kind::icmp::VARIABLES;
use tripline::model::{
    CheckResult, Condition, FailureClass, IcmpTarget, Location, Outcome, Probe, ProbeKind, Ratio, Secrets, Timestamp,
    VoidReason,
};
use tripline::probe::{Prober, Roots};

use super::{check_with, class_and_fault, probe, target};
use crate::network::has;
use crate::probes::nth;

fn asking(host: &str, timeout: Duration, expect: &[&str]) -> Probe {
    let expect: Vec<Condition> = expect.iter().map(|source| Condition::parse(source, VARIABLES).unwrap()).collect();
    let kind = ProbeKind::Icmp(IcmpTarget { host: host.into(), count: 3, loss: Ratio::from_percent(50) });
    Probe { kind, expect: expect.into(), ..probe(target("http://127.0.0.1:9/"), timeout, &[]) }
}

async fn ask(host: &str, timeout: Duration, expect: &[&str]) -> CheckResult {
    check_with(asking(host, timeout, expect), Secrets::default()).await
}

/// Whether this process may ask at all; else the check is void, and that is said.
async fn may() -> bool {
    let result = ask("127.0.0.1", Duration::from_secs(2), &[]).await;
    let void = result.outcome == Outcome::Void(VoidReason::Internal);
    if void {
        let fault = result.evidence.unwrap().fault;
        assert!(fault.contains("net.ipv4.ping_group_range") && fault.contains("CAP_NET_RAW"), "{fault}");
        assert!(std::env::var_os("CI").is_none(), "in CI, ICMP must be allowed");
        println!("SKIPPED: {fault}");
    }
    !void
}

#[tokio::test]
async fn echo_requests_are_answered_and_timed() {
    if !may().await {
        return;
    }
    let expect = [
        "sent == 3 && received == 3 && loss == 0.0",
        "rtt.min <= rtt.avg && rtt.avg <= rtt.max && rtt.max < duration('1s')",
        "timing.first_byte < duration('1s') && address == '127.0.0.1'",
    ];
    let result = ask("127.0.0.1", Duration::from_secs(2), &expect).await;
    assert_eq!(result.outcome, Outcome::Success, "{result:?}");
    let result = ask("127.0.0.1", Duration::from_secs(2), &["received == 4"]).await;
    assert_eq!(class_and_fault(&result), (FailureClass::Expectation, "expected received == 4, received was 3"));
    let result = ask("does-not-exist.invalid", Duration::from_secs(2), &[]).await;
    assert_eq!(class_and_fault(&result).0, FailureClass::Dns);
    // Many at once do not take each other's answers.
    let asked = asking("127.0.0.1", Duration::from_secs(5), &["received == 3"]);
    let prober = Prober::new(&[asked], Location::local(), Secrets::default(), &Roots::load()).unwrap();
    let many = (0..20).map(|_| prober.check(nth(&prober, 0), Timestamp::default()));
    for result in futures_util::future::join_all(many).await {
        assert_eq!(result.outcome, Outcome::Success, "{result:?}");
    }
}

/// What `tripline once` prints in a network of its own in which this was done, as a user without CAP_NET_RAW.
fn once_after(setup: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let config = "name: N\ncomponents: {c: {}}\nprobes:\n  near: {component: c, icmp: {to: 127.0.0.1}}\n";
    let path = folder.path().join("probes.yaml");
    std::fs::write(&path, config).unwrap();
    let script = format!(
        "{setup}; exec setpriv --bounding-set -net_raw --inh-caps -net_raw {} once --config {}",
        env!("CARGO_BIN_EXE_tripline"),
        path.display()
    );
    let run = Command::new("unshare").args(["--user", "--map-root-user", "--net", "sh", "-c", &script]).output();
    let run = run.unwrap();
    format!("{}{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr))
}

#[test]
fn without_privilege_it_works_where_the_system_lets_it_and_else_says_what_to_do() {
    if !has("unshare") || !has("setpriv") || !has("ip") {
        return;
    }
    let refused = once_after("ip link set lo up");
    assert!(refused.contains("ICMP is not allowed here"), "{refused}");
    assert!(refused.contains("sysctl -w net.ipv4.ping_group_range=") && refused.contains("internal"), "{refused}");
    let allowed = once_after("ip link set lo up; echo 0 0 > /proc/sys/net/ipv4/ping_group_range");
    assert!(!allowed.contains("not allowed") && allowed.contains("success"), "{allowed}");
    // Nothing leads anywhere: the network itself says so.
    let nowhere = once_after("echo 0 0 > /proc/sys/net/ipv4/ping_group_range");
    assert!(nowhere.contains("connect"), "{nowhere}");
}
