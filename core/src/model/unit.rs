//! Moments, durations and ratios: how they are written, kept and shown.

use std::fmt;
use std::time::Duration;

/// A moment of wall-clock time in milliseconds since 1970-01-01T00:00:00Z.
///
/// The engine knows no other clock; arithmetic saturates, so no input can overflow it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The moment that is `millis` milliseconds after the epoch.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// The time from `earlier` to this moment; zero if `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// This moment as jiff writes it; the epoch where jiff cannot hold it.
    #[must_use]
    pub fn to_jiff(self) -> jiff::Timestamp {
        jiff::Timestamp::from_millisecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }

    /// `2025-02-11 15:41:07 UTC`, to the second: how people are shown a moment.
    #[must_use]
    pub fn show(self) -> String {
        self.to_jiff().strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
    }

    /// `15:41:07`, for lines that stand under a date.
    #[must_use]
    pub fn show_clock(self) -> String {
        self.to_jiff().strftime("%H:%M:%S").to_string()
    }
}

impl From<jiff::Timestamp> for Timestamp {
    fn from(moment: jiff::Timestamp) -> Self {
        Self(moment.as_millisecond())
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

impl std::ops::Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(millis(duration)))
    }
}

impl std::ops::Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(millis(duration)))
    }
}

/// RFC 3339 with milliseconds.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.to_jiff())
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why a text is no duration or ratio, with what would be one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{fault}")]
pub struct UnitFault {
    /// What is wrong with the text.
    pub fault: String,
    /// What to write instead.
    pub remedy: String,
}

const UNITS: [(&str, u64); 5] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

/// Reads `20s`, `2m`, `1h30m`, `250ms` or `14d`: whole numbers, each with its unit, largest first.
///
/// # Errors
/// When the text is empty, a number has no unit, a unit is unknown or out of order, or the sum is above 10 years.
pub fn parse_duration(text: &str) -> Result<Duration, UnitFault> {
    let fault = |fault: String| UnitFault { fault, remedy: "write it like 20s, 2m, 1h30m or 250ms".into() };
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(fault("a duration is missing".into()));
    }
    let mut total: u64 = 0;
    let mut last_size = u64::MAX;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (number, tail) = rest.split_at(digits);
        let letters = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        let count: u64 = number.parse().map_err(|_| fault(format!("`{text}` is no duration")))?;
        if unit.is_empty() {
            return Err(fault(format!("`{text}` has no unit")));
        }
        let Some(&(_, size)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            return Err(fault(format!("`{unit}` is no unit of time")));
        };
        if size >= last_size {
            return Err(fault(format!("the units of `{text}` are not in order")));
        }
        last_size = size;
        total = total.saturating_add(count.saturating_mul(size));
        rest = tail;
    }
    if total > 10 * 365 * 86_400_000 {
        return Err(fault(format!("`{text}` is longer than ten years")));
    }
    Ok(Duration::from_millis(total))
}

/// Writes a duration as [`parse_duration`] reads it, to the millisecond: `1h30m`, `0s`.
#[must_use]
pub fn show_duration(duration: Duration) -> String {
    let mut rest = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let mut text = String::new();
    for (unit, size) in UNITS.iter().rev() {
        let count = rest / size;
        if count > 0 {
            text.push_str(&format!("{count}{unit}"));
            rest %= size;
        }
    }
    if text.is_empty() { "0s".into() } else { text }
}

/// Writes a duration for a person: to the second from one second on, to the minute from ten hours on.
#[must_use]
pub fn show_about(duration: Duration) -> String {
    let millis = duration.as_millis();
    let unit = match millis {
        0..1_000 => 1,
        1_000..36_000_000 => 1_000,
        _ => 60_000,
    };
    let rounded = (millis + unit / 2) / unit * unit;
    show_duration(Duration::from_millis(u64::try_from(rounded).unwrap_or(u64::MAX)))
}

/// Writes a share for a person, with two digits that count: `0.1%`, `0.25%`, `12%`.
#[must_use]
pub fn show_share(share: f64) -> String {
    let percent = share * 100.0;
    let places = if percent >= 10.0 {
        0
    } else if percent >= 1.0 {
        1
    } else {
        2
    };
    let text = format!("{percent:.places$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text}%")
}

/// A share between 0 and 1, kept in parts per million so that comparing is exact.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Ratio(u32);

impl Ratio {
    /// One whole.
    pub const ONE: Self = Self(1_000_000);

    /// A ratio of so many parts per million; more than a million is one whole.
    #[must_use]
    pub const fn from_ppm(ppm: u32) -> Self {
        if ppm > 1_000_000 { Self::ONE } else { Self(ppm) }
    }

    /// A ratio of so many percent.
    #[must_use]
    pub const fn from_percent(percent: u32) -> Self {
        Self::from_ppm(percent.saturating_mul(10_000))
    }

    /// The nearest ratio to this share.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and a million")]
    pub fn from_share(share: f64) -> Self {
        Self((share.clamp(0.0, 1.0) * 1e6).round() as u32)
    }

    /// Parts per million.
    #[must_use]
    pub const fn ppm(self) -> u32 {
        self.0
    }

    /// Whether `part` of `whole` is more than this ratio. Nothing of nothing is not.
    #[must_use]
    pub fn is_exceeded_by(self, part: u64, whole: u64) -> bool {
        u128::from(part) * 1_000_000 > u128::from(self.0) * u128::from(whole)
    }

    /// Whether `part` of `whole` is less than this ratio. Nothing of nothing is not: nobody looked.
    #[must_use]
    pub fn is_above(self, part: u64, whole: u64) -> bool {
        u128::from(part) * 1_000_000 < u128::from(self.0) * u128::from(whole)
    }

    /// Reads `5%` or `0.1%`.
    ///
    /// # Errors
    /// When the text is no number with a percent sign, or not between 0% and 100%.
    pub fn parse(text: &str) -> Result<Self, UnitFault> {
        let fault = |fault: String| UnitFault { fault, remedy: "write it like 5% or 0.1%".into() };
        let Some(number) = text.trim().strip_suffix('%') else {
            return Err(fault(format!("`{text}` is no ratio: it has no percent sign")));
        };
        let percent: f64 = number.trim().parse().map_err(|_| fault(format!("`{text}` is no ratio")))?;
        if !(0.0..=100.0).contains(&percent) {
            return Err(fault(format!("`{text}` is not between 0% and 100%")));
        }
        // In range: 100 * 10,000 fits.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        Ok(Self((percent * 10_000.0).round() as u32))
    }
}

/// As it is written: `5%`, `0.1%`.
impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", f64::from(self.0) / 10_000.0)
    }
}

impl fmt::Debug for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
