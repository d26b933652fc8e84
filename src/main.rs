//! The command `tripline`.
fn main() {}
