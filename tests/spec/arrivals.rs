//! Arrivals: what comes by itself, to a running daemon.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use tripline::model::{CheckResult, FailureClass, Outcome, Timestamp};
use tripline::store::{FailureQuery, Reader};

use crate::terminal::{Process, command, tripline};

const TOKEN: &str = "backup-0123456789";
const IN_ORDER: Duration = Duration::from_secs(10);

fn folder(jobs: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let config = format!("name: Forge\ncomponents: {{jobs: {{}}}}\nprobes:\n{jobs}");
    std::fs::write(folder.path().join("probes.yaml"), config).unwrap();
    folder
}

fn job(interval: &str, grace: &str) -> String {
    format!(
        "  backup: {{component: jobs, interval: {interval}, timeout: 500ms, heartbeat: {{token: {TOKEN}, grace: {grace}}}}}\n"
    )
}

/// Where the daemon listens.
fn address(daemon: &Process) -> SocketAddr {
    let said = daemon.err();
    let rest = said.split("listening at http://").nth(1).unwrap_or_else(|| panic!("{said}"));
    rest.split_whitespace().next().unwrap().parse().unwrap()
}

/// Sends these bytes and gives the whole answer.
fn say(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(40))).unwrap();
    // Who refuses a body early may close before all of it is written.
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn ask(address: SocketAddr, method: &str, path: &str, body: &str) -> String {
    let length = body.len();
    let head =
        format!("{method} {path} HTTP/1.1\r\nHost: us\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n");
    say(address, (head + body).as_bytes())
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or_else(|| panic!("no answer: {answer:?}"))
}

fn results(folder: &Path) -> Vec<CheckResult> {
    let mut found = Vec::new();
    if let Ok(reader) = Reader::open(&folder.join("tripline.db")) {
        reader.results_since(Timestamp::default(), |judged| found.push(judged.result)).unwrap();
    }
    found
}

fn outcomes(folder: &Path) -> Vec<&'static str> {
    results(folder).iter().map(|result| result.outcome.as_str()).collect()
}

#[test]
fn a_job_calls_by_the_urls_of_healthchecks_io_and_each_call_is_a_result() {
    let folder = folder(&job("1h", "10m"));
    let daemon = Process::daemon(folder.path(), &[], &[]);
    let at = address(&daemon);
    for (method, what, body) in [
        ("GET", "", ""),
        ("HEAD", "", ""),
        ("POST", "", "copied 7 files"),
        ("GET", "/0", ""),
        ("GET", "/start", ""),
        ("POST", "/fail", "disk full"),
        ("POST", "/3", "killed; backup-0123456789"),
    ] {
        assert_eq!(status(&ask(at, method, &format!("/ping/{TOKEN}{what}"), body)), "200", "{method} {what}");
        if what == "/start" {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
    for path in
        ["/ping/backup-012345678", "/ping/another-token-00000/fail", "/ping/backup-0123456789/256", "/ping", "/"]
    {
        let answer = ask(at, "POST", path, "x");
        assert!(answer.starts_with("HTTP/1.1 404") && answer.ends_with("\r\n\r\nnot found\n"), "{path}: {answer}");
    }
    assert_eq!(status(&ask(at, "GET", "/healthz", "")), "200");
    assert_eq!(status(&ask(at, "PUT", &format!("/ping/{TOKEN}"), "")), "405");
    daemon.signal(Signal::SIGTERM);
    let ended = daemon.end(IN_ORDER).with(0);
    assert!(!ended.err.contains(TOKEN), "{}", ended.err);

    let expected = ["success", "success", "success", "success", "server_error", "server_error"];
    assert_eq!(outcomes(folder.path()), expected);
    let reader = Reader::open(&folder.path().join("tripline.db")).unwrap();
    let query = FailureQuery {
        probes: &[],
        from: Timestamp::default(),
        until: Timestamp::from_millis(i64::MAX / 2),
        each: 9,
    };
    let failures = reader.failures(&query).unwrap();
    let told: Vec<(&str, &str, Option<u16>)> = failures
        .iter()
        .map(|failure| (failure.evidence.as_ref().unwrap(), failure.status))
        .map(|(evidence, status)| (evidence.fault.as_str(), evidence.body.as_str(), status))
        .collect();
    assert!(told[0].0.starts_with("the job said that it failed, after "), "it said that it started: {told:?}");
    assert_eq!((told[0].1, told[0].2), ("disk full", None));
    assert_eq!(told[1], ("the job ended with exit code 3", "killed; [secret]", Some(3)));
}

#[test]
fn a_job_that_does_not_call_is_missing_and_one_that_does_not_end_is_stuck() {
    let folder = folder(&job("2s", "1s"));
    let mut daemon = Process::daemon(folder.path(), &[], &[]);
    let at = address(&daemon);
    assert_eq!(status(&ask(at, "GET", &format!("/ping/{TOKEN}"), "")), "200");
    let called = Instant::now();
    daemon.until("it is missed", |_| outcomes(folder.path()).contains(&"missing"));
    let waited = called.elapsed();
    assert!(waited >= Duration::from_millis(2_900) && waited < Duration::from_secs(6), "{waited:?}");
    assert_eq!(status(&ask(at, "GET", &format!("/ping/{TOKEN}/start"), "")), "200");
    daemon.until("it is stuck", |_| outcomes(folder.path()).contains(&"timeout"));
    let results = results(folder.path());
    let stuck = results.iter().find(|result| result.outcome == Outcome::Failure(FailureClass::Timeout)).unwrap();
    assert!(stuck.phases.total >= Duration::from_secs(1), "it counts from its start: {stuck:?}");
}

#[test]
fn a_call_shortly_before_a_restart_counts_and_nothing_is_missing_because_tripline_was_down() {
    let folder = folder(&job("3s", "1s"));
    let daemon = Process::daemon(folder.path(), &[], &[]);
    assert_eq!(status(&ask(address(&daemon), "GET", &format!("/ping/{TOKEN}"), "")), "200");
    daemon.signal(Signal::SIGTERM);
    daemon.end(IN_ORDER).with(0);
    assert_eq!(outcomes(folder.path()), ["success"], "a call that was taken is stored, however soon the end comes");
    // The call that was due comes while nobody listens.
    std::thread::sleep(Duration::from_millis(4_500));
    let mut daemon = Process::daemon(folder.path(), &[], &[]);
    std::thread::sleep(Duration::from_millis(2_500));
    assert_eq!(outcomes(folder.path()), ["success"], "it was not listened for");
    daemon.signal(Signal::SIGHUP);
    daemon.until("the config is read again", |daemon| daemon.err().contains("took up the new config"));
    assert_eq!(status(&ask(address(&daemon), "GET", &format!("/ping/{TOKEN}"), "")), "200", "it is known still");
    daemon.until("it is missed", |_| outcomes(folder.path()).contains(&"missing"));
    assert_eq!(outcomes(folder.path()), ["success", "success", "missing"]);
}

#[test]
fn a_port_that_is_taken_is_told_at_once() {
    let folder = folder(&job("1h", "1m"));
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap().to_string();
    let refused = tripline(folder.path(), &["run", "--listen", &listen]).with(3);
    let expected = format!(
        "nothing can listen at {listen}: if `tripline run` does, stop it, or name another address with --listen"
    );
    assert!(refused.err.contains(&expected), "{}", refused.err);
    assert!(!folder.path().join("tripline.db").exists(), "before anything else is touched");
    let once = Process::start(folder.path(), command(folder.path(), &["once"], &[])).end(IN_ORDER).with(2);
    assert!(once.err.contains("is left out: its job calls when it does"), "{}", once.err);
}

#[test]
fn who_sends_too_much_or_too_slowly_is_let_go_and_others_are_served() {
    let folder = folder(&job("1h", "1m"));
    let daemon = Process::daemon(folder.path(), &[], &[]);
    let at = address(&daemon);
    let path = format!("/ping/{TOKEN}");
    let large = "x".repeat(3 << 20);
    assert_eq!(status(&ask(at, "POST", &path, &large)), "200", "a job may say more than is kept");
    let long = format!("GET {path} HTTP/1.1\r\nHost: us\r\nX-Long: {}\r\n\r\n", "x".repeat(1 << 20));
    assert!(!say(at, long.as_bytes()).starts_with("HTTP/1.1 200"), "headers have a bound");
    // It never ends its headers, and is closed when their time is up.
    let slow: Vec<TcpStream> = (0..100)
        .map(|_| {
            let mut stream = TcpStream::connect(at).unwrap();
            stream.write_all(b"GET /ping/x HTTP/1.1\r\nX: ").unwrap();
            stream
        })
        .collect();
    let began = Instant::now();
    assert_eq!(status(&ask(at, "GET", &path, "")), "200");
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    for mut stream in slow {
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
    }
    let waited = began.elapsed();
    assert!(waited > Duration::from_secs(8) && waited < Duration::from_secs(16), "{waited:?}");
}
