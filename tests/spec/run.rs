//! `tripline run`: it ends in order, takes up a new config or keeps the old one, and keeps secrets to itself.

use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tripline::demo::forge::Forge;
use tripline::demo::sink::Sink;
use tripline::model::{CheckResult, Outcome, Timestamp, VoidReason};
use tripline::store::{DeliveryState, Reader};

use crate::servers::{Server, answer};
use crate::smtp::{MailServer, eventually, free_port};
use crate::terminal::{Ended, Process, command, tripline};

/// Checks get ten seconds to end, mails five; the rest is for a slow machine.
const IN_ORDER: Duration = Duration::from_secs(20);

fn write(folder: &Path, config: impl AsRef<[u8]>) {
    std::fs::write(folder.join("probes.yaml"), config).unwrap();
}

fn folder(config: impl AsRef<[u8]>) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), config);
    folder
}

fn stored(folder: &Path) -> Vec<CheckResult> {
    let reader = Reader::open(&folder.join("tripline.db")).unwrap();
    let mut results = Vec::new();
    reader.results_since(Timestamp::from_millis(0), |judged| results.push(judged.result)).unwrap();
    results
}

/// A page that comes after a fifth of a second, so that some check is always under way.
async fn slow_page() -> Server {
    Server::answering(None, Duration::ZERO, |mut stream, _| {
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(200)).await;
            let _ = stream.write_all(answer("200 OK", "", "well").as_bytes()).await;
        })
    })
    .await
}

/// Asks for `/NAME?n=…` five times each `interval`.
fn asking(server: &Server, name: &str, interval: &str) -> String {
    format!(
        "name: Shop
defaults: {{interval: {interval}, timeout: {interval}}}
cohorts: {{n: [a, b, c, d, e]}}
components: {{web: {{name: Web}}}}
probes:
  {name}: {{component: web, for_each: [n], http: {{url: \"{}?n={{{{n}}}}\"}}}}
",
        server.url(&format!("/{name}"))
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_and_sigint_let_checks_under_way_end_and_store_every_result() {
    for (signal, name) in [(Signal::SIGTERM, "SIGTERM"), (Signal::SIGINT, "SIGINT")] {
        let server = slow_page().await;
        let folder = folder(asking(&server, "page", "300ms"));
        let mut daemon = Process::daemon(folder.path(), &[], &[]);
        daemon.until("some checks", |_| server.requests().len() > 12);
        daemon.signal(signal);
        let began = Instant::now();
        let ended = daemon.end(IN_ORDER).with(0);
        assert!(began.elapsed() < Duration::from_secs(5), "{name}: nothing takes longer than the checks");
        assert!(ended.err.contains(&format!("stopping, as {name} asks")), "{}", ended.err);

        let results = stored(folder.path());
        let made = results.iter().filter(|result| result.outcome == Outcome::Success).count();
        assert_eq!(made, server.requests().len(), "{name}: what was asked is stored, no more and no less");
        let wal = std::fs::metadata(folder.path().join("tripline.db-wal")).map_or(0, |wal| wal.len());
        assert_eq!(wal, 0, "{name}: the database is closed whole");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_that_does_not_end_within_the_grace_is_stored_as_shutting_down() {
    let server = Server::answering(None, Duration::ZERO, |stream, _| {
        Box::pin(async move {
            let _open = stream;
            std::future::pending().await
        })
    })
    .await;
    let folder = folder(asking(&server, "hang", "18s"));
    let mut daemon = Process::daemon(folder.path(), &[], &[]);
    daemon.until("a check under way", |_| !server.requests().is_empty());
    daemon.signal(Signal::SIGTERM);
    daemon.end(IN_ORDER).with(0);
    let results = stored(folder.path());
    assert_eq!(results.len(), server.requests().len(), "{results:?}");
    let void = Outcome::Void(VoidReason::ShuttingDown);
    assert!(results.iter().all(|result| result.outcome == void), "{results:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_daemon_on_the_same_database_is_refused() {
    let server = slow_page().await;
    let folder = folder(asking(&server, "page", "300ms"));
    let mut first = Process::daemon(folder.path(), &[], &[]);
    let second = tripline(folder.path(), &["run"]).with(3);
    assert!(
        second.err.contains("tripline.db: another Tripline is writing this database; stop it, or name"),
        "{}",
        second.err
    );
    let before = server.requests().len();
    first.until("the first goes on", |_| server.requests().len() > before);
}

#[tokio::test(flavor = "multi_thread")]
async fn sighup_takes_up_a_good_config_and_keeps_the_old_one_when_the_new_is_bad() {
    let server = slow_page().await;
    let folder = folder(asking(&server, "old", "300ms"));
    let asked =
        |name: &str| server.requests().iter().filter(|head| head.starts_with(&format!("GET /{name}"))).count();
    let mut daemon = Process::daemon(folder.path(), &[], &[]);
    daemon.until("the old probe is asked", |_| asked("old") > 5);

    write(folder.path(), asking(&server, "new", "300ms").replace("component: web", "component: wep"));
    daemon.signal(Signal::SIGHUP);
    daemon.until("the bad config is refused", |daemon| daemon.err().contains("the old configuration stays"));
    let said = daemon.err();
    assert!(said.contains("probes.yaml:6:") && said.contains("did you mean `web`?"), "{said}");
    let before = asked("old");
    daemon.until("the old probe is asked still", |_| asked("old") > before + 5);
    assert_eq!(asked("new"), 0);

    std::fs::remove_file(folder.path().join("probes.yaml")).unwrap();
    daemon.signal(Signal::SIGHUP);
    daemon.until("the missing config is refused", |daemon| daemon.err().contains("there is no configuration"));

    write(folder.path(), asking(&server, "new", "300ms"));
    daemon.signal(Signal::SIGHUP);
    daemon.until("the new probe is asked", |_| asked("new") > 5);
    // Checks of the old one that were under way have ended by now: each takes a fifth of a second, those of the new
    // probe that were counted took longer.
    let before = (asked("old"), asked("new"));
    daemon.until("the new probe goes on", |_| asked("new") > before.1 + 10);
    assert_eq!(asked("old"), before.0, "the removed probe is not asked any more");

    daemon.signal(Signal::SIGTERM);
    daemon.end(IN_ORDER).with(0);
    assert_eq!(
        stored(folder.path()).iter().filter(|r| r.outcome == Outcome::Success).count(),
        server.requests().len()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn many_sighups_in_a_row_do_not_hold_up_the_daemon() {
    let server = slow_page().await;
    let folder = folder(asking(&server, "page", "300ms"));
    let mut daemon = Process::daemon(folder.path(), &[], &[]);
    for _ in 0..300 {
        daemon.signal(Signal::SIGHUP);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    daemon.until("a config was taken up", |daemon| daemon.err().contains("took up the new config"));
    let before = server.requests().len();
    daemon.until("checks go on", |_| server.requests().len() > before + 10);
    daemon.signal(Signal::SIGTERM);
    daemon.end(IN_ORDER).with(0);
}

/// Rules and a receiver for an outage that is noticed at once.
fn telling(smtp: &str) -> String {
    format!(
        "rules:
  spike: {{above: 5%, within: 2s, at_least: 3, clear: {{below: 1%, for: 300ms}}}}
receivers:
  oncall: {{email: {{from: t@example.com, to: [oncall@example.com], smtp: \"{smtp}\"}}}}
"
    )
}

/// Takes what the daemon logs as JSON apart; fails at a line that is none.
fn lines(ended: &Ended) -> Vec<Value> {
    ended.err.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|why| panic!("{why}: {line}"))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_as_json_parse_line_by_line() {
    let folder = tempfile::tempdir().unwrap();
    let forge = Forge::start(folder.path()).await.unwrap();
    let (sink, mut inbox) = Sink::start(&folder.path().join("mails")).await.unwrap();
    let config = format!(
        "name: Forge
defaults: {{interval: 300ms, timeout: 300ms}}
cohorts: {{workspace: [acme, globex]}}
components: {{web: {{name: Web}}}}
probes:
  page:
    component: web
    for_each: [workspace]
    resolve: {{address: \"{}\"}}
    http: {{url: \"https://forge.example/{{{{workspace}}}}/\", tls: {{ca_file: ca.pem}}}}
{}",
        forge.address(),
        telling(&format!("smtp://{}?tls=none", sink.address()))
    );
    std::fs::write(folder.path().join("ca.pem"), forge.ca_pem()).unwrap();
    write(folder.path(), &config);
    let mut daemon = Process::daemon(folder.path(), &["-v", "--log-format", "json"], &[]);
    forge.break_flags_for("globex");
    let mail = tokio::time::timeout(Duration::from_secs(15), inbox.recv()).await.expect("a mail").unwrap();
    assert!(mail.subject.contains("workspace=globex"), "{mail:?}");
    // A refused config is many lines for people, and one here.
    write(folder.path(), "name: [\n");
    daemon.signal(Signal::SIGHUP);
    daemon.until("the bad config is refused", |daemon| daemon.err().contains("the old configuration stays"));
    daemon.signal(Signal::SIGTERM);
    let ended = daemon.end(IN_ORDER).with(0);

    let lines = lines(&ended);
    let said = |text: &str| {
        let message =
            |line: &&Value| line["fields"]["message"].as_str().is_some_and(|message| message.contains(text));
        lines.iter().find(message).unwrap_or_else(|| panic!("{text}: {}", ended.err))
    };
    assert_eq!(said("opened: rule spike")["level"], "INFO");
    assert_eq!(said("the old configuration stays")["level"], "ERROR");
    assert!(said("the old configuration stays")["fields"]["message"].as_str().unwrap().contains("probes.yaml:"));
    assert_eq!(said("delivered")["fields"]["to"], "oncall@example.com");
    said("stopping, as SIGTERM asks");
}

/// Each has what quoting in logs, JSON, HTML or URLs would write in another way.
const TOKEN: &str = r#"tok"en-4711\n<&>-of-the-forge"#;
const PASSWORD: &str = r#"pass"word-0815\t<&>-of-the-mail"#;
/// The password as a URL has it.
const ENCODED: &str = "pass%22word-0815%5Ct%3C%26%3E-of-the-mail";

/// How the login by PLAIN (RFC 4616) begins in base64.
const LOGIN: &str = "AHRyaXBsaW5lAHBhc3M";

/// Parts of the secrets that no quoting touches: none may be anywhere.
const NOWHERE: [&str; 6] = ["en-4711", "-of-the-forge", "word-0815", "-of-the-mail", LOGIN, "LW9mLXRoZS1tYWls"];

#[track_caller]
fn holds_no_secret(place: &str, bytes: &[u8]) {
    for part in NOWHERE {
        let found = bytes.windows(part.len()).position(|window| window == part.as_bytes());
        if let Some(at) = found {
            let around = &bytes[at.saturating_sub(200)..(at + 100).min(bytes.len())];
            panic!("{place} holds {part}: {}", String::from_utf8_lossy(around));
        }
    }
}

/// A shop that fails and shows everything that it was sent.
async fn telltale() -> Server {
    Server::answering(None, Duration::ZERO, |mut stream, head| {
        Box::pin(async move {
            let token = head.lines().find_map(|line| line.strip_prefix("x-token: ")).unwrap_or("none").to_owned();
            let text = answer("500 Oh", &format!("x-echo: {token}\r\n"), &format!("{head}<p>token {token}</p>"));
            let _ = stream.write_all(text.as_bytes()).await;
        })
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_logged_stored_mailed_or_shown() {
    let mails = MailServer::start(json!({"user": "tripline", "password": PASSWORD}));
    for (arguments, rust_log) in
        [(&["-vv"][..], None), (&["--log-format", "json"], Some("trace")), (&[], Some("trace"))]
    {
        let server = telltale().await;
        let config = format!(
            "name: Shop
defaults: {{interval: 300ms, timeout: 300ms}}
cohorts: {{n: [a, b]}}
components: {{web: {{name: Web}}}}
probes:
  page:
    component: web
    for_each: [n]
    http: {{url: \"{url}\", headers: {{x-token: \"${{env:TOKEN}}\"}}}}
  body:
    component: web
    for_each: [n]
    http: {{url: \"{url}\", headers: {{x-token: \"${{env:TOKEN}}\"}}}}
    expect: ['body == headers[\"x-echo\"]']
{}",
            telling(&format!("smtp://tripline:${{env:PASSWORD}}@127.0.0.1:{}?tls=none", mails.port)),
            url = server.url("/page"),
        );
        let folder = folder(config);
        let mut environment = vec![("TOKEN", TOKEN), ("PASSWORD", ENCODED)];
        environment.extend(rust_log.map(|level| ("RUST_LOG", level)));
        let before = mails.mails().len();
        let daemon = Process::daemon(folder.path(), arguments, &environment);
        eventually("a mail", || mails.mails().len() > before).await;
        assert!(server.requests().iter().all(|head| head.contains(TOKEN)), "the shop is sent the token");
        let mut listed = command(folder.path(), &["incident", "list"], &environment);
        let listed = String::from_utf8(listed.output().unwrap().stdout).unwrap();
        let id = listed.lines().nth(1).unwrap()[..8].to_owned();
        let shown = command(folder.path(), &["incident", "show", &id], &environment).output().unwrap().stdout;
        let once = command(folder.path(), &["once", "--format", "json"], &environment).output().unwrap();
        daemon.signal(Signal::SIGTERM);
        let ended = daemon.end(IN_ORDER).with(0);

        let context = format!("{arguments:?} {rust_log:?}");
        assert!(
            ended.err.contains(if rust_log.is_some() { "TRACE" } else { "DEBUG" }),
            "{context}: everything is logged"
        );
        holds_no_secret(&format!("{context}: the log"), ended.err.as_bytes());
        holds_no_secret(&format!("{context}: the listing"), &shown);
        let shown = String::from_utf8(shown).unwrap();
        assert!(shown.contains("token [secret]"), "the evidence is there, without the secret: {shown}");
        holds_no_secret(&format!("{context}: once"), &[once.stdout, once.stderr].concat());
        for file in ["tripline.db", "tripline.db-wal"] {
            let bytes = std::fs::read(folder.path().join(file)).unwrap_or_default();
            assert!(
                file != "tripline.db" || bytes.windows(8).any(|window| window == b"[secret]"),
                "{context}: evidence"
            );
            holds_no_secret(&format!("{context}: {file}"), &bytes);
        }
    }
    for mail in mails.mails() {
        holds_no_secret("the mail", &mail.source);
        let parsed = mail_parser::MessageParser::default().parse(&mail.source).unwrap();
        holds_no_secret("the text", parsed.body_text(0).unwrap().as_bytes());
        holds_no_secret("the HTML", parsed.body_html(0).unwrap().as_bytes());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_server_that_was_down_during_the_outage_gets_the_mail_when_it_is_up() {
    let server = Server::fixed(None, answer("404 Not Found", "", "")).await;
    let port = free_port();
    let folder = folder(format!(
        "{}{}",
        asking(&server, "page", "300ms"),
        telling(&format!("smtp://127.0.0.1:{port}?tls=none"))
    ));
    let mut daemon = Process::daemon(folder.path(), &[], &[]);
    daemon.until("an attempt has failed", |daemon| daemon.err().contains("delivery failed, is retried"));
    let reader = Reader::open(&folder.path().join("tripline.db")).unwrap();
    let id = reader.incidents(true, 2).unwrap()[0].id;
    // It is logged before it is stored.
    let attempted = || !reader.deliveries_of(id).unwrap()[0].attempts.is_empty();
    eventually("the attempt is stored", attempted).await;
    let shown = tripline(folder.path(), &["incident", "show", &id.short()]).with(0).out;
    assert!(
        shown.contains("pending; the next attempt is due at ") && shown.contains("failed, is retried: "),
        "{shown}"
    );

    let mails = MailServer::start(json!({"port": port}));
    let accepted = || reader.deliveries_of(id).unwrap()[0].state == DeliveryState::Delivered;
    eventually("the mail arrives", accepted).await;
    assert_eq!(mails.mails().len(), 1);
    daemon.signal(Signal::SIGTERM);
    daemon.end(IN_ORDER).with(0);
}
