//! Floor 1: breaches that belong together become one incident.

pub mod correlate;
pub mod impact;
pub mod lifecycle;
pub mod markdown;
pub mod postmortem;
pub mod spread;
pub mod summary;
