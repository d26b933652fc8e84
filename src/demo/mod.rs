//! Floor 3, the demo: a small forge that breaks on request, and a mail sink that shows what was mailed.

pub mod fault;
pub mod forge;
pub mod sink;
