//! Servers that misbehave, all asked at once by the program itself in a process of its own, whose memory is measured; a
//! server that is well stands among them and must not be disturbed.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

/// How much longer than its timeout a check may take.
pub(crate) const GRACE: Duration = Duration::from_millis(500);
/// The most memory that checks of servers that misbehave may take, in KiB, the program itself with it.
pub(crate) const MOST: u64 = 96 * 1024;

/// A server to ask, and the outcome that its misbehaviour must have.
pub(crate) struct Case {
    pub(crate) name: String,
    /// The kind as probes.yaml has it, in one line.
    pub(crate) kind: String,
    /// `protocol`, or another class of failure; `internal` where the fault is our own.
    pub(crate) outcome: &'static str,
    /// What the fault must tell; nothing where it depends on the moment.
    pub(crate) fault: &'static str,
}

/// What came of the checks.
pub(crate) struct Measured {
    /// The lines of `once --format json`, by probe.
    pub(crate) lines: BTreeMap<String, Value>,
    /// The most memory that the process had, in KiB.
    pub(crate) most: u64,
}

pub(crate) fn case(
    name: impl Into<String>,
    kind: impl Into<String>,
    outcome: &'static str,
    fault: &'static str,
) -> Case {
    Case { name: name.into(), kind: kind.into(), outcome, fault }
}

/// The most memory that the process has had so far, in KiB; nothing once it has ended.
pub(crate) fn peak(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Asks the probes of this configuration once, in an environment with this in it.
pub(crate) async fn once(config: &str, environment: &[(&str, &str)]) -> Measured {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("probes.yaml"), config).unwrap();
    let mut once = Command::new(env!("CARGO_BIN_EXE_tripline"));
    once.args(["once", "--format", "json"]).current_dir(folder.path());
    once.env_remove("TRIPLINE_CONFIG").env_remove("SSH_AUTH_SOCK").envs(environment.iter().copied());
    let child = once.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let process = child.id();
    let watching = tokio::task::spawn_blocking(move || {
        let mut most = 0;
        while let Some(now) = peak(process) {
            most = most.max(now);
            std::thread::sleep(Duration::from_millis(5));
        }
        most
    });
    let said = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap();
    let most = watching.await.unwrap();
    let printed = String::from_utf8(said.stdout).unwrap();
    let lines: Vec<Value> = printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let lines: BTreeMap<String, Value> =
        lines.into_iter().map(|line| (line["probe"].as_str().unwrap().to_owned(), line)).collect();
    assert!(!lines.is_empty(), "{}\n{config}", String::from_utf8_lossy(&said.stderr));
    Measured { lines, most }
}

/// Asks all of these at once, beside `good`, each within this many seconds: each has its outcome in time, `good` is a
/// success, and all together take no more memory than [`MOST`].
pub(crate) async fn all_at_once(cases: &[Case], good: &str, seconds: u64, environment: &[(&str, &str)]) {
    let mut config = format!(
        "name: Forge\ndefaults: {{interval: 60s, timeout: {seconds}s, retry: {{times: 0}}}}\ncomponents: {{web: {{}}}}\nprobes:\n"
    );
    for (place, case) in cases.iter().enumerate() {
        config.push_str(&format!("  h{place}:\n    component: web\n    {}\n", case.kind));
    }
    config.push_str(&format!("  good:\n    component: web\n    {good}\n"));
    let measured = once(&config, environment).await;
    let mut wrong = Vec::new();
    for (place, case) in cases.iter().enumerate() {
        let line = &measured.lines[&format!("h{place}")];
        let total = line["milliseconds"]["total"].as_f64().unwrap_or_default();
        let (outcome, fault) = (line["outcome"].as_str().unwrap(), line["fault"].as_str().unwrap_or_default());
        let late = total > (Duration::from_secs(seconds) + GRACE).as_secs_f64() * 1_000.0;
        if outcome != case.outcome || !fault.contains(case.fault) || late {
            let wanted = format!("{} with `{}`", case.outcome, case.fault);
            wrong.push(format!("{}: not {wanted}, but {outcome} after {total} ms: {fault}", case.name));
        }
    }
    let most = measured.most;
    println!("{} servers that misbehave at once: at most {most} KiB", cases.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let good = &measured.lines["good"];
    assert_eq!(good["outcome"], "success", "one that behaves is not disturbed: {good}");
    assert!(most > 5_000 && most < MOST, "{most} KiB");
}
