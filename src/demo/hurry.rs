//! A config made faster, so that nobody has to wait for a rehearsal.

use std::time::Duration;

use crate::config::Config;
use crate::model::{Cadence, RuleKind};

/// Divides every interval, window and waiting time of the config by `factor`. Timeouts stay, but never exceed the
/// interval.
pub fn hurry(config: &mut Config, factor: u32) {
    let faster = |time: &mut Duration| *time /= factor.max(1);
    let probes = std::mem::take(&mut config.probes).into_iter();
    config.probes = probes
        .map(|mut probe| {
            if let Cadence::Every(interval) = &mut probe.cadence {
                faster(interval);
                probe.timeout = probe.timeout.min(*interval);
                faster(&mut probe.retry.after);
            }
            probe
        })
        .collect();
    for rule in &mut config.rules {
        match &mut rule.kind {
            RuleKind::ErrorRate(rate) => {
                faster(&mut rate.within);
                faster(&mut rate.clear.hold);
            }
            RuleKind::Change(change) => {
                faster(&mut change.false_alarms.per);
                faster(&mut change.clear_hold);
            }
            RuleKind::Consecutive(run) => faster(&mut run.clear_after),
            RuleKind::Latency(latency) => {
                faster(&mut latency.within);
                faster(&mut latency.hold);
            }
            RuleKind::BurnRate(burn) => {
                faster(&mut burn.long);
                faster(&mut burn.short);
                faster(&mut burn.hold);
            }
            // A certificate's days stay days.
            RuleKind::Expiry(_) => {}
            RuleKind::Missing(missing) => faster(&mut missing.after),
            RuleKind::Offline => {}
        }
    }
    for receiver in config.receivers.values_mut() {
        receiver.remind.iter_mut().for_each(faster);
    }
}
