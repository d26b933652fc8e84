//! Tripline notices that a service fails for some of its customers, says which and what they have in common,
//! in one incident, and never loses the alert.
//!
//! This page is the map. The modules are listed in the order in which data flows, and each uses only those above it,
//! so reading them from top to bottom never meets a word that was not explained before.
//!
//! ```text
//! probes.yaml -> config -Config-> schedule -Due-> probe -CheckResult-> engine
//!    engine = sight -Judged-> detect -Signal-> cases -IncidentEvent-> tell -Notification{message, destinations}->
//! engine -Commit{results, events, notifications}-> store -> outbox -> deliver
//! calls of jobs and hooks -> web -> inbox -> probe, daemon -CheckResult-> engine
//! drill: Scenario -CheckResult-> the same engine, virtual clock -> Report
//! ```
//!
//! # Floors
//! Floors 0 and 1 are a package of their own, `tripline-core` (`core/src/lib.rs` lists them).
//! - **Floor 0, the words** ([`model`]): plain data that all others speak.
//! - **Floor 1, the core** ([`config`] to [`drill`]): pure. Time is an argument; there is no IO, no clock, no
//!   randomness, and no hash map is walked, so the same inputs give the same outputs, ids included.
//! - **Floor 2, the shell** ([`clock`] to [`web`]): each file touches one thing outside.
//! - **Floor 3, the wiring** ([`daemon`], [`demo`], [`cli`]).
//!
//! # Invariants
//! A test reads the source and holds those that are absences (`tests/spec/tidy.rs`).
//! 1. A module uses only modules above it in this list.
//! 2. Floors 0 and 1 never name a runtime, sockets, files, the environment, a clock or a random source.
//! 3. [`probe`], [`store`] and [`deliver`] do not know each other; [`web`] knows the [`inbox`]. What an operator does goes to the engine as an input.
//! 4. serde stays where text from outside is read or written, SQL in [`store`].
//! 5. The engine speaks wall-clock time, and keeps a time of its own that never runs backwards. The moment at which a
//!    result was judged is stored with it, so that no replay has to guess it.
//! 6. Mutate once, drain fully, commit: the pump lets the engine handle an input, takes all its outputs, and stores
//!    results, incident events and owed messages in one transaction. An incident never exists without its
//!    notifications, nor the reverse.
//! 7. Ids are derived from what they name, so a replay opens nothing and owes nothing twice.
//! 8. On start the engine is rebuilt by replaying stored results and the open incidents; there is no second copy of
//!    its state.
//! 9. A decision returns its reason, and the record shows it: why somebody is not notified as well. A failed check is
//!    data; an error is our own fault.
//! 10. A closed set (probe kinds, rule kinds, receiver kinds) is listed once, and told apart in one place of a floor.
//! 11. No `unwrap`, `expect`, `panic` or `unsafe` outside tests; every queue, wait and read from outside is bounded.

pub use tripline_core::{backtest, config, detect, drill, engine, incident, model, notify, schedule};

pub mod clock;
pub mod inbox;
pub mod probe;
pub mod store;
pub mod deliver;
pub mod web;

pub mod daemon;
pub mod demo;
pub mod cli;
