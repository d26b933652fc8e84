//! Floor 1: breaches that belong together become one incident.

pub mod blind;
pub mod depend;
pub mod explain;
pub mod correlate;
pub mod spread;
pub mod severity;
pub mod impact;
mod corrections;
pub mod false_alarms;
pub mod rename;
pub mod lifecycle;
pub mod markdown;
pub mod postmortem;
pub mod recovery;
pub mod summary;
