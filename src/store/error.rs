//! What can go wrong with the store, and what to do about it.

use std::path::PathBuf;

use rusqlite::ErrorCode;

/// Why the store could not do what was asked. Each says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The directory of the database does not exist.
    #[error("{}: the directory of the database does not exist; create it, or name another place with --db", .0.display())]
    NoDirectory(PathBuf),
    /// The database, or its directory, cannot be written.
    #[error("{}: the database cannot be written ({cause}); make the file and its directory writable for this user, or name another place with --db", .path.display())]
    NotWritable {
        /// The database.
        path: PathBuf,
        /// What the system said.
        cause: String,
    },
    /// There is no database yet.
    #[error("{}: there is no such database; `tripline run` creates it, or name another with --db", .0.display())]
    NotFound(PathBuf),
    /// The file is there, and empty.
    #[error("{}: this file is empty, it holds no database: `tripline run` makes one of it; if there were results in it, restore a copy, or name another file with --db", .0.display())]
    Empty(PathBuf),
    /// The file is something else.
    #[error("{}: this is no SQLite database; name another file with --db", .0.display())]
    NotADatabase(PathBuf),
    /// The file is a SQLite database of another application.
    #[error("{}: this SQLite database is not one of Tripline's; name another file with --db", .0.display())]
    OtherApplication(PathBuf),
    /// A newer Tripline has written it.
    #[error("{}: a newer Tripline has written this database (its version is {found}, this program knows {known}); use that newer program, or name another file with --db", .path.display())]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The newest version that this program knows.
        known: i64,
    },
    /// An older Tripline has written it, and reading it needs the migrations that `run` makes.
    #[error("{}: an older Tripline has written this database (its version is {found}, this program needs {known}); start `tripline run` once, it brings the database up to date", .path.display())]
    Older {
        /// The database.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The version that this program needs.
        known: i64,
    },
    /// Another daemon writes it.
    #[error("{}: another Tripline is writing this database; stop it, or name another file with --db", .0.display())]
    InUse(PathBuf),
    /// The disk is full.
    #[error("the disk of the database is full; free some space, what is not stored yet is retried")]
    Full,
    /// Another process holds the database longer than we wait.
    #[error("another program holds the database; close it, the request can be repeated")]
    Busy,
    /// The database is damaged.
    #[error("the database is damaged ({0}); restore a copy, or move it away and start afresh")]
    Damaged(String),
    /// A row cannot be understood.
    #[error("{row} cannot be understood ({cause}); it is damaged, or a newer Tripline has written it")]
    Unreadable {
        /// Which row.
        row: String,
        /// What is wrong with it.
        cause: String,
    },
    /// What was asked contradicts what is stored.
    #[error("refused: {0}")]
    Conflict(String),
    /// The writer has ended.
    #[error("the store is closed")]
    Closed,
    /// SQLite reports something else.
    #[error("SQLite: {0}")]
    Sqlite(String),
}

impl StoreError {
    /// Whether the same request can succeed later without being changed.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Full | Self::Busy | Self::Sqlite(_) | Self::NotWritable { .. })
    }

    /// A row, named, that cannot be understood.
    pub(super) fn unreadable(row: impl Into<String>, cause: impl std::fmt::Display) -> Self {
        Self::Unreadable { row: row.into(), cause: cause.to_string() }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::Error as E;
        match &error {
            E::SqliteFailure(failure, text) => match failure.code {
                ErrorCode::DiskFull => Self::Full,
                ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Self::Busy,
                ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Self::Damaged(error.to_string()),
                ErrorCode::ConstraintViolation => Self::Conflict(text.clone().unwrap_or_else(|| error.to_string())),
                _ => Self::Sqlite(error.to_string()),
            },
            E::FromSqlConversionFailure(..)
            | E::IntegralValueOutOfRange(..)
            | E::InvalidColumnType(..)
            | E::Utf8Error(..) => Self::unreadable("a row", &error),
            _ => Self::Sqlite(error.to_string()),
        }
    }
}
