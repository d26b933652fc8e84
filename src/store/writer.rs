//! The one writer: a thread that owns the connection, fed by a bounded channel.

use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use super::commit::{Attempt, Commit, DeliveryId};
use super::error::StoreError;
use super::names::Keys;
use super::open::{self, Lock};
use super::write as rows;

/// How many requests may wait. Whoever comes after waits at the door, so a slow disk slows down, not fills, memory.
const MOST_WAITING: usize = 256;

/// The way to write. Cloning it gives another handle to the same thread.
#[derive(Clone, Debug)]
pub struct Writer {
    requests: mpsc::Sender<(Request, Answer)>,
}

type Answer = oneshot::Sender<Result<(), StoreError>>;

enum Request {
    Commit(Arc<Commit>),
    Attempt(DeliveryId, Attempt),
    Close,
}

impl Writer {
    /// Opens the database, creating it or bringing it up to date, and starts the writing thread.
    ///
    /// Blocks for the time that takes. The advisory lock `DB.lock` is held until [`Writer::close`] is answered or the
    /// last handle is dropped.
    ///
    /// # Errors
    /// When the place cannot be written, the file is not ours or from a newer version, or another daemon writes it.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let (connection, lock) = open::for_writing(path)?;
        let (requests, waiting) = mpsc::channel(MOST_WAITING);
        std::thread::Builder::new()
            .name("store".into())
            .spawn(move || run(connection, lock, waiting))
            .map_err(|error| StoreError::Sqlite(format!("no thread for the writer: {error}")))?;
        Ok(Self { requests })
    }

    /// Stores all of it in one transaction and returns when it is durable.
    ///
    /// The caller keeps its share of the commit: on an error nothing of it was stored, and the same one may be handed
    /// in again. Dropping the future does not take back what was already handed over.
    ///
    /// # Errors
    /// When it contradicts what is stored ([`StoreError::Conflict`]: it will never pass), or when the disk or the
    /// database does not allow it now ([`StoreError::may_pass`]).
    pub async fn commit(&self, commit: Arc<Commit>) -> Result<(), StoreError> {
        self.ask(Request::Commit(commit)).await
    }

    /// Stores what became of one attempt to deliver.
    ///
    /// # Errors
    /// As [`Writer::commit`]; a delivery that is not owed any more is a conflict.
    pub async fn record_attempt(&self, delivery: DeliveryId, attempt: Attempt) -> Result<(), StoreError> {
        self.ask(Request::Attempt(delivery, attempt)).await
    }

    /// Writes what still waits, gives back the lock and ends the thread. Other handles find the store closed.
    ///
    /// # Errors
    /// When it was closed already.
    pub async fn close(&self) -> Result<(), StoreError> {
        self.ask(Request::Close).await
    }

    async fn ask(&self, request: Request) -> Result<(), StoreError> {
        let (answer, answered) = oneshot::channel();
        self.requests.send((request, answer)).await.map_err(|_| StoreError::Closed)?;
        answered.await.map_err(|_| StoreError::Closed)?
    }
}

fn run(mut connection: Connection, lock: Lock, mut waiting: mpsc::Receiver<(Request, Answer)>) {
    let mut keys = Keys::default();
    let mut closers = Vec::new();
    while let Some(first) = waiting.blocking_recv() {
        let mut group = vec![first];
        while group.len() < MOST_WAITING
            && let Ok(next) = waiting.try_recv()
        {
            group.push(next);
        }
        let (closing, writing): (Vec<_>, Vec<_>) =
            group.into_iter().partition(|(request, _)| matches!(request, Request::Close));
        if !writing.is_empty() {
            write(&mut connection, &mut keys, writing);
        }
        if !closing.is_empty() {
            closers.extend(closing);
            // What was sent before this moment is still received; what comes later finds the door closed.
            waiting.close();
        }
    }
    drop(connection);
    drop(lock);
    for (_, answer) in closers {
        // Whoever asked may have gone.
        let _ = answer.send(Ok(()));
    }
}

/// Writes a group of requests in one transaction and answers each.
fn write(connection: &mut Connection, keys: &mut Keys, group: Vec<(Request, Answer)>) {
    let mut results = Vec::with_capacity(group.len());
    let committed = write_group(connection, keys, &group, &mut results);
    if committed.is_err() {
        *keys = Keys::default();
    }
    results.resize(group.len(), Ok(()));
    for ((_, answer), result) in group.into_iter().zip(results) {
        let _ = answer.send(match &committed {
            Ok(()) => result,
            Err(error) => result.and(Err(error.clone())),
        });
    }
}

fn write_group(
    connection: &mut Connection,
    keys: &mut Keys,
    group: &[(Request, Answer)],
    results: &mut Vec<Result<(), StoreError>>,
) -> Result<(), StoreError> {
    // Dropped without a commit, the transaction is rolled back.
    let mut transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for (request, _) in group {
        let savepoint = transaction.savepoint()?;
        let result = match request {
            Request::Commit(commit) => rows::store(&savepoint, keys, commit),
            Request::Attempt(delivery, attempt) => rows::store_attempt(&savepoint, *delivery, attempt),
            Request::Close => Ok(()),
        };
        match result {
            Ok(()) => savepoint.commit()?,
            Err(error) => {
                *keys = Keys::default();
                // A full disk makes SQLite undo the whole transaction by itself; the savepoint is gone with it.
                if savepoint.finish().is_err() {
                    return Err(error);
                }
                results.push(Err(error));
                continue;
            }
        }
        results.push(Ok(()));
    }
    Ok(transaction.commit()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{CheckResult, Judged, Location, Timestamp, VoidReason};

    fn voids(from: u16, count: u16) -> Arc<Commit> {
        let void = |n: u16| {
            let at = Timestamp::from_millis(i64::from(n) * 1_000);
            CheckResult::void(format!("probe-{n}").into(), Location::local(), at, VoidReason::Overrun)
        };
        Arc::new(Commit {
            results: (from..from + count).map(void).map(Judged::at_once).collect(),
            ..Commit::default()
        })
    }

    fn write_all(
        connection: &mut Connection,
        keys: &mut Keys,
        commits: &[Arc<Commit>],
    ) -> Vec<Result<(), StoreError>> {
        let (group, answered): (Vec<_>, Vec<_>) = commits
            .iter()
            .map(|commit| {
                let (answer, answered) = oneshot::channel();
                ((Request::Commit(Arc::clone(commit)), answer), answered)
            })
            .unzip();
        write(connection, keys, group);
        answered.into_iter().map(|answered| answered.blocking_recv().unwrap()).collect()
    }

    fn count(connection: &Connection, table: &str) -> i64 {
        connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn a_commit_that_met_a_full_disk_left_nothing_and_passes_when_there_is_room() {
        let directory = tempfile::tempdir().unwrap();
        let (mut connection, _lock) = open::for_writing(&directory.path().join("tripline.db")).unwrap();
        let mut keys = Keys::default();
        assert_eq!(write_all(&mut connection, &mut keys, &[voids(0, 10)]), [Ok(())]);

        // To SQLite, a database that may not grow is a full disk.
        let pages: i64 = connection.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
        let limit = |connection: &Connection, pages: i64| {
            connection.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(())).unwrap();
        };
        limit(&connection, pages + 2);
        let commits = [voids(10, 10), voids(20, 5_000)];
        let answers = write_all(&mut connection, &mut keys, &commits);
        assert_eq!(answers[1], Err(StoreError::Full));
        let stored: i64 = if answers[0].is_ok() { 20 } else { 10 };
        assert_eq!((count(&connection, "result"), count(&connection, "probe")), (stored, stored));

        limit(&connection, 1 << 30);
        assert_eq!(write_all(&mut connection, &mut keys, &commits[1..]), [Ok(())]);
        assert_eq!(count(&connection, "result"), stored + 5_000);
        let nameless = "result WHERE probe NOT IN (SELECT key FROM probe)";
        assert_eq!(count(&connection, nameless), 0, "no number of an undone transaction was used");
    }
}
