//! `heartbeat`: a job that calls us.

use std::time::Duration;

use super::Around;
use crate::config::problem::Place;
use crate::config::reader::{Entry, Reader};
use crate::config::text::{Template, Values, as_it_is};
use crate::config::words::seconds;
use crate::model::token::{LONGEST, SHORTEST};
use crate::model::{HeartbeatTarget, Token};

pub(in crate::config) const KEYS: &[&str] = &["token", "grace"];

const EXAMPLE: &str = "write `heartbeat: {token: \"${env:BACKUP_TOKEN}\", grace: 5m}`";
/// How late a call may come, unless the config says otherwise.
const GRACE: Duration = seconds(300);

/// A job whose labels are still open.
pub(in crate::config) struct HeartbeatShape {
    token: Template,
    grace: Duration,
}

pub(super) fn read(reader: &mut Reader<'_>, entry: Entry<'_>, around: &mut Around<'_>) -> Option<HeartbeatShape> {
    let table = reader.table(entry, KEYS, EXAMPLE)?;
    let token = reader.need(&table, "token", EXAMPLE).and_then(|entry| reader.template(entry, around.given));
    let grace = match table.get("grace") {
        Some(entry) => reader.duration(entry, seconds(1), seconds(7 * 86_400)),
        None => Some(GRACE),
    };
    if let Some(token) = token.as_ref().filter(|_| around.given.all) {
        self::token(reader, &token.fill(&around.given.labels, as_it_is), token.place);
    }
    Some(HeartbeatShape { token: token?, grace: grace? })
}

/// The token that this text is. It is secret wherever it was written.
pub(in crate::config) fn token(reader: &mut Reader<'_>, text: &str, place: Place) -> Option<Token> {
    if !text.is_empty() {
        reader.hide(text);
    }
    let token = Token::parse(text);
    if token.is_none() {
        let fault = format!("this is no token of {SHORTEST} to {LONGEST} letters, digits, `-` and `_`");
        reader.fault(place, fault, "take one that nobody can guess: `uuidgen` makes one");
    }
    token
}

impl HeartbeatShape {
    /// The job for these labels.
    pub(super) fn fill(&self, reader: &mut Reader<'_>, values: &Values<'_>) -> Option<HeartbeatTarget> {
        let token = token(reader, &self.token.fill(values, as_it_is), self.token.place)?;
        Some(HeartbeatTarget { token, grace: self.grace })
    }
}
