//! The numbers of closed sets. Each is a promise to every database that was ever written: new ones are added, none is
//! changed or used again, and they do not follow the order of the enums.

use crate::model::{
    ActionKind, Asked, CheckResult, FailureClass, IncidentState, NotificationKind, Outcome, Severity, VoidReason,
};
use crate::store::StoreError;

macro_rules! codes {
    ($what:literal, $type:ty, $to:ident, $of:ident,
     $($code:literal => $($name:ident)::+ $(($($inner:ident)::+))?,)+) => {
        /// The number of the value.
        pub(in crate::store) fn $to(value: $type) -> i64 {
            match value {
                $($($name)::+ $(($($inner)::+))? => $code,)+
            }
        }

        /// The value of the number.
        pub(in crate::store) fn $of(code: i64) -> Result<$type, StoreError> {
            match code {
                $($code => Ok($($name)::+ $(($($inner)::+))?),)+
                _ => Err(StoreError::unreadable($what, format!("its code is {code}"))),
            }
        }
    };
}

codes! {
    "the outcome of a result", Outcome, outcome_code, outcome_of_code,
    0 => Outcome::Success,
    1 => Outcome::Failure(FailureClass::NotFound),
    2 => Outcome::Failure(FailureClass::Unauthorized),
    3 => Outcome::Failure(FailureClass::Forbidden),
    4 => Outcome::Failure(FailureClass::RateLimited),
    5 => Outcome::Failure(FailureClass::ClientError),
    6 => Outcome::Failure(FailureClass::ServerError),
    7 => Outcome::Failure(FailureClass::Redirect),
    8 => Outcome::Failure(FailureClass::Dns),
    9 => Outcome::Failure(FailureClass::Connect),
    10 => Outcome::Failure(FailureClass::Tls),
    11 => Outcome::Failure(FailureClass::Timeout),
    12 => Outcome::Failure(FailureClass::Protocol),
    13 => Outcome::Failure(FailureClass::Corrupt),
    14 => Outcome::Failure(FailureClass::Expectation),
    15 => Outcome::Failure(FailureClass::Missing),
    129 => Outcome::Void(VoidReason::Overrun),
    130 => Outcome::Void(VoidReason::ShuttingDown),
    131 => Outcome::Void(VoidReason::Offline),
    132 => Outcome::Void(VoidReason::Internal),
}

/// What is added to the number of a failure whose check was retried: 193..=207 for 1..=15. Such rows are kept and
/// shown, and count neither way.
const SUPERSEDED: i64 = 192;

/// The number of a result's outcome.
pub(in crate::store) fn result_code(result: &CheckResult) -> i64 {
    let again = result.superseded && result.outcome.failure().is_some();
    outcome_code(result.outcome) + if again { SUPERSEDED } else { 0 }
}

/// The outcome of the number, and whether the check was retried.
pub(in crate::store) fn result_of_code(code: i64) -> Result<(Outcome, bool), StoreError> {
    match outcome_of_code(code - SUPERSEDED) {
        Ok(outcome @ Outcome::Failure(_)) => Ok((outcome, true)),
        Ok(_) | Err(_) => outcome_of_code(code).map(|outcome| (outcome, false)),
    }
}

codes! {
    "why a check was made", Asked, asked_code, asked_of_code,
    0 => Asked::Turn,
    1 => Asked::Recheck,
}

codes! {
    "the severity of an incident", Severity, severity_code, severity_of_code,
    1 => Severity::Minor,
    2 => Severity::Major,
    3 => Severity::Critical,
}

codes! {
    "the state of an incident", IncidentState, state_code, state_of_code,
    0 => IncidentState::Investigating,
    1 => IncidentState::Identified,
    2 => IncidentState::Monitoring,
    3 => IncidentState::Resolved,
}

codes! {
    "the kind of a notification", NotificationKind, kind_code, kind_of_code,
    1 => NotificationKind::Opened,
    2 => NotificationKind::Worsened,
    3 => NotificationKind::Reminder,
    4 => NotificationKind::Resolved,
    5 => NotificationKind::Reopened,
    6 => NotificationKind::Updated,
}

codes! {
    "the kind of an action", ActionKind, action_code, action_of_code,
    1 => ActionKind::Acknowledge,
    2 => ActionKind::Note,
    3 => ActionKind::Resolve,
    4 => ActionKind::Identify,
    5 => ActionKind::Watch,
    6 => ActionKind::Merge,
    7 => ActionKind::Split,
    8 => ActionKind::FalseAlarm,
}

/// What a message is worded for, as its row says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::store) enum Form {
    Mail,
}

codes! {
    "the form of a message", Form, form_code, form_of_code,
    1 => Form::Mail,
}
