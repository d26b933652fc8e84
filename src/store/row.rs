//! How the words are written into rows: numbers that are promises, and JSON where a row is rare.

mod breach;
mod code;
mod event;
mod finding;
mod heard;
mod message;
mod names;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::time::Duration;

pub(super) use code::{
    action_code, action_of_code, asked_code, asked_of_code, kind_code, kind_of_code, outcome_code, result_code,
    result_of_code, severity_code, severity_of_code, state_code, state_of_code,
};
pub(super) use event::EventRow;
pub(super) use finding::{finding_json, finding_of_json};
pub(super) use message::MessageRow;

use super::error::StoreError;
use crate::model::{Judged, Timestamp};

/// Whole microseconds, as phases are stored.
pub(super) fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// A phase as it was stored.
pub(super) fn of_micros(micros: i64) -> Result<Duration, StoreError> {
    u64::try_from(micros)
        .map(Duration::from_micros)
        .map_err(|_| StoreError::unreadable("a result", format!("a phase took {micros} microseconds")))
}

/// Whole seconds since the epoch, as certificates name their end.
pub(super) fn seconds(moment: Timestamp) -> i64 {
    moment.as_millis().div_euclid(1_000)
}

/// A moment that was stored to the second.
pub(super) fn of_seconds(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds.saturating_mul(1_000))
}

/// How long after its end a result was judged, in milliseconds; less than nothing where the clock was set back between.
pub(super) fn judged_after(judged: &Judged) -> i64 {
    judged.at.as_millis().saturating_sub(judged.result.finished().as_millis())
}

/// When a result that ended then was judged.
pub(super) fn judged_at(ended: Timestamp, after: i64) -> Timestamp {
    Timestamp::from_millis(ended.as_millis().saturating_add(after))
}

/// The minute of a moment, counted from the epoch.
pub(super) fn minute(moment: Timestamp) -> i64 {
    moment.as_millis().div_euclid(60_000)
}

/// The sixteen bytes of an id.
pub(super) fn id_bytes(bytes: &[u8]) -> Result<[u8; 16], StoreError> {
    bytes.try_into().map_err(|_| StoreError::unreadable("an id", format!("it has {} bytes", bytes.len())))
}

/// Headers in their order.
pub(super) fn headers_json(headers: &[(String, String)]) -> Result<String, StoreError> {
    to_json(&headers)
}

/// Headers as they were stored.
pub(super) fn headers_of_json(json: &str) -> Result<Vec<(String, String)>, StoreError> {
    of_json("the headers of an evidence row", json)
}

/// Redirects in their order.
pub(super) fn redirects_json(redirects: &[String]) -> Result<String, StoreError> {
    to_json(&redirects)
}

/// Redirects as they were stored.
pub(super) fn redirects_of_json(json: &str) -> Result<Vec<String>, StoreError> {
    of_json("the redirects of an evidence row", json)
}

/// What an action is about, unless that is its incident alone.
pub(super) fn parts_json(parts: &BTreeSet<String>) -> Result<Option<String>, StoreError> {
    (!parts.is_empty()).then(|| to_json(parts)).transpose()
}

/// The same as it was stored.
pub(super) fn parts_of_json(json: Option<&str>) -> Result<BTreeSet<String>, StoreError> {
    json.map_or_else(|| Ok(BTreeSet::new()), |json| of_json("the parts of an action", json))
}

fn to_json(value: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Conflict(format!("no JSON of it: {error}")))
}

fn of_json<T: serde::de::DeserializeOwned>(row: &str, json: &str) -> Result<T, StoreError> {
    serde_json::from_str(json).map_err(|error| StoreError::unreadable(row, error))
}
