//! `retry`: when a failed check is retried at once.

use std::time::Duration;

use super::problem::nearest;
use super::reader::{Entry, Reader};
use super::words::seconds;
use crate::config::raw::keyed::keyed;
use crate::model::{self, FailureClass};

keyed! {
    /// When a failed check is retried at once, because it may be our own network. What is not said is as in `defaults`.
    pub struct Retry {
        /// How many tries may follow the first, 0 to 5; 0: none. Default: 1.
        #[schemars(range(max = 5))]
        pub times: Option<u8>,
        /// The pause before each, up to 1m. Default: 2s.
        pub after: Option<String>,
        /// Which failures: some of `dns`, `connect`, `tls`, `timeout`. Default: all four.
        #[schemars(length(min = 1))]
        pub on: Option<Vec<String>>,
    }
}

/// More tries than this would hide an outage rather than a blip.
const MOST_TIMES: u64 = 5;
const LONGEST_AFTER: Duration = seconds(60);

/// What is not said is as in `default`.
pub(super) fn read(reader: &mut Reader<'_>, entry: Entry<'_>, default: &model::Retry) -> Option<model::Retry> {
    let table = reader.table(entry, Retry::KEYS, "write `retry: {times: 1, after: 2s}`")?;
    let times = match table.get("times") {
        Some(entry) => reader.whole(entry, 0, MOST_TIMES).and_then(|times| u32::try_from(times).ok()),
        None => Some(default.times),
    };
    let after = match table.get("after") {
        Some(entry) => reader.duration(entry, Duration::ZERO, LONGEST_AFTER),
        None => Some(default.after),
    };
    let on = match table.get("on") {
        Some(entry) => {
            let items = reader.list(entry, "name failure classes, or write `times: 0` for no retries")?;
            let count = items.len();
            let classes: Vec<FailureClass> = items.into_iter().filter_map(|item| class(reader, item)).collect();
            (classes.len() == count).then(|| classes.into_iter().collect())
        }
        None => Some(default.on.clone()),
    };
    Some(model::Retry { times: times?, after: after?, on: on? })
}

fn class(reader: &mut Reader<'_>, entry: Entry<'_>) -> Option<FailureClass> {
    let text = reader.word(entry)?;
    match FailureClass::from_name(&text.value) {
        Some(class) if class.is_network() => Some(class),
        Some(class) => {
            let fault = format!("`{class}` is an answer of the service, which is believed the first time");
            reader.fault(text.place, fault, "name some of `dns`, `connect`, `tls` and `timeout`");
            None
        }
        None => {
            let names = FailureClass::NETWORK.iter().map(|class| class.as_str());
            let remedy = nearest(&text.value, names, "it is one of");
            reader.fault(text.place, format!("there is no failure class `{}`", text.show()), remedy);
            None
        }
    }
}
