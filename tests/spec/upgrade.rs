//! Upgrades: what an earlier release left in its database is taken up, and goes on.

use std::collections::BTreeSet;

use rusqlite::Connection;
use tripline::demo::sink::Sink;
use tripline::model::{IncidentChange, Timestamp};
use tripline::store::Reader;

use crate::servers::{Server, answer};
use crate::terminal::Process;

/// Results that are stored in the database of 0.1.0.
const RESULTS: usize = 189;

#[tokio::test(flavor = "multi_thread")]
async fn the_outage_in_a_database_of_0_1_0_goes_on_and_both_its_mails_and_its_end_are_delivered() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("tripline.db");
    let connection = Connection::open(&database).unwrap();
    connection.execute_batch(include_str!("../databases/0.1.0.sql")).unwrap();
    drop(connection);
    let (sink, mut inbox) = Sink::start(&folder.path().join("mails")).await.unwrap();
    let server = Server::fixed(None, answer("200 OK", "", "welcome!")).await;
    let config = format!(
        "name: Forge
defaults: {{interval: 1s, timeout: 900ms}}
cohorts: {{workspace: [acme, globex, initech]}}
components: {{website: {{name: Website}}, api: {{name: API}}}}
probes:
  page: {{component: website, for_each: [workspace], http: {{url: \"{page}\"}}}}
  list: {{component: api, for_each: [workspace], http: {{url: \"{page}api\"}}}}
rules:
  spike: {{bad: 'failure == \"not_found\"', above: 5%, within: 10s, at_least: 3, per: [workspace], clear: {{below: 1%, for: 3s}}}}
  down: {{consecutive: 3, clear: {{for: 3s}}}}
receivers:
  oncall: {{email: {{from: t@forge.example, to: [oncall@forge.example, lead@forge.example], smtp: \"smtp://{sink}?tls=none\"}}}}
",
        page = server.url("/{{workspace}}/"),
        sink = sink.address(),
    );
    std::fs::write(folder.path().join("probes.yaml"), config).unwrap();

    let mut daemon = Process::daemon(folder.path(), &[], &[]);
    let mut mails = Vec::new();
    daemon.until("its mails, and its end, come to both", |_| {
        mails.extend(std::iter::from_fn(|| inbox.try_recv().ok()));
        mails.len() >= 4
    });
    let to = |over: bool| -> BTreeSet<&str> {
        let some = mails.iter().filter(|mail| mail.subject.contains("RESOLVED") == over);
        some.flat_map(|mail| &mail.to).map(String::as_str).collect()
    };
    let both = BTreeSet::from(["lead@forge.example", "oncall@forge.example"]);
    assert_eq!((to(false), to(true)), (both.clone(), both), "{mails:?}");
    let first = mails.iter().find_map(|mail| mail.message_id.clone().filter(|_| mail.in_reply_to.is_none()));
    assert!(mails.iter().all(|mail| mail.message_id == first || mail.in_reply_to == first), "one thread: {mails:?}");

    let reader = Reader::open(&database).unwrap();
    let [events] = &reader.histories(Timestamp::from_millis(0)).unwrap()[..] else { panic!("one incident") };
    assert!(matches!(events.last().unwrap().change, IncidentChange::Told { .. }), "{events:?}");
    let (mut last, mut all) = (Timestamp::default(), 0);
    reader
        .results_since(Timestamp::from_millis(0), |judged| {
            assert!(judged.at >= last && judged.at >= judged.result.finished());
            last = judged.at;
            all += 1;
        })
        .unwrap();
    assert!(all > RESULTS, "those of before are there, and new ones: {all}");
}
