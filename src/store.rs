//! The store: one SQLite database, one writer, many readers. SQL is spoken here and nowhere else.
//!
//! ```text
//! Commit ──Writer──▶ bounded channel ──▶ one thread: BEGIN, every waiting request, COMMIT ──▶ answers
//! Reader ──▶ its own read-only connection, a snapshot per question (WAL)
//! request_action ──▶ a short-lived connection of another process, one row of one table
//! ```
//!
//! A request is answered after its COMMIT has reached the disk (`synchronous = FULL`), so what was answered survives
//! a power cut. Requests that wait together share one transaction; each has a savepoint of its own, so one that is
//! refused leaves nothing and holds up nobody. Bytes from the database are judged, never trusted: a row that cannot
//! be understood is an error that names it.

mod action;
mod commit;
mod error;
mod names;
mod open;
mod place;
mod reader;
mod row;
mod write;
mod writer;

pub use action::{ActionDone, PendingAction, request_action};
pub use commit::{Attempt, AttemptOutcome, Commit, DeliveryId, FailedBecause};
pub use error::StoreError;
pub use place::Place;
pub use reader::{Delivery, DeliveryState, DueDelivery, FailureQuery, IncidentSummary, Reader};
pub use writer::Writer;
