//! Buckets: counts over a long window, without keeping every check.

use std::time::Duration;

use crate::model::Timestamp;

/// Bad and looked-at checks of the last while, to a resolution of one part in `parts` of it.
///
/// What is older than the window never counts; what is within one part of its end may have been forgotten already.
pub(super) struct Buckets {
    /// The length of one, in milliseconds.
    width: i64,
    ring: Box<[(u32, u32)]>,
    /// The number of the newest, counted from the epoch.
    newest: i64,
    /// The sums over the ring.
    pub(super) bad: u64,
    pub(super) looked: u64,
    /// How many checks a full window holds at the least.
    full: u64,
}

impl Buckets {
    /// Of this window in so many parts; `full` is how many checks it holds when it has been watched for its whole length.
    pub(super) fn new(window: Duration, parts: usize, full: u64) -> Self {
        let parts_of_it = i64::try_from(parts).unwrap_or(i64::MAX).max(1);
        let width = i64::try_from(window.as_millis()).unwrap_or(i64::MAX) / parts_of_it;
        Self {
            width: width.max(1),
            ring: vec![(0, 0); parts.max(1)].into(),
            newest: i64::MIN,
            bad: 0,
            looked: 0,
            full,
        }
    }

    /// The checks of the window; those from before anybody watched count as good ones.
    pub(super) fn checks(&self) -> u64 {
        self.looked.max(self.full)
    }

    /// Lets time pass: forgets what is older than the window.
    pub(super) fn slide(&mut self, now: Timestamp) {
        let newest = now.as_millis().div_euclid(self.width);
        let steps = newest.saturating_sub(self.newest);
        if steps <= 0 {
            return;
        }
        let steps = usize::try_from(steps).unwrap_or(usize::MAX).min(self.ring.len());
        for step in 0..steps {
            let place = self.place(newest.saturating_sub(i64::try_from(step).unwrap_or(i64::MAX)));
            let (bad, looked) = std::mem::take(&mut self.ring[place]);
            self.bad -= u64::from(bad);
            self.looked -= u64::from(looked);
        }
        self.newest = newest;
    }

    /// Counts one more check.
    pub(super) fn add(&mut self, now: Timestamp, is_bad: bool) {
        self.slide(now);
        let place = self.place(self.newest);
        let (bad, looked) = &mut self.ring[place];
        // Four thousand million checks fit into each.
        if let Some(more) = looked.checked_add(1) {
            *looked = more;
            *bad += u32::from(is_bad);
            self.looked += 1;
            self.bad += u64::from(is_bad);
        }
    }

    fn place(&self, number: i64) -> usize {
        let length = i64::try_from(self.ring.len()).unwrap_or(i64::MAX);
        usize::try_from(number.rem_euclid(length)).unwrap_or_default()
    }
}
