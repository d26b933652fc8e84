//! To be written.
pub mod outbox;
