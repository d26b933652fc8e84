//! Maintenance windows: when not to speak. They stop messages, never the record.

use std::sync::Arc;
use std::time::Duration;

use super::calendar::Calendar;
use super::id::MaintenanceId;
use super::rule::Scope;
use super::unit::Timestamp;

/// Planned work on a part of the service: while a window is open, nobody is told of what it covers.
#[derive(Clone, Debug)]
pub struct Maintenance {
    /// Its id in the config.
    pub id: MaintenanceId,
    /// The probes that it covers; all of them unless narrowed.
    pub over: Scope,
    /// When its windows are open.
    pub when: Windows,
}

/// When the windows of a maintenance are open.
#[derive(Clone, Debug)]
pub enum Windows {
    /// From each time of a calendar on, for so long.
    At(Arc<Calendar>, Duration),
    /// Once.
    Once(Window),
}

/// One stretch of planned work; its end is no part of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Window {
    /// Its beginning.
    pub from: Timestamp,
    /// Its end.
    pub until: Timestamp,
}

impl Windows {
    /// The window that is open at this moment; of several that overlap, the one that began first. One look at the
    /// calendar, however long the window is.
    #[must_use]
    pub fn open_at(&self, now: Timestamp) -> Option<Window> {
        match self {
            Self::At(calendar, length) => {
                let from = calendar.next_after(now - *length)?;
                Some(Window { from, until: from + *length }).filter(|window| window.from <= now)
            }
            Self::Once(window) => Some(*window).filter(|window| window.from <= now && now < window.until),
        }
    }

    /// The window that begins next after this moment; `None` when none does any more.
    #[must_use]
    pub fn next_after(&self, now: Timestamp) -> Option<Window> {
        match self {
            Self::At(calendar, length) => calendar.next_after(now).map(|from| Window { from, until: from + *length }),
            Self::Once(window) => Some(*window).filter(|window| window.from > now),
        }
    }

    /// Whether each of so many windows runs into the next one: then somebody meant something else.
    #[must_use]
    pub fn run_together(&self, count: u32) -> bool {
        let Self::At(calendar, length) = self else { return false };
        let Some(mut from) = calendar.next_after(Timestamp::default()) else { return false };
        for _ in 0..count {
            match calendar.next_after(from) {
                Some(next) if next.since(from) <= *length => from = next,
                _ => return false,
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse::<jiff::Timestamp>().unwrap().into()
    }

    fn weekly(zone: &str) -> Windows {
        Windows::At(Arc::new(Calendar::parse("0 2 * * SUN", zone).unwrap()), Duration::from_secs(3_600))
    }

    #[test]
    fn a_window_is_open_from_its_first_moment_to_the_one_before_its_end() {
        let upgrade = weekly("UTC");
        let window = Window { from: at("2026-11-29T02:00:00Z"), until: at("2026-11-29T03:00:00Z") };
        assert_eq!(upgrade.open_at(at("2026-11-29T01:59:59.999Z")), None);
        assert_eq!(upgrade.open_at(at("2026-11-29T02:00:00Z")), Some(window));
        assert_eq!(upgrade.open_at(at("2026-11-29T02:59:59.999Z")), Some(window));
        assert_eq!(upgrade.open_at(at("2026-11-29T03:00:00Z")), None);
        assert_eq!(upgrade.next_after(at("2026-11-25T00:00:00Z")), Some(window));

        let once = Windows::Once(window);
        assert_eq!(once.open_at(window.from), Some(window));
        assert_eq!(once.open_at(window.until), None);
        assert_eq!(
            (once.next_after(window.from), once.next_after(window.from - Duration::from_millis(1))),
            (None, Some(window))
        );
    }

    #[test]
    fn a_window_that_clocks_going_forward_would_skip_begins_at_the_next_moment_there_is() {
        // In Berlin, 2026-03-29 has no 02:00; it is 03:00 local then, 01:00 UTC.
        let window = weekly("Europe/Berlin").next_after(at("2026-03-28T12:00:00Z")).unwrap();
        assert_eq!((window.from, window.until), (at("2026-03-29T01:00:00Z"), at("2026-03-29T02:00:00Z")));
    }

    #[test]
    fn of_windows_that_overlap_the_one_that_began_first_is_said() {
        let often =
            Windows::At(Arc::new(Calendar::parse("0,30 2 * * *", "UTC").unwrap()), Duration::from_secs(3_600));
        let open = |text: &str| often.open_at(at(text)).map(|window| window.until);
        assert_eq!(open("2026-11-29T02:45:00Z"), Some(at("2026-11-29T03:00:00Z")));
        // Asked again at its end, the other one is still open.
        assert_eq!(open("2026-11-29T03:00:00Z"), Some(at("2026-11-29T03:30:00Z")));
        assert_eq!(open("2026-11-29T03:30:00Z"), None);
        assert!(!often.run_together(100));
        let always = Windows::At(Arc::new(Calendar::parse("@hourly", "UTC").unwrap()), Duration::from_secs(3_600));
        assert!(always.run_together(2_000));
    }
}
