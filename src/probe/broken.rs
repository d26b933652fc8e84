//! Why a check did not come to its end: the other side failed, or we did.

use super::finding::Internal;
use crate::model::FailureClass;

/// Why a check did not come to its end.
#[derive(Debug)]
pub(super) enum Broken {
    /// It failed: the class, and the fault in plain words.
    Failed(FailureClass, String),
    /// It could not be made, and that is our own fault.
    Internal(Internal),
}

impl Broken {
    /// A failure of this class.
    pub(super) fn failed(class: FailureClass, fault: impl Into<String>) -> Self {
        Self::Failed(class, fault.into())
    }

    /// A check that Tripline itself could not make.
    pub(super) fn internal(fault: impl Into<String>) -> Self {
        Self::Internal(Internal(fault.into()))
    }
}
