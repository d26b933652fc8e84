//! The spec: each module is a chapter of what Tripline promises.

mod given;
mod mail;
mod outbox;
mod smtp;
mod store;
