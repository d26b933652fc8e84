//! What a check comes to at a moment.

use std::time::Duration;

use super::answers::{Ask, Try};
use super::scenario::{Answer, Fault, Scenario};
use super::take::Take;
use crate::config::Config;
use crate::model::id::stable_hash;
use crate::model::{CheckResult, Dice, PerProbe, ProbeIndex, Role, Timestamp};

/// The service that is asked, as far as a drill has one.
pub(super) struct Faults<'a> {
    scenario: &'a Scenario,
    config: &'a Config,
    take: Take,
    /// For each probe, what is asked and the places of the faults that can hit it.
    asks: PerProbe<(Ask, Box<[usize]>)>,
}

/// So that the chances of blips and of faults are none of a check's own.
const BLIP: u64 = 1 << 48;
const FAULT: u64 = 1 << 40;

impl<'a> Faults<'a> {
    pub(super) fn new(scenario: &'a Scenario, config: &'a Config, take: Take) -> Self {
        let asks = config.probes.iter().map(|probe| {
            let hits = scenario.faults.iter().enumerate().filter(|(_, fault)| fault.over.covers(probe));
            // A probe has a pace of its own, and keeps it: 60 to 150 ms.
            let pace = Dice::of(take.seed, stable_hash(&[probe.id.as_str()]), 0).below(91) + 60;
            (Ask::new(probe, pace, config), hits.map(|(place, _)| place).collect())
        });
        Self { scenario, config, take, asks: asks.collect() }
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
        let (asked, (ask, hits)) = (&self.config.probes[probe], &self.asks[probe]);
        let place = u64::try_from(at.as_millis()).unwrap_or(u64::MAX);
        let own = u64::from(probe.number());
        let mut dice = Dice::of(self.take.seed, own, place);
        // 70% to 130% of its pace.
        let took = Duration::from_millis(ask.pace * (dice.below(61) + 70) / 100).min(limit / 2);
        let now = Try { started, took, limit };
        let answer = |answer| ask.answer(answer, asked, self.config, now, self.scenario.start);
        // Offline hits everything; no answer of the service is seen.
        let script = at.checked_sub(self.take.shift);
        if script.is_some_and(|at| self.scenario.offline.iter().any(|(from, until)| *from <= at && at < *until)) {
            return Some(ask.unreachable(asked, self.config, now));
        }
        if asked.role == Role::Canary {
            // Nothing of the service's is its business.
            return Some(ask.well(asked, self.config, now));
        }
        for &hit in script.iter().flat_map(|_| hits) {
            let Some((fault, script)) = self.scenario.faults.get(hit).zip(script) else { continue };
            let thing = own ^ FAULT.wrapping_mul(u64::try_from(hit).unwrap_or(0).saturating_add(1));
            if fault.strikes(script, || Dice::of(self.take.seed, thing, place)) {
                return answer(fault.answer);
            }
        }
        if let Some(blip) = self.blip(at) {
            return answer(blip);
        }
        let noise = &self.scenario.noise;
        if noise.share.ppm() > 0 && dice.happens(noise.share.ppm()) {
            return answer(noise.answer);
        }
        Some(ask.well(asked, self.config, now))
    }

    /// How a check fails that begins in a blip.
    fn blip(&self, at: Duration) -> Option<Answer> {
        let blips = self.scenario.noise.blips.as_ref()?;
        let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let (every, length, at) = (millis(blips.every), millis(blips.length), millis(at));
        let stretch = at.checked_div(every)?;
        let begins = Dice::of(self.take.seed, BLIP, stretch).below(every.saturating_sub(length).saturating_add(1));
        let within = at.checked_rem(every)?;
        (begins <= within && within < begins + length).then_some(blips.answer)
    }
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
