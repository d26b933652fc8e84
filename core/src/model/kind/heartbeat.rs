//! The heartbeat kind: they call us.

use std::time::Duration;

use super::Target;
use crate::model::Token;

/// A heartbeat has no answer that expectations could look at.
pub const VARIABLES: &[&str] = &[];

/// A job that calls `/ping/TOKEN` when it is done, by the cadence of its probe.
#[derive(Clone, Debug)]
pub struct HeartbeatTarget {
    /// What the job is known by.
    pub token: Token,
    /// How much later than expected a call may come, and how long a run may take that has said that it started.
    pub grace: Duration,
}

impl Target for HeartbeatTarget {
    fn name(&self) -> &'static str {
        "heartbeat"
    }

    fn host(&self) -> &str {
        "localhost"
    }

    fn request(&self) -> String {
        "a call of /ping/TOKEN".into()
    }

    fn heartbeat(&self) -> Option<&HeartbeatTarget> {
        Some(self)
    }
}

/// What a job says when it calls.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ping {
    /// It starts.
    Start,
    /// It has ended well.
    Well,
    /// It has ended badly, with this exit code where it gave one.
    Bad(Option<u8>),
}

impl Ping {
    /// What stands behind the token in the URL: `start`, `fail` or an exit code; `None`: none of these.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Some(match (word, word.parse::<u8>()) {
            ("start", _) => Self::Start,
            ("fail", _) => Self::Bad(None),
            (_, Ok(0)) => Self::Well,
            (_, Ok(code)) => Self::Bad(Some(code)),
            _ => return None,
        })
    }
}
