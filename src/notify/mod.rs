//! To be written.
pub mod backoff;
