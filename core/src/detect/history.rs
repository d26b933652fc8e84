//! The recent past: what every check came to, as far back as any rule looks.

use std::collections::VecDeque;
use std::time::Duration;

use crate::model::{FailureClass, ProbeIndex, Timestamp};

/// What one check came to, in a few bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry {
    /// When it was judged.
    pub at: Timestamp,
    /// The probe's index in the config.
    pub probe: ProbeIndex,
    /// Whether it counts as bad.
    pub bad: bool,
    /// How it failed, if it failed.
    pub class: Option<FailureClass>,
    /// The protocol's status number.
    pub status: Option<u16>,
    /// Where it was made from and went to: an index into the detector's places.
    pub place: u16,
}

/// More entries than this are not kept: a busy config finds what is wrong sooner.
const MOST_ENTRIES: usize = 65_536;

/// What checks came to, oldest first, over a fixed length of time.
pub struct History {
    span: Duration,
    entries: VecDeque<Entry>,
}

impl History {
    /// An empty past of this length.
    #[must_use]
    pub fn new(span: Duration) -> Self {
        Self { span, entries: VecDeque::new() }
    }

    /// Adds the newest entry and forgets those that are older than the span before it.
    pub fn push(&mut self, entry: Entry) {
        debug_assert!(self.entries.back().is_none_or(|last| last.at <= entry.at), "time runs on");
        self.entries.push_back(entry);
        let is_old = |oldest: &Entry| oldest.at + self.span < entry.at;
        while self.entries.len() > MOST_ENTRIES || self.entries.front().is_some_and(is_old) {
            self.entries.pop_front();
        }
    }

    /// Whether it has all that came since this moment.
    #[must_use]
    pub fn reaches(&self, from: Timestamp) -> bool {
        let forgets = self.entries.back().is_some_and(|last| from + self.span < last.at);
        !forgets && (self.entries.len() < MOST_ENTRIES || self.entries.front().is_some_and(|oldest| oldest.at < from))
    }

    /// The entries from this moment on, oldest first.
    pub fn since(&self, from: Timestamp) -> impl Iterator<Item = &Entry> {
        let first = self.entries.partition_point(|entry| entry.at < from);
        self.entries.range(first..)
    }
}
