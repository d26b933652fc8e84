//! Onset: when a stretch of bad checks began.

use crate::model::{BreachId, CheckResult, ProbeId, Rule, Slice, Timestamp};

/// The stretch of checks, up to now, whose share of bad ones stays above a threshold.
///
/// This is Page's cumulative sum (E. S. Page, "Continuous inspection schemes", Biometrika 41, 1954): a bad check adds
/// one less the threshold, any other takes the threshold away, and the stretch begins where the sum last left zero.
/// It tells when an outage began even when the window also holds older, stray failures.
pub(super) struct Onset {
    pub(super) at: Timestamp,
    probe: ProbeId,
    started: Timestamp,
    /// The sum, in parts per thousand million of a check.
    sum: u64,
}

const CHECK: u64 = 1_000_000_000;

impl Onset {
    /// Takes in one more check. `decay` is the threshold, in parts per thousand million.
    pub(super) fn follow(onset: &mut Option<Self>, at: Timestamp, bad: bool, result: &CheckResult, decay: u64) {
        if let Some(stretch) = onset {
            // Saturating: a sum that large would take centuries of bad checks.
            let added = if bad { stretch.sum.saturating_add(CHECK) } else { stretch.sum };
            stretch.sum = added.saturating_sub(decay);
            if stretch.sum == 0 {
                *onset = None;
            }
        } else if bad {
            *onset = Some(Self {
                at,
                probe: result.probe.clone(),
                started: result.started,
                sum: CHECK.saturating_sub(decay),
            });
        }
    }

    /// The id of the breach that begins here.
    pub(super) fn breach_id(&self, rule: &Rule, slice: &Slice) -> BreachId {
        let started = self.started.as_millis().to_string();
        BreachId::derived(&[rule.id.as_str(), &slice.to_string(), self.probe.as_str(), &started])
    }
}
