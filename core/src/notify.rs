//! Floor 1: who is notified of what, when and why, in which words, and when a delivery that failed is retried.

pub mod backoff;
pub mod plan;
pub mod mute;
pub mod word;
