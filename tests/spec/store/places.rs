//! Where a database may be, and who else may have it.

use super::*;

#[tokio::test]
async fn only_one_daemon_writes_a_database() {
    let place = place();
    let writer = Writer::open(&place.path).unwrap();
    let error = Writer::open(&place.path).unwrap_err();
    assert_eq!(error, StoreError::InUse(place.path.clone()));
    assert!(
        error
            .to_string()
            .ends_with("another Tripline is writing this database; stop it, or name another file with --db")
    );
    let other = writer.clone();
    writer.close().await.unwrap();
    assert_eq!(other.commit(Arc::default()).await, Err(StoreError::Closed));
    Writer::open(&place.path).unwrap();
}

#[tokio::test]
async fn files_that_are_not_ours_are_refused_and_left_alone() {
    let place = place();
    std::fs::write(&place.path, "name: Bitbucket Cloud\nprobes: {}\n".repeat(99)).unwrap();
    let before = std::fs::read(&place.path).unwrap();
    assert_eq!(Writer::open(&place.path).unwrap_err(), StoreError::NotADatabase(place.path.clone()));
    assert_eq!(Reader::open(&place.path).unwrap_err(), StoreError::NotADatabase(place.path.clone()));
    assert_eq!(std::fs::read(&place.path).unwrap(), before);

    std::fs::remove_file(&place.path).unwrap();
    behind_the_back(&place.path, "CREATE TABLE bookmark (url TEXT)");
    let before = std::fs::read(&place.path).unwrap();
    assert_eq!(Writer::open(&place.path).unwrap_err(), StoreError::OtherApplication(place.path.clone()));
    assert_eq!(Reader::open(&place.path).unwrap_err(), StoreError::OtherApplication(place.path.clone()));
    assert_eq!(std::fs::read(&place.path).unwrap(), before);
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused_and_says_so() {
    let place = place();
    Writer::open(&place.path).unwrap().close().await.unwrap();
    behind_the_back(&place.path, "PRAGMA user_version = 7");
    for error in [Writer::open(&place.path).unwrap_err(), Reader::open(&place.path).unwrap_err()] {
        assert_eq!(error, StoreError::Newer { path: place.path.clone(), found: 7, known: 5 });
        assert!(error.to_string().contains("its version is 7, this program knows 5"), "{error}");
    }
}

#[test]
fn places_where_nothing_can_be_written_are_named_with_what_to_do() {
    let place = place();
    let missing = place.path.join("deeper/tripline.db");
    assert_eq!(Writer::open(&missing).unwrap_err(), StoreError::NoDirectory(missing));
    assert_eq!(Reader::open(&place.path).unwrap_err(), StoreError::NotFound(place.path.clone()));
    std::fs::write(&place.path, "").unwrap();
    let error = Reader::open(&place.path).unwrap_err();
    assert_eq!(error, StoreError::Empty(place.path.clone()));
    assert!(error.to_string().contains("this file is empty"), "{error}");
    let directory = place.path.parent().unwrap();
    assert_eq!(Writer::open(directory).unwrap_err(), StoreError::NotADatabase(directory.to_owned()));
    // Nobody, not even root, makes files there.
    let error = Writer::open(Path::new("/sys/tripline.db")).unwrap_err();
    assert!(matches!(error, StoreError::NotWritable { .. }), "{error:?}");
    assert!(error.to_string().contains("make the file and its directory writable"), "{error}");
}

#[tokio::test]
async fn a_reader_needs_no_daemon_and_cannot_write() {
    let place = place();
    let writer = Writer::open(&place.path).unwrap();
    writer.commit(results(vec![success("web", START)])).await.unwrap();
    writer.close().await.unwrap();
    assert_eq!(stored_since(&place.path, START).len(), 1);
}

#[tokio::test]
async fn the_writer_survives_a_database_that_is_held_by_another_program() {
    let place = place();
    let writer = Writer::open(&place.path).unwrap();
    let holder = Connection::open(&place.path).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let commit = results(vec![success("web", START)]);
    let error = writer.commit(Arc::clone(&commit)).await.unwrap_err();
    assert!(error == StoreError::Busy && error.may_pass());
    holder.execute_batch("ROLLBACK").unwrap();
    writer.commit(commit).await.unwrap();
    assert_eq!(stored_since(&place.path, START).len(), 1);
}
