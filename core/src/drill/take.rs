//! Takes: the playings of one scenario.

use std::time::Duration;

use super::scenario::Scenario;
use crate::config::Config;
use crate::model::{Probe, Role};

/// One playing of a scenario.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Take {
    /// The seed of all chances.
    pub seed: u64,
    /// So much later happens all that is scripted: checks are due at fixed moments, and a fault may begin between any.
    pub shift: Duration,
}

impl Take {
    /// The takes of so many runs: seeds count up, and the script is shifted evenly over the shortest interval of the
    /// probes.
    pub fn all(config: &Config, scenario: &Scenario, seed: Option<u64>, runs: u32) -> impl Iterator<Item = Self> {
        let asked = config.probes.iter().filter(|probe| probe.role == Role::Service);
        let shortest = asked.filter_map(Probe::interval).min().unwrap_or_default();
        let seed = seed.unwrap_or(scenario.seed);
        (0..runs).map(move |run| Self {
            seed: seed.wrapping_add(run.into()),
            // To the millisecond, as the clock goes.
            shift: Duration::from_millis(
                u64::try_from(shortest.as_millis()).unwrap_or(u64::MAX).saturating_mul(run.into())
                    / u64::from(runs).max(1),
            ),
        })
    }
}
