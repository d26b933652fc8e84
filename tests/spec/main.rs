//! The specification: its contents are the modules.

// Helpers of tests are no tests to clippy's own exception for them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod probes;
mod servers;
