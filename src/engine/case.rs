//! A case: an open incident together with the counts that say what its checks have in common.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::config::Config;
use crate::detect::factor;
use crate::detect::history::{Entry, History};
use crate::detect::tally::Tally;
use crate::incident::{lifecycle, spread};
use crate::model::{
    Breach, Cadence, FailureClass, Finding, Incident, IncidentChange, IncidentEvent, IncidentId, Probe, Timestamp,
};
use crate::notify::quiet::Hit;

use super::Examples;

/// An open incident and its counts.
pub(super) struct Case {
    pub(super) incident: Incident,
    /// The checks from the first bad one to the last.
    tally: Tally,
    /// Those since: they belong to the incident only if another bad one follows, and else to its recovery.
    after: Tally,
    /// How many checks of a probe were bad in a row, up to now.
    runs: BTreeMap<usize, u32>,
    /// For each probe, whether a rule of one of the breaches watches it.
    covers: Vec<bool>,
    /// When the counts were last made into a finding.
    assessed: Timestamp,
    /// When the next decision about telling is due without anything happening.
    pub(super) decide_at: Option<Timestamp>,
}

/// Findings are made anew at most this often while checks keep failing.
const ASSESS_EVERY: Duration = Duration::from_secs(1);
/// ... and events are made of them at most this often.
const SAY_EVERY: Duration = Duration::from_secs(10);
/// What is found so soon after the opening is how far the outage reached from its start, not that it spread.
const LONGEST_SETTLE: Duration = Duration::from_secs(300);

impl Case {
    /// Opens an incident for a breach that belongs to none. `since` is the breach's beginning in steady time.
    pub(super) fn open(
        breach: Breach,
        since: Timestamp,
        at: Timestamp,
        history: &History,
        examples: &Examples,
        config: &Config,
    ) -> Option<(Self, IncidentEvent)> {
        let mut covers = vec![false; config.probes.len()];
        widen(&mut covers, &breach, config);
        let (mut tally, mut after, mut runs) = (Tally::default(), Tally::default(), BTreeMap::new());
        for entry in history.since(since).filter(|entry| covers.get(entry.probe) == Some(&true)) {
            add(&mut tally, &mut after, &mut runs, entry);
        }
        let finding = assess(&tally, None, examples, config);
        let event = IncidentEvent {
            incident: IncidentId::derived(&[&breach.id.to_string()]),
            seq: 0,
            at,
            change: IncidentChange::Opened { breach, finding },
        };
        let incident = lifecycle::open(&event)?;
        Some((Self { incident, tally, after, runs, covers, assessed: at, decide_at: None }, event))
    }

    /// Takes up a stored incident; its counts come from the results that are replayed after.
    pub(super) fn resume(incident: Incident, config: &Config) -> Self {
        let mut covers = vec![false; config.probes.len()];
        for breach in &incident.breaches {
            widen(&mut covers, breach, config);
        }
        Self {
            incident,
            tally: Tally::default(),
            after: Tally::default(),
            runs: BTreeMap::new(),
            covers,
            assessed: Timestamp::default(),
            // At once, whatever the clock was when it was opened.
            decide_at: Some(Timestamp::default()),
        }
    }

    /// Counts a check, if a rule of this incident watches its probe.
    pub(super) fn count(&mut self, entry: &Entry) {
        if self.covers.get(entry.probe) == Some(&true) {
            add(&mut self.tally, &mut self.after, &mut self.runs, entry);
        }
    }

    /// Takes in another breach. `since` is the incident's beginning in steady time.
    pub(super) fn join(
        &mut self,
        breach: Breach,
        reason: String,
        since: Timestamp,
        at: Timestamp,
        history: &History,
        config: &Config,
    ) -> IncidentEvent {
        let before = self.covers.clone();
        widen(&mut self.covers, &breach, config);
        for entry in history.since(since) {
            let new = self.covers.get(entry.probe) == Some(&true) && before.get(entry.probe) == Some(&false);
            if new {
                add(&mut self.tally, &mut self.after, &mut self.runs, entry);
            }
        }
        self.event(at, IncidentChange::Joined { breach, reason })
    }

    /// Makes an event and lets it happen.
    pub(super) fn event(&mut self, at: Timestamp, change: IncidentChange) -> IncidentEvent {
        let event = IncidentEvent { incident: self.incident.id, seq: self.incident.next_event, at, change };
        lifecycle::apply(&mut self.incident, &event);
        event
    }

    /// The probes that the incident hits: those with bad checks on the components and with the factor of what was found
    /// by now, and those that fail in a row at present. One bad check of many is a stray. Where nothing was counted since a
    /// restart: those that it may hit.
    pub(super) fn hit<'c>(&self, finding: &Finding, config: &'c Config) -> Hit<'c> {
        let may = |probe: &Probe| {
            finding.components.contains(&probe.component) && factor::bears(finding.factor.as_ref(), probe)
        };
        let mut hit = Hit::default();
        for (index, counts) in self.tally.iter() {
            let Some(probe) = config.probes.get(index) else { continue };
            let run = self.runs.get(&index).copied().unwrap_or_default();
            let is_stray = counts.bad == 1 && counts.looked > 2;
            if run >= 3 || counts.bad > 0 && !is_stray && may(probe) {
                hit.surely.push(probe);
            } else if run == 2 {
                hit.perhaps.push(probe);
            }
        }
        if hit.surely.is_empty() {
            let covered = config.probes.iter().zip(&self.covers).filter(|(probe, covered)| **covered && may(probe));
            hit.surely.extend(covered.map(|(probe, _)| probe));
        }
        hit
    }

    /// What the checks show by now. What was once hit stays named: an incident only grows.
    pub(super) fn finding(&self, examples: &Examples, config: &Config) -> Finding {
        let mut now = assess(&self.tally, self.incident.finding.example.clone(), examples, config);
        if now.bad == 0 {
            // Nothing was counted since a restart, or retention took the results: what was known still holds.
            return self.incident.finding.clone();
        }
        now.components.extend(self.incident.finding.components.iter().cloned());
        now
    }

    /// Looks again at what the checks show; an event when that is news.
    pub(super) fn reassess(&mut self, at: Timestamp, examples: &Examples, config: &Config) -> Option<IncidentEvent> {
        // If the clock was set back, the last time lies too far ahead to be waited for.
        if at.since(self.assessed) < ASSESS_EVERY && self.assessed.since(at) <= SAY_EVERY {
            return None;
        }
        self.assessed = at;
        let now = self.finding(examples, config);
        let before = &self.incident.finding;
        let settled = at.since(self.incident.opened) > settle(&self.covers, config);
        let spread = spread::spread(before, &now);
        let clearer =
            before.factor.is_none() && now.factor.is_some() || before.failure.is_none() && now.failure.is_some();
        let reason = match spread {
            Some(ref reason) => reason.clone(),
            None if clearer => "what the failing checks have in common is clearer now".to_owned(),
            None => return None,
        };
        self.assessed = at + SAY_EVERY;
        Some(self.event(at, IncidentChange::Assessed { finding: now, reason, worse: spread.is_some() && settled }))
    }
}

fn widen(covers: &mut [bool], breach: &Breach, config: &Config) {
    let Some(rule) = config.rules.iter().find(|rule| rule.id == breach.rule) else { return };
    for (covered, probe) in covers.iter_mut().zip(&config.probes) {
        *covered |= rule.over.covers(probe);
    }
}

fn add(tally: &mut Tally, after: &mut Tally, runs: &mut BTreeMap<usize, u32>, entry: &Entry) {
    if entry.bad {
        let run = runs.entry(entry.probe).or_default();
        *run = run.saturating_add(1);
    } else {
        runs.remove(&entry.probe);
    }
    after.add(entry);
    if entry.bad {
        tally.absorb(after);
    }
}

fn assess(
    tally: &Tally,
    example: Option<crate::model::incident::Example>,
    examples: &Examples,
    config: &Config,
) -> Finding {
    let mut finding = factor::find(tally, config);
    let fits = |probe: usize, class: FailureClass| {
        finding.failure.is_none_or(|main| main == class)
            && config.probes.get(probe).is_some_and(|probe| factor::bears(finding.factor.as_ref(), probe))
    };
    let fresh = tally.iter().find_map(|(probe, _)| {
        let (class, example) = examples.get(&probe)?;
        fits(probe, *class).then(|| example.clone())
    });
    finding.example = fresh.or(example);
    finding
}

/// How long after the opening the first checks still tell how far the outage reached from its start: two rounds.
fn settle(covers: &[bool], config: &Config) -> Duration {
    let intervals =
        config.probes.iter().zip(covers).filter(|(_, covered)| **covered).map(|(probe, _)| match probe.cadence {
            Cadence::Every(interval) => interval,
            Cadence::At(_) => LONGEST_SETTLE,
        });
    intervals.max().unwrap_or_default().saturating_mul(2).min(LONGEST_SETTLE)
}
