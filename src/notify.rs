//! Floor 1: who is told what, when and why.

pub mod backoff;
pub mod plan;
pub mod mute;
pub mod render;
