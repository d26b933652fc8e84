//! probes.yaml as it is written: its shape for editors, and its text as a tree.

pub mod shape;
pub(crate) mod tree;
