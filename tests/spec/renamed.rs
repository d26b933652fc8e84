//! A changed config is no recovery: what is renamed while it fails is told of no more than before, and what is taken out
//! of the config is no longer watched.

use std::path::Path;
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tripline::store::Reader;

use crate::servers::{Server, answer};
use crate::smtp::{MailServer, eventually};
use crate::terminal::{Process, tripline};

/// A shop that answers 500, and a page that is well.
async fn shop() -> Server {
    Server::answering(None, Duration::ZERO, |mut stream, head| {
        Box::pin(async move {
            let status = if head.starts_with("GET /shop") { "500 Internal Server Error" } else { "200 OK" };
            let _ = stream.write_all(answer(status, "", "").as_bytes()).await;
        })
    })
    .await
}

/// A config with this probe beside one that is well, this rule and this receiver.
fn config(server: &Server, mails: &MailServer, probe: &str, rule: &str, receiver: &str) -> String {
    let way = format!(
        "{{from: t@example.com, to: [oncall@example.com], smtp: \"smtp://127.0.0.1:{}?tls=none\"}}",
        mails.port
    );
    format!(
        "name: Shop
defaults: {{interval: 300ms, timeout: 300ms}}
components: {{shop: {{name: Shop}}, docs: {{name: Docs}}}}
probes:
  home: {{component: docs, http: {{url: \"{}\"}}}}
{probe}rules:
  {rule} within: 2s, at_least: 3, clear: {{below: 1%, for: 300ms}}}}
receivers:
  {receiver} email: {way}}}
",
        server.url("/home"),
    )
}

fn asked(server: &Server, path: &str) -> usize {
    server.requests().iter().filter(|head| head.starts_with(&format!("GET {path} "))).count()
}

fn reload(daemon: &mut Process, folder: &Path, config: &str) {
    let taken_up = |daemon: &Process| daemon.err().matches("took up the new config").count();
    let before = taken_up(daemon);
    std::fs::write(folder.join("probes.yaml"), config).unwrap();
    daemon.signal(Signal::SIGHUP);
    daemon.until("the config is taken up", |daemon| taken_up(daemon) > before);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_renamed_while_it_fails_makes_no_mail_and_what_is_taken_out_makes_one() {
    let (server, mails) = (shop().await, MailServer::start(json!({})));
    let probe =
        |name: &str, path: &str| format!("  {name} component: shop, http: {{url: \"{}\"}}}}\n", server.url(path));
    let folder = tempfile::tempdir().unwrap();
    let first = config(&server, &mails, &probe("till: {", "/shop"), "spike: {above: 5%,", "oncall: {");
    std::fs::write(folder.path().join("probes.yaml"), first).unwrap();
    let mut daemon = Process::daemon(folder.path(), &[], &[]);
    eventually("a mail", || mails.mails().len() == 1).await;

    let (rule, receiver) = ("surge: {formerly: spike, above: 6%,", "night: {formerly: oncall,");
    let second = config(&server, &mails, &probe("checkout: {formerly: [till],", "/shop?new"), rule, receiver);
    reload(&mut daemon, folder.path(), &second);
    daemon.until("the renamed probe fails on", |_| asked(&server, "/shop?new") > 15);
    let reader = Reader::open(&folder.path().join("tripline.db")).unwrap();
    let incidents = reader.incidents(false, 9).unwrap();
    assert_eq!((mails.mails().len(), incidents.len()), (1, 1), "{}", daemon.err());
    assert_eq!(incidents[0].resolved, None);
    let id = incidents[0].id.short();
    let shown = tripline(folder.path(), &["incident", "show", &id]).with(0).out;
    for renamed in ["rule spike is called surge now", "receiver oncall is called night now"] {
        assert_eq!(shown.matches(renamed).count(), 1, "{shown}");
    }

    reload(&mut daemon, folder.path(), &config(&server, &mails, "", rule, receiver));
    eventually("a second mail", || mails.mails().len() == 2).await;
    let before = asked(&server, "/home");
    daemon.until("the others are asked on", |_| asked(&server, "/home") > before + 15);
    let taken = mails.mails();
    assert_eq!(taken.len(), 2, "{}", daemon.err());
    let [opened, ended] =
        [0, 1].map(|at: usize| mail_parser::MessageParser::default().parse(&taken[at].source).unwrap());
    let subject = ended.subject().unwrap();
    assert!(subject.starts_with("[Shop] NO LONGER WATCHED, major: 500 Internal Server Error "), "{subject}");
    let text = ended.body_text(0).unwrap();
    assert!(text.lines().next().unwrap().contains(" is no longer watched: the configuration changed."), "{text}");
    for claim in ["It is over", "esolved", "recovered"] {
        assert!(!text.contains(claim), "{text}");
    }
    assert_eq!(ended.in_reply_to().as_text(), opened.message_id(), "the thread goes on");

    let listed = tripline(folder.path(), &["incident", "list", "--all"]).with(0).out;
    assert!(listed.contains("no longer watched: 500 Internal Server Error "), "{listed}");
    let shown = tripline(folder.path(), &["incident", "show", &id]).with(0).out;
    assert!(
        shown.contains("no longer watched: the configuration changed (not in the configuration any more"),
        "{shown}"
    );
    let review = tripline(folder.path(), &["postmortem", &id]).with(0).out;
    assert!(review.contains("not known: after ") && review.contains("major, no longer watched"), "{review}");
    daemon.signal(Signal::SIGTERM);
    daemon.end(Duration::from_secs(20)).with(0);
}
