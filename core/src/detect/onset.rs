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
    /// The checks since then, and the bad ones of them.
    pub(super) looked: u64,
    pub(super) bad: u64,
    /// The sum, in parts per thousand million of a check.
    sum: u64,
}

const CHECK: u64 = 1_000_000_000;

impl Onset {
    /// Takes in one more check. `decay` is the threshold, in parts per thousand million.
    pub(super) fn follow(onset: &mut Option<Self>, at: Timestamp, bad: bool, result: &CheckResult, decay: u64) {
        if let Some(stretch) = onset {
            stretch.looked += 1;
            stretch.bad += u64::from(bad);
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
                looked: 1,
                bad: 1,
                sum: CHECK.saturating_sub(decay),
            });
        }
    }

    /// The id of the breach that begins here.
    pub(super) fn breach_id(&self, rule: &Rule, slice: &Slice) -> BreachId {
        breach_id(rule, slice, &self.probe, self.started)
    }
}

/// The id of the breach of a rule's slice whose first bad check is that of this probe which began then.
pub(super) fn breach_id(rule: &Rule, slice: &Slice, probe: &ProbeId, started: Timestamp) -> BreachId {
    BreachId::derived(&[rule.id.as_str(), &slice.to_string(), probe.as_str(), &started.as_millis().to_string()])
}
