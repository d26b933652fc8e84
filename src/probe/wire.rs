//! What other sides say, read by parsers of our own: pure functions over bytes, each in a file of its own.
//!
//! They are public so that fuzzing can reach them. None of them panics, whatever it is given, and none keeps more than
//! a small multiple of its input.

pub mod dns;
pub mod grpc;
pub mod icmp;
pub mod imap;
pub mod mail;
pub mod ocsp;
pub mod perfdata;
pub mod redirect;
pub mod signature;
pub mod smtp;
pub mod step;
pub mod zip;
pub mod git;
pub mod known_hosts;
pub mod lfs;
pub mod pack;
pub mod pktline;
