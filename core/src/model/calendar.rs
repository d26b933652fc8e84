//! Calendars: cron expressions in a time zone.
//!
//! `fields` reads an expression as crontab(5) has it. The crate `cron` then says which civil times match; it is
//! fed local time as if that were UTC, because its own idea of a clock change is not ours. jiff turns the civil
//! time into a moment, by two rules: a local time that does not exist (clocks go forward) is the next moment that
//! does, and one that exists twice (clocks go back) is the first of the two. Both keep the order of civil times,
//! so the times of a calendar never go back. An expression that holds in every hour, like `*/5 * * * *`, names no
//! hour that could be missed or doubled: it just goes on, as cron(8) does, and is not silent for the repeated hour.

mod fields;
#[cfg(test)]
mod tests;

use std::time::Duration;

use chrono::{Datelike, NaiveDate, NaiveDateTime, Timelike};
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};

use super::unit::Timestamp;

/// The times of a cron expression in a time zone.
#[derive(Clone, Debug)]
pub struct Calendar {
    source: String,
    zone: TimeZone,
    /// One schedule, or two of which either suffices: crontab(5)'s rule for days of the month and of the week.
    schedules: Vec<cron::Schedule>,
    /// Whether no hour is named, so that the clock's changes do not matter.
    every_hour: bool,
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

/// The first and the last year that a calendar knows.
const YEARS: std::ops::RangeInclusive<u32> = 1970..=2099;

/// From when on, and for how long, pauses are looked for: 2025-01-01, and a leap year.
const LOOK_FROM: Timestamp = Timestamp::from_millis(1_735_689_600_000);
const YEAR: Duration = Duration::from_secs(366 * 86_400);

/// How many civil times are tried for one moment. Two suffice; the bound is there so that no zone can loop us.
const TRIES: usize = 16;

impl Calendar {
    /// Reads a cron expression of 5, 6 (seconds first) or 7 (year last) fields, as crontab(5) has them, or one of
    /// `@hourly`, `@daily`, `@midnight`, `@weekly`, `@monthly`, `@yearly`, `@annually`; and a time zone's IANA name.
    ///
    /// # Errors
    /// When the expression is not one, never comes about, or the zone is not known.
    pub fn parse(expression: &str, zone: &str) -> Result<Self, CalendarFault> {
        let mut schedules = Vec::new();
        let translated = fields::translate(expression)?;
        let every_hour = translated.iter().all(|text| fields::has_every_hour(text));
        for text in translated {
            // What `fields` writes is lists of numbers in range, which the crate cannot refuse.
            let schedule = text.parse().map_err(|error| CalendarFault {
                fault: format!("`{expression}` is no cron expression: {error}"),
                remedy: "write it like */5 8-18 * * MON-FRI".into(),
            })?;
            schedules.push(schedule);
        }
        let zone = find_zone(zone)?;
        let calendar = Self { source: expression.into(), zone, schedules, every_hour };
        if calendar.civil_after(DateTime::constant(1969, 12, 31, 23, 59, 59, 0)).is_none() {
            return Err(CalendarFault {
                fault: format!("`{expression}` never comes about: no month has such a day"),
                remedy: "check the day of the month against the month".into(),
            });
        }
        Ok(calendar)
    }

    /// The expression as it was written.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The first time after `now`; `None` when there is none any more, or none before the year 2100.
    #[must_use]
    pub fn next_after(&self, now: Timestamp) -> Option<Timestamp> {
        let moment = jiff::Timestamp::from_millisecond(now.as_millis().max(-1)).ok()?;
        if self.every_hour {
            return self.going_on_after(moment).map(Timestamp::from);
        }
        let mut civil = self.civil_at(moment);
        for _ in 0..TRIES {
            civil = self.civil_after(civil)?;
            let next = Timestamp::from(self.moment_of(civil)?);
            if next > now {
                return Some(next);
            }
        }
        None
    }

    /// The longest pause between two of its times, as far as a year from the beginning of 2025 and 2,000 times show it.
    #[must_use]
    pub fn longest_pause(&self) -> Duration {
        let (mut last, mut longest) = (LOOK_FROM, Duration::ZERO);
        for turn in 0..2_000 {
            let Some(next) = self.next_after(last).filter(|_| last.since(LOOK_FROM) < YEAR) else { break };
            if turn > 0 {
                longest = longest.max(next.since(last));
            }
            last = next;
        }
        longest
    }

    /// The next time as if the clock never changed, and where it does before that, as if it had always been so.
    fn going_on_after(&self, moment: jiff::Timestamp) -> Option<jiff::Timestamp> {
        let mut from = moment;
        let mut offset = self.zone.to_offset(from);
        let mut civil = offset.to_datetime(from);
        for _ in 0..TRIES {
            let next = offset.to_timestamp(self.civil_after(civil)?).ok()?;
            match self.change_after(from) {
                Some(change) if next >= change => from = change,
                _ => return Some(next),
            }
            offset = self.zone.to_offset(from);
            civil = offset.to_datetime(from).saturating_sub(jiff::SignedDuration::from_secs(1));
        }
        None
    }

    /// The local time after which to look for what comes after `moment`. When the clock shows a time for the
    /// second time, that is the end of what is shown twice: all of it had its turn the first time.
    fn civil_at(&self, moment: jiff::Timestamp) -> DateTime {
        let civil = self.zone.to_datetime(moment);
        let offset = self.zone.to_offset(moment);
        if let AmbiguousOffset::Fold { before, after } = self.zone.to_ambiguous_timestamp(civil).offset()
            && offset == after
            && let Some(change) = before.to_timestamp(civil).ok().and_then(|first| self.change_after(first))
        {
            // The change itself is shown as the end of the fold by the old offset; look from just before it.
            return before.to_datetime(change).saturating_sub(jiff::SignedDuration::from_secs(1));
        }
        civil
    }

    /// When the clock shows this local time; for the first time, or at the next moment if it never does.
    fn moment_of(&self, civil: DateTime) -> Option<jiff::Timestamp> {
        let at = |offset: Offset| offset.to_timestamp(civil).ok();
        match self.zone.to_ambiguous_timestamp(civil).offset() {
            AmbiguousOffset::Unambiguous { offset } => at(offset),
            AmbiguousOffset::Fold { before, .. } => at(before),
            // Read with the offset of after the change, a time in the gap lies before the change.
            AmbiguousOffset::Gap { after, .. } => self.change_after(at(after)?),
        }
    }

    /// When the zone's offset next changes.
    fn change_after(&self, moment: jiff::Timestamp) -> Option<jiff::Timestamp> {
        self.zone.following(moment).next().map(|change| change.timestamp())
    }

    /// The first matching local time after this one, whether or not the clock ever shows it.
    fn civil_after(&self, civil: DateTime) -> Option<DateTime> {
        let after = to_chrono(civil)?.and_utc();
        let next = self.schedules.iter().filter_map(|schedule| schedule.after(&after).next()).min()?;
        from_chrono(next.naive_utc())
    }
}

fn to_chrono(civil: DateTime) -> Option<NaiveDateTime> {
    let (date, time) = (civil.date(), civil.time());
    let part = |number: i8| u32::try_from(number).ok();
    NaiveDate::from_ymd_opt(date.year().into(), part(date.month())?, part(date.day())?)?.and_hms_opt(
        part(time.hour())?,
        part(time.minute())?,
        part(time.second())?,
    )
}

fn from_chrono(civil: NaiveDateTime) -> Option<DateTime> {
    let year = u32::try_from(civil.year()).ok().filter(|year| YEARS.contains(year))?;
    let part = |number: u32| i8::try_from(number).ok();
    let date = Date::new(i16::try_from(year).ok()?, part(civil.month())?, part(civil.day())?).ok()?;
    let time = Time::new(part(civil.hour())?, part(civil.minute())?, part(civil.second())?, 0).ok()?;
    Some(date.to_datetime(time))
}

fn find_zone(name: &str) -> Result<TimeZone, CalendarFault> {
    if let Ok(zone) = TimeZone::get(name) {
        return Ok(zone);
    }
    let wanted = name.to_ascii_lowercase().replace(' ', "_");
    let distance = |known: &str| {
        let known = known.to_ascii_lowercase();
        let city = known.rsplit('/').next().unwrap_or(&known);
        strsim::damerau_levenshtein(&known, &wanted).min(strsim::damerau_levenshtein(city, &wanted))
    };
    let known = jiff::tz::db().available().map(|known| known.as_str().to_owned());
    let nearest = known.map(|known| (distance(&known), known)).min();
    Err(CalendarFault {
        fault: format!("`{name}` is no time zone"),
        remedy: match nearest {
            Some((distance, known)) if distance <= 1 + wanted.len() / 5 => format!("did you mean `{known}`?"),
            _ => "write an IANA name like Europe/Berlin or UTC".into(),
        },
    })
}
