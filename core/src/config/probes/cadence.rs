//! `interval`, `timeout` and `cron`: when a probe is asked, and how long it may take.

use std::sync::Arc;
use std::time::Duration;

use crate::config::problem::Place;
use crate::config::reader::{Entry, Reader, Table};
use crate::config::words::seconds;
use crate::model::unit::show_duration;
use crate::model::{Cadence, Calendar};

/// The interval of a probe that is given none.
pub(in crate::config) const INTERVAL: Duration = seconds(30);
/// The timeout of a probe that is given none.
pub(in crate::config) const TIMEOUT: Duration = seconds(10);

/// A value, and where it was set if that is for its reader to judge.
#[derive(Clone, Copy)]
pub(in crate::config) struct Setting {
    pub(in crate::config) value: Duration,
    pub(in crate::config) at: Option<Place>,
}

pub(in crate::config) fn interval(reader: &mut Reader<'_>, entry: Entry<'_>) -> Option<Setting> {
    let value = reader.duration(entry, Duration::from_millis(100), seconds(86_400))?;
    Some(Setting { value, at: Some(entry.node.place) })
}

pub(in crate::config) fn timeout(reader: &mut Reader<'_>, entry: Entry<'_>) -> Option<Setting> {
    let value = reader.duration(entry, Duration::from_millis(10), seconds(86_400))?;
    Some(Setting { value, at: Some(entry.node.place) })
}

/// A check must be over before the next one starts. Two defaults have been compared before.
pub(in crate::config) fn compare(reader: &mut Reader<'_>, interval: Setting, timeout: Setting) {
    let Some(at) = interval.at.or(timeout.at) else { return };
    if interval.value < timeout.value {
        let (interval, timeout) = (show_duration(interval.value), show_duration(timeout.value));
        let fault = format!("the interval of {interval} is shorter than the timeout of {timeout}");
        let remedy = format!("make the timeout at most {interval}, or the interval at least {timeout}");
        reader.fault(at, fault, remedy);
    }
}

/// When a definition is asked, and how long it may take; `usual` is what holds where it does not say.
pub(super) fn cadence(
    reader: &mut Reader<'_>,
    table: &Table<'_>,
    usual: (Setting, Setting),
) -> Option<(Cadence, Duration)> {
    let timeout = match table.get("timeout") {
        Some(entry) => timeout(reader, entry),
        None => Some(usual.1),
    };
    let Some(cron) = table.get("cron") else {
        if let Some(entry) = table.get("timezone") {
            reader.fault(entry.at, "`timezone` means nothing without `cron`", "add `cron`, or remove it");
        }
        let interval = match table.get("interval") {
            Some(entry) => interval(reader, entry),
            None => Some(usual.0),
        };
        compare(reader, interval?, timeout?);
        return Some((Cadence::Every(interval?.value), timeout?.value));
    };
    if let Some(entry) = table.get("interval") {
        reader.fault(entry.at, "both `interval` and `cron` are given", "keep one of them");
    }
    Some((Cadence::At(Arc::new(calendar(reader, cron, table.get("timezone"))?)), timeout?.value))
}

/// The calendar of a `cron` and its `timezone`.
pub(in crate::config) fn calendar(
    reader: &mut Reader<'_>,
    cron: Entry<'_>,
    zone: Option<Entry<'_>>,
) -> Option<Calendar> {
    let zone = zone.map(|entry| reader.text(entry));
    let text = reader.text(cron)?;
    let zone_name = match &zone {
        Some(zone) => zone.as_ref()?.value.as_str(),
        None => "UTC",
    };
    match Calendar::parse(&text.value, zone_name) {
        Ok(calendar) => Some(calendar),
        Err(why) => {
            // If the expression is sound in UTC, it is the zone that is not.
            let zone = zone.flatten().filter(|_| Calendar::parse(&text.value, "UTC").is_ok());
            reader.fault(zone.map_or(text.place, |zone| zone.place), why.fault, why.remedy);
            None
        }
    }
}
