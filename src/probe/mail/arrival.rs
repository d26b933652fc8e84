//! Waiting for a mail that matches, in an open mailbox. Whoever waits for mail waits here.

use std::time::Duration;

use tokio::time::Instant;

use crate::model::FailureClass;
use crate::probe::broken::Broken;
use crate::probe::imap::{ImapSession, quote};
use crate::probe::question::Seen;
use crate::probe::wire::mail::{self as wire_mail, Mail};

/// The longest time between two looks: not every server tells of every mail.
const LOOK_INTERVAL: Duration = Duration::from_secs(5);
/// The same where the server tells of nothing by itself.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// Which mail is waited for: all that is said here must be in it, in any case of letters.
#[derive(Clone, Debug, Default)]
pub(in crate::probe) struct Wanted {
    /// In its subject; ASCII.
    pub(in crate::probe) subject: Option<String>,
    /// In its From header; ASCII.
    pub(in crate::probe) from: Option<String>,
    /// In its To header; ASCII.
    pub(in crate::probe) to: Option<String>,
}

impl Wanted {
    fn criteria(&self) -> String {
        let parts = [("SUBJECT", &self.subject), ("FROM", &self.from), ("TO", &self.to)];
        let given = parts.into_iter().filter_map(|(key, value)| Some(format!(" {key} {}", quote(value.as_ref()?))));
        format!("UNDELETED{}", given.collect::<String>())
    }
}

/// A mail that has arrived.
pub(in crate::probe) struct Arrival {
    /// Its whole size in bytes.
    pub(in crate::probe) size: u64,
    /// What its beginning says.
    pub(in crate::probe) mail: Mail,
}

/// The numbers of the mails that match, as soon as there is one; none when there was none until then.
pub(in crate::probe) async fn wait(
    session: &mut ImapSession,
    wanted: &Wanted,
    until: Instant,
    seen: &mut Seen,
) -> Result<Vec<u32>, Broken> {
    let pause = if session.can("IDLE") { LOOK_INTERVAL } else { POLL_INTERVAL };
    loop {
        let found = session.search(&wanted.criteria(), seen).await?;
        let left = until.saturating_duration_since(Instant::now());
        if !found.is_empty() || left.is_zero() {
            return Ok(found);
        }
        session.idle(left.min(pause), seen).await?;
    }
}

/// Reads the newest of these mails and deletes all of them, so that none is taken for a later one.
pub(in crate::probe) async fn take(
    session: &mut ImapSession,
    uids: Vec<u32>,
    seen: &mut Seen,
) -> Result<Arrival, Broken> {
    let Some(newest) = uids.last() else { return Err(Broken::internal("there is no mail to take")) };
    let (size, bytes) = session.fetch(*newest, seen).await?;
    session.delete(&uids, seen).await?;
    let Some(mail) = wire_mail::read(&bytes) else {
        return Err(Broken::failed(FailureClass::Corrupt, "the mail that arrived has no headers"));
    };
    Ok(Arrival { size, mail })
}
