//! What a check comes to at a moment.

use std::sync::Arc;
use std::time::Duration;

use super::answers::{Ask, Try};
use super::scenario::{Answer, Fault, Scenario};
use super::take::Take;
use crate::config::Config;
use crate::model::id::stable_hash;
use crate::model::kind::heartbeat::Ping;
use crate::model::{CheckResult, Dice, FailureClass, PerProbe, ProbeIndex, Role, Timestamp};

/// The service that is asked, as far as a drill has one.
pub(super) struct Faults<'a> {
    scenario: &'a Scenario,
    config: Arc<Config>,
    take: Take,
    asks: PerProbe<Asked>,
}

/// A probe, as it is asked here.
struct Asked {
    /// What is asked.
    ask: Ask,
    /// The places of the faults that can hit it.
    faults: Box<[usize]>,
    /// The places of the blips that can hit it.
    blips: Box<[usize]>,
}

/// So that the chances of blips and of faults are none of a check's own.
const BLIP: u64 = 1 << 48;
const FAULT: u64 = 1 << 40;

impl<'a> Faults<'a> {
    pub(super) fn new(scenario: &'a Scenario, config: &Arc<Config>, take: Take) -> Self {
        let asks = config.probes.iter().map(|probe| {
            let faults = scenario.faults.iter().enumerate().filter(|(_, fault)| fault.over.covers(probe));
            let blips = scenario.noise.blips.iter().enumerate().filter(|(_, blips)| blips.over.covers(probe));
            // A probe has a pace of its own, and keeps it: 60 to 150 ms.
            let pace = Dice::of(take.seed, stable_hash(&[probe.id.as_str()]), 0).below(91) + 60;
            Asked {
                ask: Ask::new(probe, pace, config),
                faults: faults.map(|(place, _)| place).collect(),
                blips: blips.map(|(place, _)| place).collect(),
            }
        });
        Self { scenario, config: Arc::clone(config), take, asks: asks.collect() }
    }

    /// The result of a try that begins `at` into the drill, when the wall clock shows `started`, and may take so long.
    /// Nothing when the check does not come.
    pub(super) fn check(
        &self,
        probe: ProbeIndex,
        at: Duration,
        started: Timestamp,
        limit: Duration,
    ) -> Option<CheckResult> {
        let (asked, Asked { ask, blips, .. }) = (&self.config.probes[probe], &self.asks[probe]);
        let place = millis(at);
        let mut dice = Dice::of(self.take.seed, probe.number().into(), place);
        // 70% to 130% of its pace.
        let took = Duration::from_millis(ask.pace * (dice.below(61) + 70) / 100).min(limit / 2);
        let now = Try { started, took, limit };
        let answer = |answer| ask.answer(answer, asked, &self.config, now, self.scenario.start);
        // Offline hits everything; no answer of the service is seen.
        if self.is_offline(at) {
            return Some(ask.unreachable(asked, &self.config, now));
        }
        if asked.role == Role::Canary {
            // Nothing of the service's is its business.
            return Some(ask.well(asked, &self.config, now));
        }
        if let Some(fault) = self.fault(probe, at) {
            return answer(fault.answer);
        }
        if let Some(blip) = blips.iter().find_map(|place| self.blip(*place, at)) {
            return answer(blip);
        }
        let noise = &self.scenario.noise;
        if noise.share.ppm() > 0 && dice.happens(noise.share.ppm()) {
            return answer(noise.answer);
        }
        Some(ask.well(asked, &self.config, now))
    }

    /// What becomes of a try that ended only after so long in all, as the process was stopped meanwhile.
    pub(super) fn late(
        &self,
        probe: ProbeIndex,
        result: CheckResult,
        total: Duration,
        limit: Duration,
    ) -> CheckResult {
        self.asks[probe].ask.late(result, &self.config.probes[probe], &self.config, total, limit)
    }

    /// What a job says whose turn comes `at` into the drill, and how much later it calls. Nothing when it does not.
    pub(super) fn call(&self, job: ProbeIndex, at: Duration) -> Option<(Duration, Ping)> {
        let at_once = |ping| Some((Duration::ZERO, ping));
        match self.fault(job, at).map(|fault| fault.answer) {
            None | Some(Answer::Certificate(_)) => at_once(Ping::Well),
            Some(Answer::Missing | Answer::Failure(FailureClass::Missing)) => None,
            // It begins, and is not heard of again.
            Some(Answer::Failure(FailureClass::Timeout)) => at_once(Ping::Start),
            Some(Answer::Failure(_) | Answer::Status(_)) => at_once(Ping::Bad(None)),
            Some(Answer::Latency(late)) => Some((late, Ping::Well)),
        }
    }

    /// Whether the machine of Tripline itself has no network.
    pub(super) fn is_offline(&self, at: Duration) -> bool {
        let script = at.checked_sub(self.take.shift);
        script.is_some_and(|at| self.scenario.offline.iter().any(|(from, until)| *from <= at && at < *until))
    }

    /// The fault that hits what begins then.
    fn fault(&self, probe: ProbeIndex, at: Duration) -> Option<&Fault> {
        let script = at.checked_sub(self.take.shift)?;
        let own = u64::from(probe.number());
        self.asks[probe].faults.iter().find_map(|&hit| {
            let fault = self.scenario.faults.get(hit)?;
            let thing = own ^ FAULT.wrapping_mul(u64::try_from(hit).unwrap_or(0).saturating_add(1));
            fault.strikes(script, || Dice::of(self.take.seed, thing, millis(at))).then_some(fault)
        })
    }

    /// How a check fails that begins in one of these blips.
    fn blip(&self, place: usize, at: Duration) -> Option<Answer> {
        let blips = self.scenario.noise.blips.get(place)?;
        let (every, length, at) = (millis(blips.every), millis(blips.length), millis(at));
        let stretch = at.checked_div(every)?;
        let thing = BLIP.wrapping_add(u64::try_from(place).unwrap_or(0));
        let begins = Dice::of(self.take.seed, thing, stretch).below(every.saturating_sub(length).saturating_add(1));
        let within = at.checked_rem(every)?;
        (begins <= within && within < begins + length).then_some(blips.answer)
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl Fault {
    /// Whether it hits a check that begins at this time; `dice` are thrown where that is left to chance.
    fn strikes(&self, at: Duration, dice: impl FnOnce() -> Dice) -> bool {
        if !self.is_on(at) {
            return false;
        }
        let into = at.saturating_sub(self.from);
        if let Some((on, off)) = self.flap {
            let turn = on.saturating_add(off).as_millis().max(1);
            if into.as_millis() % turn >= on.as_millis() {
                return false;
            }
        }
        let (first, last) = (i128::from(self.share.0.ppm()), i128::from(self.share.1.ppm()));
        let length = i128::try_from(self.until.saturating_sub(self.from).as_millis()).unwrap_or(1).max(1);
        let into = i128::try_from(into.as_millis()).unwrap_or(0);
        let ppm = u32::try_from(first + (last - first) * into / length).unwrap_or(0);
        ppm >= 1_000_000 || (ppm > 0 && dice().happens(ppm))
    }
}
