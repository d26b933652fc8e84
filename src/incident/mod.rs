//! Floor 1: breaches that belong together become one incident.

pub mod depend;
pub mod explain;
pub mod correlate;
pub mod gravity;
pub mod lifecycle;
pub mod spread;
pub mod summary;
