//! A case: an open incident together with the counts that say what its checks have in common.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::config::Config;
use crate::detect::Detector;
use crate::detect::history::Entry;
use crate::detect::tally::{Counts, Tally};
use crate::incident::{explain, lifecycle, severity, spread};
use crate::model::{
    Breach, BreachId, Cadence, FailureClass, Finding, Incident, IncidentChange, IncidentEvent, IncidentId, PerProbe,
    Probe, ProbeIndex, RuleKind, Timestamp,
};
use crate::model::{Example, Marks};
use crate::notify::mute::Hit;

use super::Examples;

/// An open incident and its counts.
pub(super) struct Case {
    pub(super) incident: Incident,
    /// From when on its checks count: what failed before it was last well is told of no more.
    pub(super) from: Timestamp,
    /// The checks from the first bad one to the last.
    tally: Tally,
    /// Those since: they belong to the incident only if another bad one follows, and else to its recovery.
    after: Tally,
    /// How many checks of a probe were bad in a row, up to now.
    runs: BTreeMap<ProbeIndex, u32>,
    /// Breaches that ended after a person had resolved it.
    pub(super) over: Vec<(BreachId, String)>,
    /// For each probe, whether a rule of one of the breaches watches it.
    covers: PerProbe<bool>,
    /// What the bad checks of its breaches bear, since it was last well.
    marks: Marks,
    /// When the counts were last made into a finding ...
    assessed: Timestamp,
    /// ... and whether there may be more to find since.
    grown: bool,
    /// When the next decision about telling is due without anything happening.
    pub(super) decide_at: Option<Timestamp>,
    /// When it has stayed well for long enough, in steady time, while it is watched.
    pub(super) watch_due: Option<Timestamp>,
}

/// An incident that came back once is watched for so long before it is over; each time it comes back, twice as long.
const FIRST_WATCH: Duration = Duration::from_secs(300);
/// Findings are made anew at most this often while checks keep failing.
const ASSESS_EVERY: Duration = Duration::from_secs(1);
/// ... and events are made of them at most this often.
const SAY_EVERY: Duration = Duration::from_secs(10);
/// What is found so soon after the opening is how far the outage reached from its start, not that it spread.
const LONGEST_SETTLE: Duration = Duration::from_secs(300);

/// What a case looks at to learn what its checks have in common.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) config: &'a Config,
    pub(super) detector: &'a Detector,
    pub(super) examples: &'a Examples,
}

impl Case {
    /// Opens an incident for a breach that belongs to none. `since` is the breach's beginning in steady time; `others`
    /// says how much speaks for a bad check being of an incident that is open already.
    pub(super) fn open(
        breach: Breach,
        since: Timestamp,
        at: Timestamp,
        others: impl Fn(&Entry) -> u32,
        view: View<'_>,
    ) -> Option<(Self, IncidentEvent)> {
        let marks = breach.marks.clone();
        let (mut case, event) = Self::found(breach, Finding::default(), at, view.config)?;
        let IncidentChange::Opened { breach, .. } = event.change else { return None };
        widen(&mut case.covers, &breach, view.config);
        case.marks = marks;
        for entry in view.detector.history().since(since) {
            let own = if entry.bad { case.likeness(entry, view.config) } else { 1 };
            if own > 0 && (!entry.bad || own >= others(entry)) {
                case.count(entry);
            }
        }
        let mut finding = assess(&case.tally, None, view);
        finding.what = what(&breach, view.config);
        let event = IncidentEvent { change: IncidentChange::Opened { breach, finding }, ..event };
        case.incident = lifecycle::open(&event)?;
        Some((case, event))
    }

    /// Opens an incident that shows this, and counts no checks.
    pub(super) fn found(
        breach: Breach,
        finding: Finding,
        at: Timestamp,
        config: &Config,
    ) -> Option<(Self, IncidentEvent)> {
        let event = IncidentEvent {
            incident: IncidentId::derived(&[&breach.id.to_string()]),
            seq: 0,
            at,
            change: IncidentChange::Opened { breach, finding },
        };
        let incident = lifecycle::open(&event)?;
        let from = incident.since;
        let covers = config.probes.iter().map(|_| false).collect();
        let (tally, after, runs, marks) = (Tally::default(), Tally::default(), BTreeMap::new(), Marks::default());
        let case = Self {
            incident,
            from,
            tally,
            after,
            runs,
            over: Vec::new(),
            covers,
            marks,
            assessed: at,
            grown: true,
            decide_at: None,
            watch_due: None,
        };
        Some((case, event))
    }

    /// Takes up a stored incident; its counts come from the results that are replayed after.
    pub(super) fn resume(incident: Incident, config: &Config) -> Self {
        let mut covers: PerProbe<bool> = config.probes.iter().map(|_| false).collect();
        let mut marks = Marks::default();
        for breach in &incident.breaches {
            widen(&mut covers, breach, config);
        }
        let last = lifecycle::last_stretch(&incident.breaches);
        last.iter().for_each(|breach| marks.absorb(breach.marks.clone()));
        Self {
            from: last.iter().map(|breach| breach.since).min().unwrap_or(incident.since),
            watch_due: incident.watched_until,
            incident,
            tally: Tally::default(),
            after: Tally::default(),
            runs: BTreeMap::new(),
            over: Vec::new(),
            covers,
            marks,
            assessed: Timestamp::default(),
            grown: true,
            // At once, whatever the clock was when it was opened.
            decide_at: Some(Timestamp::default()),
        }
    }

    /// Counts a check, if a rule of this incident watches its probe.
    pub(super) fn count(&mut self, entry: &Entry) {
        if self.covers.get(entry.probe) == Some(&true) {
            self.add(entry);
        }
    }

    fn add(&mut self, entry: &Entry) {
        if entry.bad {
            let run = self.runs.entry(entry.probe).or_default();
            *run = run.saturating_add(1);
        } else {
            self.runs.remove(&entry.probe);
        }
        self.after.add(entry);
        if entry.bad {
            self.tally.absorb(&mut self.after);
            self.grown = true;
        }
    }

    /// How much speaks for a bad check being of this incident; 0 when nothing does.
    pub(super) fn likeness(&self, entry: &Entry, config: &Config) -> u32 {
        let probe = config.probes.get(entry.probe).filter(|_| self.covers.get(entry.probe) == Some(&true));
        probe.map_or(0, |probe| explain::likeness(&self.marks, &self.incident.finding, probe, entry.class))
    }

    /// Takes in another breach, which began at `breach_since` in steady time. `since` is the incident's beginning.
    pub(super) fn join(
        &mut self,
        breach: Breach,
        reason: String,
        breach_since: Timestamp,
        since: Timestamp,
        at: Timestamp,
        view: View<'_>,
    ) -> Vec<IncidentEvent> {
        if !self.incident.is_failing() || !self.incident.is_open() {
            // It was well in between: what is told from now on is what fails now, not what failed then.
            (self.tally, self.after, self.runs) = (Tally::default(), Tally::default(), BTreeMap::new());
            return self.come_back(breach, reason, breach_since, at, view);
        }
        let before = self.covers.clone();
        widen(&mut self.covers, &breach, view.config);
        self.marks.absorb(breach.marks.clone());
        self.grown = true;
        for entry in view.detector.history().since(since) {
            let new = self.covers.get(entry.probe) == Some(&true) && before.get(entry.probe) == Some(&false);
            if new && (!entry.bad || self.likeness(entry, view.config) > 0) {
                self.add(entry);
            }
        }
        vec![self.event(at, IncidentChange::Joined { breach, reason })]
    }

    /// Takes in the breach with which it comes back, be it watched or over.
    fn come_back(
        &mut self,
        breach: Breach,
        reason: String,
        since: Timestamp,
        at: Timestamp,
        view: View<'_>,
    ) -> Vec<IncidentEvent> {
        widen(&mut self.covers, &breach, view.config);
        self.marks = breach.marks.clone();
        self.grown = true;
        for entry in view.detector.history().since(since) {
            if !entry.bad || self.likeness(entry, view.config) > 0 {
                self.count(entry);
            }
        }
        self.watch_due = None;
        let mut finding = assess(&self.tally, None, view);
        finding.what = what(&breach, view.config);
        let back = if self.incident.is_open() {
            IncidentChange::Joined { breach, reason }
        } else {
            IncidentChange::Reopened { breach, reason }
        };
        let mut news = vec![self.event(at, back)];
        // What ended meanwhile must not hold open what goes on now.
        for (breach, reason) in std::mem::take(&mut self.over) {
            news.push(self.event(at, IncidentChange::Cleared { breach, reason }));
        }
        if finding.bad > 0 {
            let reason = "it is back, and this is what fails now".to_owned();
            news.push(self.event(at, IncidentChange::Assessed { finding, reason, worse: false }));
        }
        news
    }

    /// The wall clock was set back by so much: what is due by it is due as soon as it was.
    pub(super) fn set_back(&mut self, by: Duration, now: Timestamp) {
        (self.assessed, self.from) = (self.assessed - by, self.from - by);
        self.decide_at = Some(now);
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
        let bears = |probe: &Probe| finding.factor.as_ref().is_none_or(|factor| factor.bears(probe));
        let may = |probe: &Probe| finding.components.contains(&probe.component) && bears(probe);
        let mut by_probe: BTreeMap<ProbeIndex, Counts> = BTreeMap::new();
        for ((probe, _), counts) in self.tally.iter() {
            by_probe.entry(probe).or_default().merge(counts);
        }
        let mut hit = Hit::default();
        for (index, counts) in by_probe {
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
            let covered =
                config.probes.iter().zip(self.covers.values()).filter(|(probe, covered)| **covered && may(probe));
            hit.surely.extend(covered.map(|(probe, _)| probe));
        }
        hit
    }

    /// What the checks show by now. What was once hit stays named: an incident only grows.
    pub(super) fn finding(&self, view: View<'_>) -> Finding {
        let mut now = assess(&self.tally, self.incident.finding.example.clone(), view);
        if now.bad == 0 {
            // Nothing was counted since a restart, or retention took the results: what was known still holds.
            return self.incident.finding.clone();
        }
        now.components.extend(self.incident.finding.components.iter().cloned());
        now.what.clone_from(&self.incident.finding.what);
        now
    }

    /// Looks again at what the checks show; events when that is news.
    pub(super) fn reassess(&mut self, at: Timestamp, view: View<'_>, news: &mut Vec<IncidentEvent>) {
        // If the clock was set back a little, the last time lies too far ahead to be waited for.
        if at.since(self.assessed) < ASSESS_EVERY && self.assessed.since(at) <= SAY_EVERY {
            return;
        }
        self.assessed = at;
        if !std::mem::take(&mut self.grown) {
            return;
        }
        let now = self.finding(view);
        self.raise(at, &now, view.config, news);
        let before = &self.incident.finding;
        let spread = spread::spread(before, &now);
        let clearer =
            before.factor.is_none() && now.factor.is_some() || before.failure.is_none() && now.failure.is_some();
        let reason = match spread {
            Some(ref reason) => reason.clone(),
            None if clearer => "what the failing checks have in common is clearer now".to_owned(),
            None => return,
        };
        self.assessed = at + SAY_EVERY;
        let worse = spread.is_some() && at.since(self.incident.opened) > settle(&self.covers, view.config);
        news.push(self.event(at, IncidentChange::Assessed { finding: now, reason, worse }));
    }

    /// Makes it graver when so much is hit.
    fn raise(&mut self, at: Timestamp, finding: &Finding, config: &Config, news: &mut Vec<IncidentEvent>) {
        let by_rules = self.incident.breaches.iter().map(|breach| breach.severity).max();
        let raised = by_rules.and_then(|rules| severity::raised(rules, finding, config));
        if let Some((severity, reason)) = raised.filter(|(severity, _)| *severity > self.incident.severity) {
            news.push(self.event(at, IncidentChange::Raised { severity, reason }));
        }
    }

    /// Ends the incident, whose breaches are all over, or watches it for a while if it came back before. `steady` is the
    /// time in steady time.
    pub(super) fn end(&mut self, reason: String, at: Timestamp, steady: Timestamp, view: View<'_>) -> IncidentEvent {
        if self.incident.flaps == 0 || self.watch_due.is_some() {
            self.watch_due = None;
            let finding = self.finding(view);
            return self.event(at, IncidentChange::Resolved { by: None, reason, finding });
        }
        let doubled = FIRST_WATCH.saturating_mul(1 << self.incident.flaps.saturating_sub(1).min(10));
        let hold = doubled.min(view.config.reopen_within);
        self.watch_due = Some(steady + hold);
        self.event(at, IncidentChange::Watched { until: at + hold, reason })
    }
}

/// What is wrong where the checks of a breach need not fail.
fn what(breach: &Breach, config: &Config) -> Option<String> {
    match config.rules.iter().find(|rule| rule.id == breach.rule)?.kind {
        RuleKind::Latency(_) => Some("Slow answers".to_owned()),
        RuleKind::Expiry(_) => {
            let host = breach.slice.labels.values().next()?;
            let when = breach.reason.split(';').next()?.trim_start_matches("the certificate ");
            Some(format!("Certificate of {host} {when}"))
        }
        _ => None,
    }
}

fn widen(covers: &mut PerProbe<bool>, breach: &Breach, config: &Config) {
    let Some(rule) = config.rules.iter().find(|rule| rule.id == breach.rule) else { return };
    if matches!(rule.kind, RuleKind::Offline) {
        return;
    }
    for (covered, probe) in covers.values_mut().zip(&config.probes) {
        *covered |= rule.over.covers(probe);
    }
}

fn assess(tally: &Tally, example: Option<Example>, view: View<'_>) -> Finding {
    let mut finding = view.detector.finding(tally);
    let fits = |probe: ProbeIndex, class: FailureClass| {
        let bears = |probe: &Probe| finding.factor.as_ref().is_none_or(|factor| factor.bears(probe));
        finding.failure.is_none_or(|main| main == class) && view.config.probes.get(probe).is_some_and(bears)
    };
    let fresh = tally.iter().filter(|(_, counts)| counts.bad > 0).find_map(|((probe, _), _)| {
        let (class, example) = view.examples.get(&probe)?;
        fits(probe, *class).then(|| example.clone())
    });
    finding.example = fresh.or(example);
    finding
}

/// How long after the opening the first checks still tell how far the outage reached from its start: two rounds.
fn settle(covers: &PerProbe<bool>, config: &Config) -> Duration {
    let intervals = config.probes.iter().zip(covers.values()).filter(|(_, covered)| **covered).map(|(probe, _)| {
        match probe.cadence {
            Cadence::Every(interval) => interval,
            Cadence::At(_) => LONGEST_SETTLE,
        }
    });
    intervals.max().unwrap_or_default().saturating_mul(2).min(LONGEST_SETTLE)
}
