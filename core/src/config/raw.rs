//! probes.yaml as it is written: how the keys of a map are listed, values that have several forms, and the text as a tree.

pub(crate) mod keyed;
pub(crate) mod tree;
pub(crate) mod word;
