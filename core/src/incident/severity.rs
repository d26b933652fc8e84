//! How grave an incident is by how much of the service it hits.

use std::collections::BTreeSet;

use crate::config::Config;
use crate::model::{ComponentId, Finding, Role, Severity};

/// Beyond which part of the customers, and of the components, an incident is one step graver than its rules say.
const HALF: f64 = 0.5;

/// Fewer bad checks than this may be anywhere by accident.
const LEAST_BAD: u32 = 10;

/// The severity that an incident deserves beyond what its rules say, with the reason; `None` when they say enough.
///
/// It is one step above theirs when more than half of the customers and more than half of the components that are
/// probed, two at the least, are hit; but not where a few checks fail everywhere.
#[must_use]
pub fn raised(by_rules: Severity, finding: &Finding, config: &Config) -> Option<(Severity, String)> {
    let severity = match by_rules {
        Severity::Minor => Severity::Major,
        Severity::Major => Severity::Critical,
        Severity::Critical => return None,
    };
    let components = finding.components.len();
    if finding.bad < LEAST_BAD || finding.is_diffuse() || components < 2 {
        return None;
    }
    let customers = match &finding.factor {
        Some(factor) => match config.cohorts.get(&factor.label) {
            Some(all) => share(factor.values.len(), all.len()),
            // Another label says which part of the service is hit, not whose.
            None => 1.0,
        },
        None => 1.0,
    };
    if customers <= HALF {
        return None;
    }
    // Last, since every probe is looked at.
    let service = config.probes.iter().filter(|probe| probe.role == Role::Service);
    let probed: BTreeSet<&ComponentId> = service.map(|probe| &probe.component).collect();
    if share(components, probed.len()) <= HALF {
        return None;
    }
    let whom =
        if customers >= 1.0 { "everyone".to_owned() } else { format!("{:.0}% of the customers", customers * 100.0) };
    Some((severity, format!("it hits {whom} on {components} of {} components", probed.len())))
}

#[expect(clippy::cast_precision_loss, reason = "small counts")]
fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole.max(1) as f64
}
