//! `heartbeat`: a job that calls us.

use std::time::Duration;

use super::{Around, Kind, Open, Reach};
use crate::config::problem::Place;
use crate::config::raw::keyed::keyed;
use crate::config::raw::word::Word;
use crate::config::reader::{Entry, Reader};
use crate::config::text::{Template, Values, as_it_is};
use crate::config::words::seconds;
use crate::model::token::{LONGEST_TOKEN, SHORTEST_TOKEN};
use crate::model::{HeartbeatTarget, ProbeKind, Token, kind};

keyed! {
    /// A job that calls us: `/ping/TOKEN` when it has ended well, by the probe's `interval` or `cron`.
    pub struct Heartbeat {
        /// What the job is known by, of its own: 16 to 128 letters, digits, `-` and `_`. It is secret.
        pub token: Word,
        /// How much later than expected a call may come, and how long a run may take that said that it starts, 1s to 7d.
        /// Default: 5m.
        pub grace: Option<String>,
    }
}

const EXAMPLE: &str = "write `heartbeat: {token: \"${env:BACKUP_TOKEN}\", grace: 5m}`";
/// How late a call may come, unless the config says otherwise.
const GRACE: Duration = seconds(300);

pub(super) const KIND: Kind = Kind { variables: |_| kind::heartbeat::VARIABLES, reach: Reach::Direct, read };

/// A job whose labels are still open.
struct HeartbeatShape {
    token: Template,
    grace: Duration,
}

fn read(reader: &mut Reader<'_>, entry: Entry<'_>, around: &mut Around<'_>) -> Option<Box<dyn Open>> {
    let table = reader.table(entry, Heartbeat::KEYS, EXAMPLE)?;
    let token = reader.need(&table, "token", EXAMPLE).and_then(|entry| reader.template(entry, around.given));
    let grace = match table.get("grace") {
        Some(entry) => reader.duration(entry, seconds(1), seconds(7 * 86_400)),
        None => Some(GRACE),
    };
    if let Some(token) = token.as_ref().filter(|_| around.given.all) {
        self::token(reader, &token.fill(&around.given.labels, as_it_is), token.place);
    }
    Some(Box::new(HeartbeatShape { token: token?, grace: grace? }))
}

/// The token that this text is. It is secret wherever it was written.
pub(in crate::config) fn token(reader: &mut Reader<'_>, text: &str, place: Place) -> Option<Token> {
    if !text.is_empty() {
        reader.hide(text);
    }
    let token = Token::parse(text);
    if token.is_none() {
        let fault = format!("this is no token of {SHORTEST_TOKEN} to {LONGEST_TOKEN} letters, digits, `-` and `_`");
        reader.fault(place, fault, "take one that nobody can guess: `uuidgen` makes one");
    }
    token
}

impl Open for HeartbeatShape {
    fn fill(&self, reader: &mut Reader<'_>, values: &Values<'_>) -> Option<ProbeKind> {
        let token = token(reader, &self.token.fill(values, as_it_is), self.token.place)?;
        Some(ProbeKind::Heartbeat(HeartbeatTarget { token, grace: self.grace }))
    }
}
