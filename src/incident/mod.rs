//! Floor 1: breaches that belong together become one incident.

pub mod correlate;
pub mod lifecycle;
pub mod spread;
pub mod summary;
