//! Floor 1: who is told what, when and why.

pub mod plan;
pub mod render;
