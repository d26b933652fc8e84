//! The times of the rules that are error rates in disguise, and the probes of each host.

use std::collections::BTreeMap;
use std::time::Duration;

use super::worst;
use crate::detect::burn_rate::{LONG_PARTS, SHORT_PARTS};
use crate::detect::latency::allowed;
use crate::model::{Bad, BurnRate, Clear, ErrorRate, Latency, Probe, Ratio};

/// More slow checks than the quantile allows, once there are enough of them.
pub(super) fn latency(latency: &Latency) -> ErrorRate {
    rate(allowed(latency), latency.within, latency.at_least)
}

/// Both windows must exceed the factor; the later of them decides. Each may have forgotten up to one of its parts.
pub(super) fn burn_rate(burn: &BurnRate, probes: &[&Probe], judged: Duration) -> Result<Duration, String> {
    let above = Ratio::from_ppm(u32::try_from(burn.threshold().div_ceil(1_000)).unwrap_or(u32::MAX));
    let mut latest = Duration::ZERO;
    for (window, parts, at_least) in [(burn.long, LONG_PARTS, burn.at_least), (burn.short, SHORT_PARTS, 1)] {
        let shorter = window - window / u32::try_from(parts).unwrap_or(u32::MAX);
        for within in [window, shorter] {
            latest = latest.max(worst::error_rate(&rate(above, within, at_least), probes, judged)?);
        }
    }
    Ok(latest)
}

/// The two windows as error rates; both must be exceeded.
pub(super) fn windows(burn: &BurnRate) -> [ErrorRate; 2] {
    let above = Ratio::from_ppm(u32::try_from(burn.threshold().div_ceil(1_000)).unwrap_or(u32::MAX));
    [(burn.long, burn.at_least), (burn.short, 1)].map(|(window, at_least)| rate(above, window, at_least))
}

fn rate(above: Ratio, within: Duration, at_least: u32) -> ErrorRate {
    let clear = Clear { below: above, hold: Duration::ZERO };
    ErrorRate { bad: Bad::Failed, above, within, at_least, per: Vec::new(), clear }
}

/// The probes of each host, the host of the first probe first.
pub(super) fn by_host<'a>(probes: impl Iterator<Item = &'a Probe>) -> Vec<(&'a str, Vec<&'a Probe>)> {
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    let mut hosts: Vec<(&str, Vec<&Probe>)> = Vec::new();
    for probe in probes {
        let host = probe.kind.host();
        let place = *places.entry(host).or_insert_with(|| {
            hosts.push((host, Vec::new()));
            hosts.len() - 1
        });
        hosts[place].1.push(probe);
    }
    hosts
}
