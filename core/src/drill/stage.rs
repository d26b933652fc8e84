//! How far a check comes.

use crate::model::FailureClass;

/// How far a check comes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    Dns,
    Connect,
    Tls,
    FirstByte,
    Transfer,
}

impl Stage {
    /// How far a check comes that fails in this way.
    pub(super) fn of(class: FailureClass) -> Self {
        match class {
            FailureClass::Dns => Self::Dns,
            FailureClass::Connect => Self::Connect,
            FailureClass::Tls => Self::Tls,
            FailureClass::Timeout | FailureClass::Protocol => Self::FirstByte,
            _ => Self::Transfer,
        }
    }
}
