//! Floor 3, the daemon: what runs while tripline runs.

pub mod checks;
