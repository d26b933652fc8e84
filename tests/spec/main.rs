//! The spec: each module is a chapter of what Tripline promises.
// A test that cannot go on has failed; what helps a test is a test.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod backtest;
mod configs;
mod docs;
mod fuzzed;
mod postmortem;
mod practice;
mod probes;
mod store;
mod mail;
mod maintenance;
mod outbox;
mod kill;
mod cli;
mod run;
mod renamed;
mod second_outage;
mod arrivals;
mod sight;
mod demo;
mod drills;
mod noise;
mod properties;
mod time_to_detect;
mod siege;
mod tidy;
mod upgrade;

mod django_site;
mod forge;
mod given;
mod lfs_forge;
mod network;
mod mail_system;
mod scripted;
mod servers;
mod story;
mod smtp;
mod ssh_forge;
mod terminal;
