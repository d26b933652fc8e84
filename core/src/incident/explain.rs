//! Which bad checks an incident explains.

use crate::config::Config;
use crate::model::{Breach, FailureClass, Finding, LabelName, LabelValue, Marks, Probe};

/// Whether the finding says that this check should fail, and in this way.
#[must_use]
pub fn explains(finding: &Finding, probe: &Probe, class: Option<FailureClass>) -> bool {
    let is_hit = match &finding.factor {
        Some(factor) => factor.bears(probe),
        None => finding.components.contains(&probe.component),
    };
    is_hit && finding.failure.is_none_or(|main| class == Some(main))
}

/// Whether a bad check of this probe, that failed so, is one of those that a breach is about.
#[must_use]
pub fn is_about(breach: &Breach, probe: &Probe, class: Option<FailureClass>, config: &Config) -> bool {
    let rule = config.rules.iter().find(|rule| rule.id == breach.rule);
    let way = match class {
        Some(class) => breach.marks.classes.contains(&class),
        None => breach.marks.classes.is_empty(),
    };
    way && breach.slice.covers(probe) && rule.is_some_and(|rule| rule.over.covers(probe))
}

/// How much speaks for a bad check being of an outage with these marks and this finding; 0 when nothing does. `wide` is
/// asked only where nothing else speaks for it: whether a breach that is of no component covers the check.
#[must_use]
pub fn likeness(
    marks: &Marks,
    finding: &Finding,
    probe: &Probe,
    class: Option<FailureClass>,
    wide: impl FnOnce() -> bool,
    config: &Config,
) -> u32 {
    let component = marks.components.contains(&probe.component);
    let way = match class {
        Some(class) => marks.classes.contains(&class),
        None => marks.classes.is_empty(),
    };
    let customer = |(name, value): (&LabelName, &LabelValue)| {
        marks.cohorts.contains(&(name.clone(), value.clone())) && marks.are_few(name, &config.cohorts)
    };
    let likeness = 8 * u32::from(explains(finding, probe, class))
        + 4 * u32::from(component && way)
        + 2 * u32::from(component)
        + 2 * u32::from(way && probe.labels.iter().any(customer));
    if likeness == 0 && way && finding.factor.is_none() && wide() { 1 } else { likeness }
}
