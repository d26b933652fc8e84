//! What is due: the first of each line, found in as many steps as are given out.

use std::path::Path;

use rusqlite::{Connection, StatementStatus, params};

use super::*;
use crate::model::MailMessage;
use crate::store::open;

/// A database of the second version, in which each of so many incidents owes its beginning and its end, brought up to
/// date.
fn owing(directory: &Path, incidents: u32) -> Connection {
    let path = directory.join("tripline.db");
    let old = Connection::open(&path).unwrap();
    old.execute_batch(include_str!("../../../../migrations/001-start/up.sql")).unwrap();
    old.execute_batch(include_str!("../../../../migrations/002-address-and-expiry/up.sql")).unwrap();
    old.execute_batch("PRAGMA user_version = 2; BEGIN").unwrap();
    for number in 0..incidents {
        let incident = u128::from(number).to_be_bytes();
        old.execute("INSERT INTO incident VALUES (?1, 0, 1, 0, 0, NULL, NULL, NULL, '{}', 1)", [incident]).unwrap();
        for (kind, subject) in [(1, "opened"), (4, "resolved")] {
            let id = (u128::from(number) << 8 | kind).to_be_bytes();
            let kind = u32::try_from(kind).unwrap();
            old.execute(
                "INSERT INTO notification VALUES (?1, ?2, 'oncall', ?3, '', ?3, ?4, '', '', '', NULL)",
                params![id, incident, kind, subject],
            )
            .unwrap();
            old.execute(
                "INSERT INTO delivery VALUES (NULL, ?1, NULL, 'a@example.com', 0, 0, ?2)",
                params![id, 9 - kind],
            )
            .unwrap();
        }
    }
    old.execute_batch("COMMIT").unwrap();
    drop(old);
    let (new, _lock) = open::for_writing(&path).unwrap();
    new
}

fn subjects(connection: &Connection) -> Vec<String> {
    let mut statement = connection.prepare(DUE).unwrap();
    let subjects = statement.query_map(params![1_000_000, 16], |row| row.get(4)).unwrap();
    subjects.map(Result::unwrap).collect()
}

#[test]
fn an_end_that_was_owed_before_the_update_waits_for_its_beginning() {
    let directory = tempfile::tempdir().unwrap();
    let connection = owing(directory.path(), 2);
    assert_eq!(subjects(&connection), ["opened"; 2], "though the ends were due earlier");
}

#[test]
fn finding_what_is_due_among_twenty_thousand_takes_as_many_steps_as_among_forty() {
    let [few, many] = [20, 10_000].map(|incidents| {
        let directory = tempfile::tempdir().unwrap();
        let connection = owing(directory.path(), incidents);
        let mut statement = connection.prepare(DUE).unwrap();
        let due = statement.query_map(params![1_000_000, 16], |_| Ok(())).unwrap();
        assert_eq!(due.count(), 16);
        statement.get_status(StatementStatus::VmStep)
    });
    assert!(many <= few + few / 10, "{many} steps among many and {few} among few");
}

#[test]
fn mail_that_was_owed_before_messages_had_forms_is_still_due_and_says_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tripline.db");
    let old = Connection::open(&path).unwrap();
    old.execute_batch(include_str!("../../../../migrations/001-start/up.sql")).unwrap();
    old.execute_batch(include_str!("../../../../migrations/002-address-and-expiry/up.sql")).unwrap();
    old.execute_batch(include_str!("../../../../migrations/003-one-after-the-other/up.sql")).unwrap();
    old.execute_batch(
        "PRAGMA user_version = 3;
         INSERT INTO incident VALUES (zeroblob(16), 0, 1, 0, 0, NULL, NULL, NULL, '{}', 1);
         INSERT INTO notification VALUES (zeroblob(16), zeroblob(16), 'oncall', 4, 'it is over', 7, 'RESOLVED',
             'It is over.', '<p>It is over.</p>', 'second', 'first');
         INSERT INTO delivery VALUES (5, zeroblob(16), 'On call', 'a@example.com', 0, 3, 9, 'oncall', NULL);",
    )
    .unwrap();
    drop(old);
    let (_new, _lock) = open::for_writing(&path).unwrap();
    let due = Reader::open(&path).unwrap().due_deliveries(Timestamp::from_millis(10), 1).unwrap();
    let mail = MailMessage {
        subject: "RESOLVED".into(),
        text: "It is over.".into(),
        html: "<p>It is over.</p>".into(),
        id: "second".into(),
        thread: Some("first".into()),
    };
    let expected = DueDelivery {
        id: DeliveryId(5),
        notification: NotificationId::from_bytes([0; 16]),
        incident: IncidentId::from_bytes([0; 16]),
        receiver: "oncall".into(),
        to: Destination { name: Some("On call".into()), address: "a@example.com".into() },
        message: Message::Mail(mail),
        owed: Timestamp::from_millis(7),
        attempts: 3,
    };
    assert_eq!(due, [expected]);
}
