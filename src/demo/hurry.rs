//! A config made faster, so that nobody has to wait for a rehearsal.

use std::time::Duration;

use crate::config::Config;
use crate::model::Cadence;

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
        rule.kind.spans().into_iter().for_each(faster);
    }
    for receiver in config.receivers.values_mut() {
        receiver.remind.iter_mut().for_each(faster);
    }
}
