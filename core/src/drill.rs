//! Floor 1: rehearsals. The real config, the real schedule and the real engine, with a scripted failure and a virtual
//! clock: what would be noticed, when, and who would be told?
//!
//! ```text
//! Scenario -> World: schedule -Due-> faults -CheckResult-> Drive: engine -> Report -> Verdicts
//! ```
//!
//! [`Drive`] is the engine with a clock and a memory, and can be fed results directly. [`run`] plays one scenario once;
//! the same scenario, seed and shift give the same report, to the byte.

mod answers;
mod cues;
mod drive;
mod faults;
mod jobs;
mod judge;
mod memory;
mod owed;
mod pairs;
mod played;
mod report;
pub mod scenario;
mod stage;
mod summary;
mod take;
mod under_way;
mod verdict;
mod world;

#[cfg(test)]
mod tests;

pub use drive::{Counts, Drive, Refusal};
pub use judge::show_factor;
pub use owed::{Owed, Seen};
pub use played::Played;
pub use report::Report;
pub use scenario::Scenario;
pub use summary::{Spread, Summary};
pub use take::Take;
pub use verdict::Verdict;
pub use world::run;
