//! Floor 3: a small forge that breaks on request, a mail server that keeps what it gets, and the play in which both
//! show what Tripline does. The tests use the forge and the mail server too.

pub mod fault;
pub mod forge;
pub mod hurry;
pub mod play;
pub mod practice;
pub mod scenery;
pub mod sink;

pub use fault::DemoFault;
