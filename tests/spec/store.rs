//! The store: what was answered is kept, what was refused left nothing, and other files are left alone.

mod places;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use proptest::prelude::*;
use rusqlite::Connection;
use tripline::model::*;
use tripline::store::*;

use crate::given::{START, address, destinations, failure, finding, incident, opening, seconds, success};

struct Place {
    path: PathBuf,
    _directory: tempfile::TempDir,
}

fn place() -> Place {
    let directory = tempfile::tempdir().unwrap();
    Place { path: directory.path().join("tripline.db"), _directory: directory }
}

fn results(commit: Vec<CheckResult>) -> Arc<Commit> {
    Arc::new(Commit { results: commit.into_iter().map(Judged::at_once).collect(), ..Commit::default() })
}

fn stored_since(path: &Path, since: Timestamp) -> Vec<CheckResult> {
    let mut all = Vec::new();
    Reader::open(path).unwrap().results_since(since, |judged| all.push(judged.result)).unwrap();
    all
}

/// Runs SQL as another program would, behind Tripline's back.
fn behind_the_back(path: &Path, sql: &str) {
    Connection::open(path).unwrap().execute_batch(sql).unwrap();
}

#[tokio::test]
async fn results_come_back_in_the_order_in_which_they_were_stored() {
    let place = place();
    let writer = Writer::open(&place.path).unwrap();
    let mut expected = vec![
        success("dashboard[workspace=acme]", START + seconds(30)),
        failure("dashboard[workspace=globex]", START),
        CheckResult::void("api".into(), "fra".into(), START + seconds(3), VoidReason::Overrun),
        CheckResult { phases: Phases::default(), status: None, ..success("api", START + seconds(200)) },
    ];
    writer.commit(results(expected.clone())).await.unwrap();
    for result in &mut expected {
        result.evidence = None;
    }
    assert_eq!(stored_since(&place.path, START), expected);
    assert_eq!(stored_since(&place.path, START + seconds(31)), expected[3..]);
    assert_eq!(stored_since(&place.path, START + seconds(300)), []);

    writer.close().await.unwrap();
    let writer = Writer::open(&place.path).unwrap();
    writer.commit(results(vec![expected[0].clone()])).await.unwrap();
    expected.push(expected[0].clone());
    assert_eq!(stored_since(&place.path, START), expected, "after a restart the same names have the same keys");
}

#[tokio::test]
async fn a_database_of_the_first_version_is_brought_up_to_date_and_keeps_its_results() {
    let place = place();
    let first = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/001-start/up.sql"));
    behind_the_back(&place.path, &first.unwrap());
    let started = START.as_millis();
    behind_the_back(
        &place.path,
        &format!(
            "PRAGMA user_version = 1;
             INSERT INTO probe (id) VALUES ('api'); INSERT INTO location (name) VALUES ('local');
             INSERT INTO result VALUES (1, 1, 1, {started}, 0, 200, NULL, NULL, NULL, NULL, NULL, 1000);
             INSERT INTO mark VALUES ({started} / 60000, 1);"
        ),
    );
    let writer = Writer::open(&place.path).unwrap();
    let new = success("api", START + seconds(20));
    writer.commit(results(vec![new.clone()])).await.unwrap();
    let total = std::time::Duration::from_millis(1);
    let old = CheckResult {
        phases: Phases { total, ..Phases::default() },
        address: None,
        expires: None,
        ..success("api", START)
    };
    assert_eq!(stored_since(&place.path, START), [old, new]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn whatever_order_results_come_in_those_since_a_moment_are_all_found(
        offsets in prop::collection::vec(0_u64..600, 1..40), since in 0_u64..700,
    ) {
        let place = place();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let all: Vec<_> = offsets.iter().map(|offset| success("api", START + seconds(*offset))).collect();
        let since = START + seconds(since);
        let expected: Vec<_> = all.iter().filter(|result| result.finished() >= since).cloned().collect();
        runtime.block_on(async {
            let writer = Writer::open(&place.path).unwrap();
            for some in all.chunks(7) {
                writer.commit(results(some.to_vec())).await.unwrap();
            }
        });
        prop_assert_eq!(stored_since(&place.path, since), expected);
    }
}

#[tokio::test]
async fn a_failure_keeps_its_evidence_and_the_same_page_is_kept_once() {
    let place = place();
    let writer = Writer::open(&place.path).unwrap();
    let many: Vec<_> = (0..50).map(|n| failure("web", START + seconds(n))).collect();
    let mut other = failure("api", START + seconds(7));
    other.evidence.as_mut().unwrap().certificate = None;
    other.evidence.as_mut().unwrap().body.clear();
    writer.commit(results(many.clone())).await.unwrap();
    writer.commit(results(vec![other.clone(), success("web", START)])).await.unwrap();

    let reader = Reader::open(&place.path).unwrap();
    let (web, from, until) = ([ProbeId::from("web")], START + seconds(10), START + seconds(40));
    let found = reader.failures(&FailureQuery { probes: &web, from, until, each: 5 }).unwrap();
    assert_eq!(found, many[10..15]);
    let found = reader.failures(&FailureQuery { probes: &[], from: START, until, each: 2 }).unwrap();
    assert_eq!(found, [many[0].clone(), many[1].clone(), other]);
    let bodies: i64 = Connection::open(&place.path)
        .unwrap()
        .query_row("SELECT count(*) FROM evidence_body", [], |row| row.get(0))
        .unwrap();
    assert_eq!(bodies, 2);
}

#[tokio::test]
async fn failures_are_found_by_the_index_of_failures() {
    let place = place();
    let _writer = Writer::open(&place.path).unwrap();
    let plan: Vec<String> = Connection::open(&place.path)
        .unwrap()
        .prepare("EXPLAIN QUERY PLAN SELECT status FROM result WHERE probe = 1 AND id >= 5 AND outcome <> 0 AND outcome < 128 ORDER BY id")
        .unwrap()
        .query_map([], |row| row.get(3))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert!(plan.len() == 1 && plan[0].contains("result_unwell (probe=? AND id>?)"), "{plan:?}");
}

#[tokio::test]
async fn an_incident_is_stored_with_its_events_and_what_it_owes() {
    let place = place();
    let writer = Writer::open(&place.path).unwrap();
    let to = [address(Some("Jörg"), "a@example.com"), address(None, "b@example.com")];
    let commit = Arc::new(opening("one", "oncall", &to, START));
    writer.commit(Arc::clone(&commit)).await.unwrap();
    writer.commit(Arc::clone(&commit)).await.expect("the same again changes nothing");

    let reader = Reader::open(&place.path).unwrap();
    let (known, event) = incident("one");
    let listed = reader.incidents(true, 10).unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].id, listed[0].state, listed[0].severity), (known.id, known.state, known.severity));
    assert_eq!((&listed[0].finding, listed[0].events), (&finding(), 1));
    assert_eq!(reader.incidents_named(&known.id.short(), 2).unwrap(), listed);
    assert_eq!(reader.incidents_named(&known.id.to_string().to_uppercase(), 2).unwrap(), listed);
    assert_eq!(reader.incidents_named("%", 2).unwrap(), []);
    let history = vec![event];
    assert_eq!(reader.events_of(known.id).unwrap(), history);
    assert_eq!(reader.histories(START).unwrap(), [history]);

    let due = reader.due_deliveries(START, 10).unwrap();
    assert_eq!(due.iter().map(|due| due.to.clone()).collect::<Vec<_>>(), destinations(&to));
    let owed = &commit.notifications[0];
    assert_eq!((due[0].notification, &due[0].receiver, due[0].owed), (owed.id, &owed.receiver, owed.owed));
    assert_eq!(due[0].message, owed.message);
    assert_eq!(reader.due_deliveries(START - seconds(1), 10).unwrap(), []);
    assert_eq!(reader.next_delivery_after(START - seconds(1)).unwrap(), Some(START));
}

#[tokio::test]
async fn a_resolved_incident_is_folded_again_only_if_that_was_not_long_ago() {
    let place = place();
    let writer = Writer::open(&place.path).unwrap();
    writer.commit(Arc::new(opening("one", "oncall", &[], START))).await.unwrap();
    let (mut known, _) = incident("one");
    let at = START + seconds(600);
    (known.state, known.resolved, known.next_event) = (IncidentState::Resolved, Some(at), 2);
    let change =
        IncidentChange::Resolved { by: None, reason: "clear for 3m".into(), finding: finding(), unwatched: false };
    let event = IncidentEvent { incident: known.id, seq: 1, at, change };
    let resolving = Commit { incidents: vec![known], events: vec![event], ..Commit::default() };
    writer.commit(Arc::new(resolving)).await.unwrap();
    writer.commit(Arc::new(opening("one", "oncall", &[], START))).await.unwrap();

    let reader = Reader::open(&place.path).unwrap();
    assert_eq!(reader.incidents(true, 10).unwrap(), []);
    assert_eq!(reader.incidents(false, 10).unwrap()[0].resolved, Some(at), "an old projection changes nothing");
    assert_eq!(reader.histories(at).unwrap()[0].len(), 2);
    assert_eq!(reader.histories(at + seconds(1)).unwrap().len(), 0);
}

#[tokio::test]
async fn a_commit_with_an_impossible_row_leaves_nothing_and_holds_up_nobody() {
    let place = place();
    let writer = Writer::open(&place.path).unwrap();
    let mut impossible = opening("one", "oncall", &[address(None, "a@example.com")], START);
    impossible.results.push(Judged::at_once(success("new", START)));
    impossible.notifications[0].incident = IncidentId::derived(&["nobody knows"]);
    let mut other = opening("one", "oncall", &[], START);
    other.results.push(Judged::at_once(success("other", START)));
    // Polled together, they wait together and share a transaction.
    let (refused, accepted, next) = tokio::join!(
        writer.commit(Arc::new(impossible)),
        writer.commit(Arc::new(other)),
        writer.commit(results(vec![success("new", START + seconds(1))])),
    );
    assert!(matches!(&refused, Err(error @ StoreError::Conflict(_)) if !error.may_pass()), "{refused:?}");
    accepted.unwrap();
    next.unwrap();
    let stored = stored_since(&place.path, START);
    let probes: Vec<_> = stored.iter().map(|result| result.probe.as_str()).collect();
    assert_eq!(probes, ["other", "new"]);
    let reader = Reader::open(&place.path).unwrap();
    assert_eq!(reader.due_deliveries(START + seconds(60), 10).unwrap(), []);
}

#[tokio::test]
async fn another_event_under_the_same_number_is_refused() {
    let place = place();
    let writer = Writer::open(&place.path).unwrap();
    writer.commit(Arc::new(opening("one", "oncall", &[], START))).await.unwrap();
    let mut commit = opening("one", "oncall", &[], START);
    commit.events[0].change = IncidentChange::Acknowledged { by: "eve".into() };
    let error = writer.commit(Arc::new(commit)).await.unwrap_err();
    assert!(error.to_string().contains("is `acknowledged` here and `opened` in the database"), "{error}");
}

#[tokio::test]
async fn attempts_are_recorded_and_what_is_done_is_not_done_again() {
    let place = place();
    let writer = Writer::open(&place.path).unwrap();
    let to = [address(None, "a@example.com")];
    writer.commit(Arc::new(opening("one", "oncall", &to, START))).await.unwrap();
    let reader = Reader::open(&place.path).unwrap();
    let id = reader.due_deliveries(START, 1).unwrap()[0].id;
    let again = START + seconds(5);
    let attempts = [
        Attempt { at: START, outcome: AttemptOutcome::Retry("451 busy".into(), again) },
        Attempt { at: again, outcome: AttemptOutcome::Delivered("250 taken".into()) },
    ];
    writer.record_attempt(id, attempts[0].clone()).await.unwrap();
    assert_eq!(reader.due_deliveries(START, 1).unwrap(), []);
    assert_eq!(reader.next_delivery_after(START).unwrap(), Some(again));
    assert_eq!(reader.due_deliveries(again, 1).unwrap()[0].attempts, 1);
    writer.record_attempt(id, attempts[1].clone()).await.unwrap();
    assert_eq!(reader.due_deliveries(again + seconds(60), 1).unwrap(), []);
    let error = writer.record_attempt(id, attempts[1].clone()).await.unwrap_err();
    assert!(matches!(error, StoreError::Conflict(_)), "{error}");
    let deliveries = reader.deliveries_of(IncidentId::derived(&["one"])).unwrap();
    assert_eq!((deliveries[0].state, &deliveries[0].attempts[..]), (DeliveryState::Delivered, &attempts[..]));
}

#[tokio::test]
async fn one_receivers_many_deliveries_do_not_hide_anothers() {
    let place = place();
    let writer = Writer::open(&place.path).unwrap();
    let many: Vec<_> = (0..20).map(|n| address(None, &format!("{n}@example.com"))).collect();
    writer.commit(Arc::new(opening("one", "many", &many, START))).await.unwrap();
    writer.commit(Arc::new(opening("two", "few", &many[..1], START + seconds(1)))).await.unwrap();
    let due = Reader::open(&place.path).unwrap().due_deliveries(START + seconds(1), 3).unwrap();
    let receivers: Vec<_> = due.iter().map(|due| due.receiver.as_str()).collect();
    assert_eq!(receivers, ["many", "many", "many", "few"]);
}

#[tokio::test]
async fn an_operators_wish_is_left_by_another_connection_and_answered_with_the_commit() {
    let place = place();
    let writer = Writer::open(&place.path).unwrap();
    writer.commit(Arc::new(opening("one", "oncall", &[], START))).await.unwrap();
    let reader = Reader::open(&place.path).unwrap();
    let action = Action {
        at: START,
        incident: IncidentId::derived(&["one"]),
        kind: ActionKind::Acknowledge,
        by: "eve".into(),
        text: String::new(),
        other: None,
        parts: BTreeSet::from(["api".to_owned(), "it's, \"slow\"".to_owned()]),
    };
    let id = request_action(&place.path, &action).unwrap();
    assert_eq!(reader.pending_actions(10).unwrap(), [PendingAction { id, action: action.clone() }]);
    assert_eq!(reader.answer_to(id).unwrap(), None);
    let done = ActionDone { id, at: START + seconds(1), answer: "acknowledged".into() };
    writer.commit(Arc::new(Commit { actions_done: vec![done], ..Commit::default() })).await.unwrap();
    assert_eq!(reader.pending_actions(10).unwrap(), []);
    assert_eq!(reader.answer_to(id).unwrap(), Some("acknowledged".into()));

    let two = IncidentId::derived(&["two"]);
    for unknown in [Action { incident: two, ..action.clone() }, Action { other: Some(two), ..action.clone() }] {
        let error = request_action(&place.path, &unknown).unwrap_err();
        assert!(error.to_string().contains("there is no incident"), "{error}");
    }
    let merge = Action { other: Some(action.incident), ..action };
    let id = request_action(&place.path, &merge).unwrap();
    assert_eq!(reader.pending_actions(10).unwrap(), [PendingAction { id, action: merge }]);
}

#[tokio::test]
async fn a_row_that_cannot_be_understood_is_an_error_that_names_it() {
    let place = place();
    let writer = Writer::open(&place.path).unwrap();
    let mut commit = opening("one", "oncall", &[address(None, "a@example.com")], START);
    commit.results.push(Judged::at_once(success("web", START)));
    writer.commit(Arc::new(commit)).await.unwrap();
    let reader = Reader::open(&place.path).unwrap();
    let id = IncidentId::derived(&["one"]);
    let unreadable = |error: StoreError, names: &str| {
        assert!(matches!(error, StoreError::Unreadable { .. }), "{error:?}");
        assert!(error.to_string().contains(names), "{error}");
    };
    behind_the_back(&place.path, "UPDATE result SET outcome = 77");
    unreadable(reader.results_since(START, |_| {}).unwrap_err(), "the outcome of a result");
    behind_the_back(&place.path, "UPDATE result SET outcome = 0, dns = -1");
    unreadable(reader.results_since(START, |_| {}).unwrap_err(), "a phase");
    behind_the_back(&place.path, "UPDATE result SET dns = 0, probe = 99");
    unreadable(reader.results_since(START, |_| {}).unwrap_err(), "there is no probe 99");
    behind_the_back(&place.path, "UPDATE incident_event SET kind = 'abducted'");
    unreadable(reader.events_of(id).unwrap_err(), "event 0 of incident");
    behind_the_back(&place.path, "UPDATE incident_event SET kind = 'opened', body = '{'");
    unreadable(reader.histories(START).unwrap_err(), "event 0 of incident");
    behind_the_back(&place.path, "UPDATE incident SET severity = 9");
    unreadable(reader.incidents(false, 1).unwrap_err(), "the severity of an incident");
    behind_the_back(&place.path, "UPDATE notification SET form = 9");
    unreadable(reader.due_deliveries(START, 1).unwrap_err(), "the form of a message");
    behind_the_back(&place.path, "UPDATE delivery SET attempts = -1; UPDATE notification SET form = 1");
    unreadable(reader.due_deliveries(START, 1).unwrap_err(), "a row");
}
