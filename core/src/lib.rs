//! The pure part of Tripline: floors 0 and 1 of its map, which stands in the package `tripline` (`src/lib.rs`).
//!
//! It is a package of its own so that tests can have it optimised, drills and properties judge by the million, without
//! waiting for the optimiser wherever the rest changes. The modules are listed in the order in which data flows, and each
//! uses only those above it. Time is an argument here; there is no IO, no clock and no randomness.

pub mod model;

pub mod config;
pub mod schedule;
pub mod detect;
pub mod incident;
pub mod notify;
pub mod engine;
pub mod backtest;
pub mod drill;
