//! The outbox: what is owed is delivered, once, as soon as that is possible.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use mail_parser::MessageParser;
use serde_json::json;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tripline::clock;
use tripline::config::Config;
use tripline::daemon::outbox::{self, OutboxOptions};
use tripline::model::{Backoff, IncidentId, SmtpSecurity, SmtpServer, Timestamp};
use tripline::store::{AttemptOutcome, Delivery, DeliveryState, FailedBecause, Reader, Writer};

use crate::given::{address, closing, config, email, opening, seconds};
use crate::smtp::{MailServer, eventually, free_port};

const REFUSED: DeliveryState = DeliveryState::Failed(FailedBecause::Refused);

/// A store and an outbox that tries again after some tens of milliseconds.
struct Running {
    writer: Writer,
    path: PathBuf,
    config: watch::Sender<Arc<Config>>,
    wake: Arc<Notify>,
    stop: CancellationToken,
    task: JoinHandle<()>,
    _directory: tempfile::TempDir,
}

impl Running {
    fn start(config: Arc<Config>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("tripline.db");
        let writer = Writer::open(&path).unwrap();
        let (config, watched) = watch::channel(config);
        let (wake, stop) = (Arc::new(Notify::new()), CancellationToken::new());
        let options = OutboxOptions {
            deadline: seconds(20),
            backoff: |_| Backoff {
                first: Duration::from_millis(40),
                longest: Duration::from_millis(80),
                give_up_after: seconds(60),
            },
            last_moments: Duration::from_millis(50),
        };
        let reader = Reader::open(&path).unwrap();
        let task = tokio::spawn(outbox::run(
            writer.clone(),
            reader,
            watched,
            options,
            mpsc::channel(1).0,
            Arc::clone(&wake),
            stop.clone(),
        ));
        Self { writer, path, config, wake, stop, task, _directory: directory }
    }

    async fn owe(&self, incident: &str, receiver: &str, to: &[&str]) {
        self.owe_since(clock::now(), incident, receiver, to).await;
    }

    async fn owe_since(&self, owed: Timestamp, incident: &str, receiver: &str, to: &[&str]) {
        let to: Vec<_> = to.iter().map(|to| address(None, to)).collect();
        self.writer.commit(Arc::new(opening(incident, receiver, &to, owed))).await.unwrap();
        self.wake.notify_one();
    }

    /// Owes the news of the end of an incident that was opened.
    async fn owe_the_end(&self, incident: &str, receiver: &str, to: &[&str]) {
        let to: Vec<_> = to.iter().map(|to| address(None, to)).collect();
        self.writer.commit(Arc::new(closing(incident, receiver, &to, clock::now()))).await.unwrap();
        self.wake.notify_one();
    }

    fn deliveries(&self, incident: &str) -> Vec<Delivery> {
        Reader::open(&self.path).unwrap().deliveries_of(IncidentId::derived(&[incident])).unwrap()
    }

    fn states(&self, incident: &str) -> Vec<DeliveryState> {
        self.deliveries(incident).into_iter().map(|delivery| delivery.state).collect()
    }

    async fn end(self) {
        self.stop.cancel();
        self.task.await.unwrap();
        self.writer.close().await.unwrap();
    }
}

fn id_of(source: &[u8]) -> String {
    MessageParser::default().parse(source).unwrap().message_id().unwrap().to_owned()
}

fn plain(port: u16) -> SmtpServer {
    SmtpServer { host: "127.0.0.1".into(), port, security: SmtpSecurity::Plain, login: None, ca: None }
}

#[tokio::test]
async fn mail_that_is_owed_while_the_server_is_down_arrives_once_when_it_comes_up() {
    let port = free_port();
    let to = [address(None, "a@example.com")];
    let running = Running::start(config([("oncall", email(&to, plain(port)))]));
    running.owe("one", "oncall", &["a@example.com"]).await;
    eventually("two attempts", || running.deliveries("one")[0].attempts.len() >= 2).await;
    assert!(matches!(running.states("one")[..], [DeliveryState::Pending(_)]));

    let server = MailServer::start(json!({"port": port}));
    eventually("delivered", || running.states("one") == [DeliveryState::Delivered]).await;
    assert_eq!(server.mails().len(), 1);

    let attempts = running.deliveries("one").remove(0).attempts;
    let (last, before) = attempts.split_last().unwrap();
    assert!(matches!(&last.outcome, AttemptOutcome::Delivered(answer) if answer.contains("taken as 1")), "{last:?}");
    for attempt in before {
        let AttemptOutcome::Retry(text, next) = &attempt.outcome else { panic!("{attempt:?}") };
        assert!(text.contains("refused") && *next > attempt.at, "{attempt:?}");
    }
    running.end().await;
}

#[tokio::test]
async fn mail_that_is_owed_when_the_clock_is_set_back_an_hour_does_not_wait_for_that_hour_to_pass_again() {
    let server = MailServer::start(json!({}));
    let to = [address(None, "a@example.com")];
    let running = Running::start(config([("oncall", email(&to, plain(server.port)))]));
    running.owe_since(clock::now() + seconds(3_600), "one", "oncall", &["a@example.com"]).await;
    eventually("delivered", || running.states("one") == [DeliveryState::Delivered]).await;
    running.owe("two", "oncall", &["a@example.com"]).await;
    eventually("the next one too", || running.states("two") == [DeliveryState::Delivered]).await;
    assert_eq!(server.mails().len(), 2);
    running.end().await;
}

#[tokio::test]
async fn after_an_outage_of_the_mail_server_the_beginning_of_an_incident_is_told_before_its_end() {
    let port = free_port();
    let to = [address(None, "a@example.com")];
    let running = Running::start(config([("oncall", email(&to, plain(port)))]));
    for incident in 0..10 {
        running.owe(&format!("{incident}"), "oncall", &["a@example.com"]).await;
    }
    // The first attempts have failed and wait; the ends are owed, and would be due at once.
    eventually("attempts", || {
        (0..10).all(|incident| !running.deliveries(&format!("{incident}"))[0].attempts.is_empty())
    })
    .await;
    for incident in 0..10 {
        running.owe_the_end(&format!("{incident}"), "oncall", &["a@example.com"]).await;
    }
    let server = MailServer::start(json!({"port": port}));
    let all = || (0..10).all(|incident| running.states(&format!("{incident}")) == [DeliveryState::Delivered; 2]);
    eventually("all delivered", all).await;
    let ids: Vec<_> = server.mails().iter().map(|taken| id_of(&taken.source)).collect();
    assert_eq!(ids.len(), 20);
    for incident in 0..10 {
        let place = |kind: &str| ids.iter().position(|id| *id == format!("{kind}-{incident}@example.com")).unwrap();
        assert!(place("opened") < place("resolved"), "incident {incident}: {ids:?}");
    }
    running.end().await;
}

#[tokio::test]
async fn a_message_that_is_refused_for_good_does_not_hold_up_the_next_one() {
    let server = MailServer::start(json!({"refuse": 1}));
    let to = [address(None, "a@example.com")];
    let running = Running::start(config([("oncall", email(&to, server.address(SmtpSecurity::Plain)))]));
    running.owe("one", "oncall", &["a@example.com"]).await;
    running.owe_the_end("one", "oncall", &["a@example.com"]).await;
    eventually("both done", || running.states("one") == [REFUSED, DeliveryState::Delivered]).await;
    running.end().await;
}

#[tokio::test]
async fn an_address_that_is_refused_does_not_hold_up_the_others() {
    let server = MailServer::start(json!({"unknown": "gone@example.com", "busy": 1}));
    let to = [address(None, "gone@example.com"), address(None, "a@example.com")];
    let running = Running::start(config([("oncall", email(&to, server.address(SmtpSecurity::Plain)))]));
    running.owe("one", "oncall", &["gone@example.com", "a@example.com"]).await;
    eventually("both done", || running.states("one") == [REFUSED, DeliveryState::Delivered]).await;
    let deliveries = running.deliveries("one");
    assert_eq!(deliveries[0].attempts.len(), 1, "a 550 is not retried");
    assert_eq!(deliveries[1].attempts.len(), 2, "a 451 is");
    running.end().await;
}

#[tokio::test]
async fn a_mail_server_that_hangs_does_not_hold_up_another_receiver() {
    let (slow, quick) = (MailServer::start(json!({"hang": true})), MailServer::start(json!({})));
    let to = [address(None, "a@example.com")];
    let running = Running::start(config([
        ("slow", email(&to, slow.address(SmtpSecurity::Plain))),
        ("quick", email(&to, quick.address(SmtpSecurity::Plain))),
    ]));
    for incident in 0..20 {
        running.owe(&format!("slow-{incident}"), "slow", &["a@example.com"]).await;
    }
    running.owe("quick", "quick", &["a@example.com"]).await;
    eventually("the quick one", || running.states("quick") == [DeliveryState::Delivered]).await;
    assert!(matches!(running.states("slow-0")[..], [DeliveryState::Pending(_)]));
}

#[tokio::test]
async fn a_delivery_that_is_under_way_when_the_daemon_stops_stays_owed() {
    let server = MailServer::start(json!({"hang": true}));
    let to = [address(None, "a@example.com")];
    let running = Running::start(config([("oncall", email(&to, server.address(SmtpSecurity::Plain)))]));
    running.owe("one", "oncall", &["a@example.com"]).await;
    eventually("a delivery under way", || server.is_hanging()).await;
    let began = std::time::Instant::now();
    let path = running.path.clone();
    let Running { stop, task, writer, _directory, .. } = running;
    stop.cancel();
    task.await.unwrap();
    assert!(began.elapsed() < seconds(5), "the mail server is not waited for");
    writer.close().await.unwrap();
    let delivery = Reader::open(&path).unwrap().deliveries_of(IncidentId::derived(&["one"])).unwrap().remove(0);
    assert!(matches!(delivery.state, DeliveryState::Pending(_)) && delivery.attempts.is_empty(), "{delivery:?}");
}

#[tokio::test]
async fn a_message_to_a_receiver_that_is_not_configured_any_more_fails_with_the_reason() {
    let server = MailServer::start(json!({}));
    let to = [address(None, "a@example.com")];
    let running = Running::start(config([("oncall", email(&to, server.address(SmtpSecurity::Plain)))]));
    running.config.send_replace(config([]));
    running.owe("one", "oncall", &["a@example.com"]).await;
    eventually("failed", || running.states("one") == [REFUSED]).await;
    let attempt = running.deliveries("one").remove(0).attempts.remove(0);
    assert_eq!(
        attempt.outcome,
        AttemptOutcome::Failed(FailedBecause::Refused, "receiver `oncall` is not configured any more".into())
    );
    assert!(server.mails().is_empty());
    running.end().await;
}

#[tokio::test]
async fn an_answer_that_was_lost_brings_the_same_mail_again_and_no_other() {
    let server = MailServer::start(json!({"drop": 1}));
    let to = [address(None, "a@example.com")];
    let running = Running::start(config([("oncall", email(&to, server.address(SmtpSecurity::Plain)))]));
    running.owe("one", "oncall", &["a@example.com"]).await;
    eventually("delivered", || running.states("one") == [DeliveryState::Delivered]).await;
    let ids: Vec<_> = server.mails().iter().map(|taken| id_of(&taken.source)).collect();
    assert_eq!(ids, ["opened-one@example.com"; 2]);
    running.end().await;
}

#[tokio::test]
async fn what_was_owed_before_a_restart_is_delivered_after_it() {
    let port = free_port();
    let to = [address(None, "a@example.com")];
    let with = config([("oncall", email(&to, plain(port)))]);
    let first = Running::start(Arc::clone(&with));
    first.owe("one", "oncall", &["a@example.com"]).await;
    eventually("an attempt", || !first.deliveries("one")[0].attempts.is_empty()).await;
    let (path, directory) = (first.path.clone(), first._directory);
    first.stop.cancel();
    first.task.await.unwrap();
    first.writer.close().await.unwrap();

    let server = MailServer::start(json!({"port": port}));
    let (writer, reader) = (Writer::open(&path).unwrap(), Reader::open(&path).unwrap());
    let (_config, watched) = watch::channel(with);
    let stop = CancellationToken::new();
    let options = OutboxOptions::default();
    let task = tokio::spawn(outbox::run(
        writer.clone(),
        reader,
        watched,
        options,
        mpsc::channel(1).0,
        Arc::default(),
        stop.clone(),
    ));
    let reader = Reader::open(&path).unwrap();
    let id = IncidentId::derived(&["one"]);
    eventually("delivered", || reader.deliveries_of(id).unwrap()[0].state == DeliveryState::Delivered).await;
    assert_eq!(server.mails().len(), 1);
    stop.cancel();
    task.await.unwrap();
    drop(directory);
}
