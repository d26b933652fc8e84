//! What a message named: by this it is known what its receiver has heard.

use std::collections::BTreeSet;

use super::finding::Finding;
use super::id::{ComponentId, LabelName, LabelValue};
use super::outcome::FailureClass;

/// Whom, where and how, as one message said it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Named {
    /// The components.
    pub components: BTreeSet<ComponentId>,
    /// The label, and those of its values, that the failing checks had in common; nothing where no label did.
    pub factor: Option<(LabelName, BTreeSet<LabelValue>)>,
    /// How most of them failed.
    pub failure: Option<FailureClass>,
    /// Whether a few checks failed everywhere: then each component's turn comes by chance.
    pub everywhere: bool,
}

impl Named {
    /// What a message names that tells of this.
    #[must_use]
    pub fn of(finding: &Finding) -> Self {
        Self {
            components: finding.components.clone(),
            factor: finding.factor.as_ref().map(|factor| (factor.label.clone(), factor.values.clone())),
            failure: finding.failure,
            everywhere: finding.is_diffuse(),
        }
    }
}
