//! Why a name has no address.

use super::broken::Broken;
use crate::model::FailureClass;

/// Why a name could not be resolved, in plain words.
#[derive(Debug, thiserror::Error)]
pub(super) enum DnsFault {
    /// What the name servers said, or did not.
    #[error("{0}")]
    Unresolved(String),
    /// What this machine has run out of, so that none was asked.
    #[error("{0}")]
    Scarce(String),
}

impl DnsFault {
    /// What a check is that needed the name.
    pub(super) fn broken(self) -> Broken {
        match self {
            Self::Unresolved(said) => Broken::failed(FailureClass::Dns, said),
            Self::Scarce(fault) => Broken::internal(fault),
        }
    }
}
