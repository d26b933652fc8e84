//! Delivering: each file speaks to one kind of outside taker. What is delivered was worded before.

pub mod email;

pub use email::{DeliveryFault, Mailer};
