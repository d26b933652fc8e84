//! What a call, or silence, comes to: when it began, how it ended, and what is wrong.

use std::time::Duration;

use super::Heard;
use crate::model::unit::show_duration;
use crate::model::{FailureClass, Outcome, Timestamp};

/// What a call, or silence, comes to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Told {
    /// When it began.
    pub started: Timestamp,
    /// What it came to.
    pub outcome: Outcome,
    /// The exit code, where one was given.
    pub status: Option<u16>,
    /// What is wrong, where something is.
    pub fault: Option<String>,
}

impl Heard {
    /// What it comes to that this was heard `at` this moment, of a job with this grace.
    #[must_use]
    pub fn told(self, grace: Duration, at: Timestamp) -> Told {
        let failed = |started, class, status, fault| Told {
            started,
            outcome: Outcome::Failure(class),
            status,
            fault: Some(fault),
        };
        let grace = show_duration(grace);
        match self {
            Self::Well { started } => Told { started, outcome: Outcome::Success, status: None, fault: None },
            Self::Bad { started, code } => {
                let after = after(at.since(started));
                let fault = match code {
                    Some(code) => format!("the job ended with exit code {code}{after}"),
                    None => format!("the job said that it failed{after}"),
                };
                failed(started, FailureClass::ServerError, code.map(u16::from), fault)
            }
            Self::Stuck { started } => {
                let fault = format!("the job started at {} and did not end within {grace}", started.show());
                failed(started, FailureClass::Timeout, None, fault)
            }
            Self::Missing { expected } => {
                let fault =
                    format!("no call came: one was expected at {}, and {grace} later at most", expected.show());
                failed(at, FailureClass::Missing, None, fault)
            }
        }
    }
}

fn after(took: Duration) -> String {
    if took.is_zero() { String::new() } else { format!(", after {}", show_duration(took)) }
}
