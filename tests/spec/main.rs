//! What Tripline promises. The `mod` lines are the table of contents.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on panics")]

mod configs;
