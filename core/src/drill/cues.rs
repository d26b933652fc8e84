//! Cues: what is scripted beside the faults, and when.

use std::sync::Arc;

use super::scenario::{Act, Scenario};
use super::take::Take;
use crate::config::Config;
use crate::model::Timestamp;

/// What is scripted beside the faults.
pub(super) enum Cue {
    /// The daemon is killed and started again.
    Restart,
    /// The configuration is replaced.
    Reload(Arc<Config>),
    /// The wall clock is set, by so many milliseconds.
    Step(i64),
    /// The process is stopped until then.
    Suspend(Timestamp),
    /// Somebody does something.
    Act(Act),
}

/// All of them by true time, the last first.
pub(super) fn cues(scenario: &Scenario, take: Take) -> Vec<(Timestamp, Cue)> {
    let start = scenario.start + take.shift;
    let restarts = scenario.restarts.iter().map(|at| (*at, Cue::Restart));
    let reloads = scenario.reloads.iter().map(|reload| (reload.at, Cue::Reload(Arc::clone(&reload.config))));
    let steps = scenario.clock.iter().map(|(at, by)| (*at, Cue::Step(*by)));
    let suspended = scenario.suspended.iter().map(|(from, until)| (*from, Cue::Suspend(start + *until)));
    let acts = scenario.acts.iter().map(|act| (act.at, Cue::Act(act.clone())));
    let all = restarts.chain(reloads).chain(steps).chain(acts).chain(suspended);
    let mut cues: Vec<(Timestamp, Cue)> = all.map(|(at, cue)| (start + at, cue)).collect();
    cues.sort_by_key(|(at, _)| *at);
    cues.reverse();
    cues
}
