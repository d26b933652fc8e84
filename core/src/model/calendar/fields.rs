//! The fields of a cron expression, from crontab(5)'s words to the lists of numbers that the crate `cron` reads.
//!
//! Every field is worked out here to the numbers that it means, because the crate differs from crontab(5) in what
//! it calls a Sunday (1), in how many fields it wants (6 or 7), and in taking days of the month and days of the
//! week together; and because its faults cannot be shown to people.

use std::collections::BTreeSet;

use super::{CalendarFault, YEARS};

/// One field: what it is called, what it may hold, and names for some of its numbers.
struct Field {
    name: &'static str,
    least: u32,
    most: u32,
    /// The first is `least`, and so on.
    names: &'static [&'static str],
}

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const DAYS: [&str; 7] = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];

const SECOND: Field = Field { name: "second", least: 0, most: 59, names: &[] };
const MINUTE: Field = Field { name: "minute", least: 0, most: 59, names: &[] };
const HOUR: Field = Field { name: "hour", least: 0, most: 23, names: &[] };
const DAY: Field = Field { name: "day of the month", least: 1, most: 31, names: &[] };
const MONTH: Field = Field { name: "month", least: 1, most: 12, names: &MONTHS };
// Sunday is 0 and 7.
const WEEKDAY: Field = Field { name: "day of the week", least: 0, most: 7, names: &DAYS };
const YEAR: Field = Field { name: "year", least: *YEARS.start(), most: *YEARS.end(), names: &[] };

/// The short forms of crontab(5).
const SHORT: [(&str, &str); 7] = [
    ("@hourly", "0 * * * *"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@weekly", "0 0 * * 0"),
    ("@monthly", "0 0 1 * *"),
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
];

/// More than any sensible expression has; all seconds written out are 169.
const LONGEST_FIELD: usize = 1_000;

/// Translates an expression into one or two of the crate's, of which either suffices.
pub(super) fn translate(expression: &str) -> Result<Vec<String>, CalendarFault> {
    let written = expression.trim();
    if written.len() > LONGEST_FIELD {
        return Err(fault(
            format!("the cron expression is longer than {LONGEST_FIELD} characters"),
            "use ranges and steps",
        ));
    }
    let written = if written.starts_with('@') { expand(written)? } else { written };
    let parts: Vec<&str> = written.split_whitespace().collect();
    let (second, minute, hour, day, month, weekday, year) = match parts[..] {
        [minute, hour, day, month, weekday] => ("0", minute, hour, day, month, weekday, "*"),
        [second, minute, hour, day, month, weekday] => (second, minute, hour, day, month, weekday, "*"),
        [second, minute, hour, day, month, weekday, year] => (second, minute, hour, day, month, weekday, year),
        _ => {
            return Err(fault(
                format!("`{expression}` has {} fields", parts.len()),
                "write 5 fields (minute hour day month weekday), 6 (second first) or 7 (year last)",
            ));
        }
    };
    // A question mark is how Quartz writes an asterisk in these two fields.
    let [day, weekday] = [day, weekday].map(|written| if written == "?" { "*" } else { written });

    let clock = [SECOND.read(second)?, MINUTE.read(minute)?, HOUR.read(hour)?].map(|set| list(&set)).join(" ");
    let days = list(&DAY.read(day)?);
    let month = list(&MONTH.read(month)?);
    // The crate counts Sunday as 1.
    let weekdays: BTreeSet<u32> = WEEKDAY.read(weekday)?.into_iter().map(|number| number % 7 + 1).collect();
    let weekdays = list(&weekdays);
    let year = list(&YEAR.read(year)?);

    let together = |days: &str, weekdays: &str| format!("{clock} {days} {month} {weekdays} {year}");
    // crontab(5): when neither field starts with an asterisk, a day that one of them names suffices.
    if day.starts_with('*') || weekday.starts_with('*') {
        return Ok(vec![together(&days, &weekdays)]);
    }
    Ok(vec![together(&days, "*"), together("*", &weekdays)])
}

fn expand(written: &str) -> Result<&'static str, CalendarFault> {
    let known = SHORT.iter().find(|(name, _)| name.eq_ignore_ascii_case(written));
    known.map(|(_, meaning)| *meaning).ok_or_else(|| {
        fault(
            format!("`{written}` is no cron expression"),
            "write @hourly, @daily, @weekly, @monthly, @yearly or 5 fields",
        )
    })
}

/// The numbers as the crate reads them.
/// Whether a translated expression holds in all 24 hours.
pub(super) fn has_every_hour(translated: &str) -> bool {
    translated.split(' ').nth(2).is_some_and(|hours| hours.split(',').count() == 24)
}

fn list(numbers: &BTreeSet<u32>) -> String {
    let texts: Vec<String> = numbers.iter().map(u32::to_string).collect();
    texts.join(",")
}

fn fault(fault: String, remedy: &str) -> CalendarFault {
    CalendarFault { fault, remedy: remedy.into() }
}

impl Field {
    /// The numbers that a list of items means.
    fn read(&self, written: &str) -> Result<BTreeSet<u32>, CalendarFault> {
        let mut numbers = BTreeSet::new();
        for item in written.split(',') {
            let (span, step) = match item.split_once('/') {
                Some((span, step)) => (span, Some(self.step(item, step)?)),
                None => (item, None),
            };
            let (first, last) = self.span(item, span, step)?;
            let step = usize::try_from(step.unwrap_or(1)).unwrap_or(usize::MAX);
            numbers.extend((first..=last).step_by(step));
        }
        Ok(numbers)
    }

    fn step(&self, item: &str, step: &str) -> Result<u32, CalendarFault> {
        let number = digits(step).and_then(|step| step.parse().ok()).filter(|step| *step > 0);
        number.ok_or_else(|| self.fault(format!("`{item}` has no step after the slash"), "write a step like */5"))
    }

    fn span(&self, item: &str, span: &str, step: Option<u32>) -> Result<(u32, u32), CalendarFault> {
        if span == "*" {
            return Ok((self.least, self.most));
        }
        let Some((first, last)) = span.split_once('-') else {
            let number = self.number(span)?;
            if let Some(step) = step {
                let remedy = format!("write {number}-{}/{step}", self.most);
                return Err(self.fault(format!("`{item}` has a step but no range"), &remedy));
            }
            return Ok((number, number));
        };
        let (first, mut last) = (self.number(first)?, self.number(last)?);
        // FRI-SUN ends with the Sunday after the Friday.
        if last == 0 && first > 0 && !self.names.is_empty() {
            last = self.most;
        }
        if first > last {
            let remedy = format!("write {first}-{},{}-{last}", self.most, self.least);
            return Err(self.fault(format!("the range `{span}` runs backwards"), &remedy));
        }
        Ok((first, last))
    }

    fn number(&self, text: &str) -> Result<u32, CalendarFault> {
        let range = format!("write a number from {} to {}", self.least, self.most);
        if let Some(digits) = digits(text) {
            let number = digits.parse().ok().filter(|number| (self.least..=self.most).contains(number));
            return number.ok_or_else(|| self.fault(format!("{text} is no {}", self.name), &range));
        }
        let lower = text.to_ascii_lowercase();
        let named =
            self.names.iter().position(|name| lower == *name || (lower.len() == 3 && name.starts_with(&lower)));
        if let Some(number) = named.and_then(|place| u32::try_from(place).ok()) {
            return Ok(self.least + number);
        }
        let remedy = match self.names {
            [] => range,
            [first, ..] => {
                format!("{range}, or a name like {}", first.to_ascii_uppercase().get(..3).unwrap_or(first))
            }
        };
        let missing =
            if text.is_empty() { "a number is missing".to_owned() } else { format!("`{text}` is no {}", self.name) };
        Err(self.fault(missing, &remedy))
    }

    fn fault(&self, text: String, remedy: &str) -> CalendarFault {
        let text =
            if text.contains(self.name) { text } else { format!("{text}, in the field for the {}", self.name) };
        fault(text, remedy)
    }
}

/// The text, if it is digits and nothing else.
fn digits(text: &str) -> Option<&str> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then_some(text)
}
