//! The only `now()`: wall-clock time, read here and handed on as an argument everywhere else.

use crate::model::Timestamp;

/// This moment.
#[must_use]
pub fn now() -> Timestamp {
    Timestamp::from(jiff::Timestamp::now())
}
