//! Tripline notices that a service fails for some of its customers, says which and what they have in common,
//! in one incident, and never loses the alert.

pub mod model;

pub mod config;
pub mod schedule;
pub mod detect;
pub mod incident;
pub mod notify;
pub mod engine;

pub mod clock;
pub mod probe;
pub mod store;
pub mod deliver;

pub mod daemon;
pub mod demo;
pub mod cli;
