//! Which bad checks an incident explains.

use crate::model::Marks;
use crate::model::{FailureClass, Finding, Probe};

/// Whether the finding says that this check should fail, and in this way.
#[must_use]
pub fn explains(finding: &Finding, probe: &Probe, class: Option<FailureClass>) -> bool {
    let is_hit = match &finding.factor {
        Some(factor) => factor.bears(probe),
        None => finding.components.contains(&probe.component),
    };
    is_hit && finding.failure.is_none_or(|main| class == Some(main))
}

/// How much speaks for a bad check being of an outage with these marks and this finding; 0 when nothing does.
#[must_use]
pub fn likeness(marks: &Marks, finding: &Finding, probe: &Probe, class: Option<FailureClass>) -> u32 {
    let mut own = probe.labels.iter();
    let customer = own.any(|(name, value)| marks.cohorts.contains(&(name.clone(), value.clone())));
    let component = marks.components.contains(&probe.component);
    let way = class.is_some_and(|class| marks.classes.contains(&class));
    8 * u32::from(explains(finding, probe, class))
        + 2 * u32::from(way)
        + 2 * u32::from(customer)
        + u32::from(component)
}
