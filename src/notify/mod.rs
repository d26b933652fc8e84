//! Floor 1: who is told what, when and why.

pub mod backoff;
pub mod plan;
pub mod quiet;
pub mod render;
