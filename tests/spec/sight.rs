//! Is it us? Retries, canaries and our own blindness, through the real daemon and real sockets.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use nix::sys::signal::Signal;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tripline::model::{CheckResult, FailureClass, Outcome, Timestamp, VoidReason};
use tripline::store::Reader;

use crate::servers::{Server, answer};
use crate::smtp::free_port;
use crate::terminal::{Process, tripline};

const IN_ORDER: Duration = Duration::from_secs(20);
const CONNECT: Outcome = Outcome::Failure(FailureClass::Connect);

fn folder(config: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("probes.yaml"), config).unwrap();
    folder
}

fn stored(folder: &Path) -> Vec<CheckResult> {
    let mut results = Vec::new();
    if let Ok(reader) = Reader::open(&folder.join("tripline.db")) {
        reader.results_since(Timestamp::from_millis(0), |judged| results.push(judged.result)).unwrap();
    }
    results
}

/// Closes every odd connection at once, and answers the others.
async fn every_other() -> Server {
    let count = AtomicUsize::new(0);
    Server::raw(move |mut stream| {
        let closes = count.fetch_add(1, Ordering::Relaxed).is_multiple_of(2);
        Box::pin(async move {
            if !closes {
                let _ = stream.read(&mut [0; 1024]).await;
                let _ = stream.write_all(answer("200 OK", "", "well").as_bytes()).await;
            }
        })
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_breaks_is_tried_again_and_only_the_second_try_counts() {
    let server = every_other().await;
    let folder = folder(&format!(
        "name: Shop
defaults: {{interval: 2s, timeout: 1s, retry: {{after: 100ms}}}}
components: {{web: {{name: Web}}}}
probes: {{home: {{component: web, http: {{url: \"{}\"}}}}}}
rules: {{down: {{consecutive: 1}}}}
",
        server.url("/")
    ));
    let once = tripline(folder.path(), &["once"]).with(0).out;
    assert!(once.contains("AGAIN home") && once.contains("1 of 1 checks succeeded. Retried: 1."), "{once}");
    let mut daemon = Process::daemon(folder.path(), &[], &[]);
    daemon.until("two tries are stored", |_| stored(folder.path()).len() >= 2);
    daemon.signal(Signal::SIGTERM);
    daemon.end(IN_ORDER).with(0);
    let results: Vec<_> = stored(folder.path()).iter().map(|result| (result.outcome, result.superseded)).collect();
    assert_eq!(results[..2], [(CONNECT, true), (Outcome::Success, false)]);
    let listed = tripline(folder.path(), &["incident", "list", "--all"]).with(0).out;
    assert!(listed.contains("There was no incident yet."), "{listed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn when_no_host_of_two_answers_the_failures_are_ours() {
    let port = free_port();
    let folder = folder(&format!(
        "name: Shop
defaults: {{interval: 300ms, timeout: 300ms}}
components: {{web: {{name: Web}}}}
probes:
  home: {{component: web, http: {{url: \"http://127.0.0.1:{port}/\"}}}}
  shop: {{component: web, http: {{url: \"http://127.0.0.2:{port}/\"}}}}
rules: {{down: {{consecutive: 2}}}}
"
    ));
    let mut daemon = Process::daemon(folder.path(), &[], &[]);
    let offline = |result: &CheckResult| result.outcome == Outcome::Void(VoidReason::Offline);
    daemon.until("failures are void", |_| stored(folder.path()).iter().filter(|result| offline(result)).count() > 5);
    daemon.signal(Signal::SIGTERM);
    daemon.end(IN_ORDER).with(0);
    let results = stored(folder.path());
    assert!(results.iter().all(|result| result.outcome.failure().is_none()), "{results:?}");
    let listed = tripline(folder.path(), &["incident", "list", "--all"]).with(0).out;
    assert!(listed.contains("There was no incident yet."), "{listed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn canaries_are_asked_and_stored_and_while_they_answer_a_failure_is_the_services() {
    let canary = Server::fixed(None, answer("404 Not Found", "", "")).await;
    let address = canary.url("/").replace("http://", "tcp://");
    let folder = folder(&format!(
        "name: Shop
defaults: {{interval: 300ms, timeout: 300ms}}
components: {{web: {{name: Web}}}}
probes: {{home: {{component: web, http: {{url: \"http://127.0.0.1:{}/\"}}}}}}
rules: {{down: {{consecutive: 2}}}}
canaries: [\"{}\", \"{}\"]
",
        free_port(),
        canary.url("/any"),
        address.trim_end_matches('/'),
    ));
    let plan = tripline(folder.path(), &["validate"]).with(0).out;
    assert!(plan.contains("1 probe on") && plan.contains("and 2 canaries: canary[http://"), "{plan}");
    let mut daemon = Process::daemon(folder.path(), &[], &[]);
    assert!(daemon.err().contains("watching Shop probes=1 canaries=2 "), "{}", daemon.err());
    let well = |kind: &str| {
        let of = |result: &&CheckResult| result.probe.as_str().starts_with(&format!("canary[{kind}"));
        stored(folder.path()).iter().filter(of).any(|result| result.outcome == Outcome::Success)
    };
    daemon.until("both canaries have answered", |_| well("http") && well("tcp"));
    daemon.until("an incident is opened", |daemon| daemon.err().contains("opened: rule down"));
    daemon.signal(Signal::SIGTERM);
    daemon.end(IN_ORDER).with(0);
    assert!(stored(folder.path()).iter().any(|result| result.outcome == CONNECT));
}
