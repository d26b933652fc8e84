//! Opening the database: whose it is, which version it has, who may write it.

use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use include_dir::{Dir, include_dir};
use rusqlite::{Connection, OpenFlags};
use rusqlite_migration::Migrations;

use super::error::StoreError;

static MIGRATIONS: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/migrations");

/// "Trip" in ASCII, as the first migration sets it.
const APPLICATION_ID: i64 = 0x5472_6970;

/// How long a connection waits for another process before it says that the database is busy.
const BUSY: Duration = Duration::from_secs(5);

/// The version that the migrations lead to: there is one directory per version.
fn known_version() -> i64 {
    i64::try_from(MIGRATIONS.dirs().count()).unwrap_or(i64::MAX)
}

/// Holds the advisory lock of a database (`DB.lock`) until it is dropped or the process ends, however it ends.
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    fn take(path: &Path) -> Result<Self, StoreError> {
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(beside(path, ".lock"))
            .map_err(|error| not_writable(path, &error))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse(path.to_owned())),
            Err(TryLockError::Error(error)) => Err(not_writable(path, &error)),
        }
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn not_writable(path: &Path, error: &std::io::Error) -> StoreError {
    match error.kind() {
        ErrorKind::NotFound => StoreError::NoDirectory(path.to_owned()),
        _ => StoreError::NotWritable { path: path.to_owned(), cause: error.to_string() },
    }
}

/// Opens the database for the one writer: creates it if there is none, brings it up to date, and keeps others out.
pub(super) fn for_writing(path: &Path) -> Result<(Connection, Lock), StoreError> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !directory.is_dir() {
        return Err(StoreError::NoDirectory(path.to_owned()));
    }
    if path.is_dir() {
        return Err(StoreError::NotADatabase(path.to_owned()));
    }
    // However it is called, a symbolic link say, the same database has the same lock.
    let real = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let lock = Lock::take(&real)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = connect(path, flags)?;
    if connection.is_readonly("main")? {
        return Err(StoreError::NotWritable { path: path.to_owned(), cause: "the file is read-only".into() });
    }
    if owner(path, &connection)? == Owner::Foreign {
        return Err(StoreError::OtherApplication(path.to_owned()));
    }
    let found = version(&connection)?;
    let known = known_version();
    if found > known {
        return Err(StoreError::Newer { path: path.to_owned(), found, known });
    }
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // A reader that was slow once shall not leave a large file behind for ever.
    connection.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
    connection.set_prepared_statement_cache_capacity(64);
    Migrations::from_directory(&MIGRATIONS)
        .and_then(|migrations| migrations.to_latest(&mut connection))
        .map_err(|error| StoreError::Sqlite(format!("the database could not be brought up to date: {error}")))?;
    Ok((connection, lock))
}

/// Opens the database for reading. It must exist and be up to date.
pub(super) fn for_reading(path: &Path) -> Result<Connection, StoreError> {
    let connection = connect_existing(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

/// Opens the database, beside its one writer, for a single small write.
pub(super) fn for_request(path: &Path) -> Result<Connection, StoreError> {
    let connection = connect_existing(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    if connection.is_readonly("main")? {
        return Err(StoreError::NotWritable { path: path.to_owned(), cause: "the file is read-only".into() });
    }
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    Ok(connection)
}

fn connect_existing(path: &Path, access: OpenFlags) -> Result<Connection, StoreError> {
    if !path.exists() {
        return Err(StoreError::NotFound(path.to_owned()));
    }
    if path.is_dir() {
        return Err(StoreError::NotADatabase(path.to_owned()));
    }
    let connection = connect(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    match owner(path, &connection)? {
        Owner::Tripline => {}
        // Created this moment, left empty by a crash, or emptied by someone: there is nothing to read.
        Owner::Nobody => return Err(StoreError::Empty(path.to_owned())),
        Owner::Foreign => return Err(StoreError::OtherApplication(path.to_owned())),
    }
    let (path, found, known) = (path.to_owned(), version(&connection)?, known_version());
    match found.cmp(&known) {
        std::cmp::Ordering::Less => Err(StoreError::Older { path, found, known }),
        std::cmp::Ordering::Greater => Err(StoreError::Newer { path, found, known }),
        std::cmp::Ordering::Equal => Ok(connection),
    }
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, StoreError> {
    let connection = Connection::open_with_flags(path, flags)
        .map_err(|error| StoreError::NotWritable { path: path.to_owned(), cause: error.to_string() })?;
    connection.busy_timeout(BUSY)?;
    Ok(connection)
}

#[derive(PartialEq)]
enum Owner {
    Tripline,
    /// The file is empty.
    Nobody,
    Foreign,
}

fn owner(path: &Path, connection: &Connection) -> Result<Owner, StoreError> {
    let number = |sql: &str| -> rusqlite::Result<i64> { connection.query_row(sql, [], |row| row.get(0)) };
    let (id, tables) = number("PRAGMA application_id")
        .and_then(|id| Ok((id, number("SELECT count(*) FROM sqlite_schema")?)))
        .map_err(|error| match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::NotADatabase) => StoreError::NotADatabase(path.to_owned()),
            _ => error.into(),
        })?;
    Ok(match (id, tables) {
        (APPLICATION_ID, _) => Owner::Tripline,
        (0, 0) => Owner::Nobody,
        _ => Owner::Foreign,
    })
}

fn version(connection: &Connection) -> Result<i64, StoreError> {
    Ok(connection.query_row("PRAGMA user_version", [], |row| row.get(0))?)
}
