//! A case: an incident together with the counts that say what its checks have in common.

mod assess;
mod counted;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::config::Config;
use crate::detect::Detector;
use crate::detect::history::Entry;
use crate::incident::{explain, lifecycle};
use crate::model::{
    Breach, BreachId, Example, FailureClass, Finding, Incident, IncidentChange, IncidentEvent, Marks, ProbeIndex,
    Timestamp,
};

use counted::Counted;

/// The last failure of each probe that fails.
pub(super) type Examples = BTreeMap<ProbeIndex, (FailureClass, Example)>;

/// An incident and its counts.
pub(super) struct Case {
    pub(super) incident: Incident,
    /// From when on its checks count: what failed before it was last well is told of no more.
    pub(super) from: Timestamp,
    counted: Counted,
    /// Breaches that ended after a person had resolved it.
    pub(super) over: Vec<(BreachId, String)>,
    /// What the bad checks of its breaches bear, since it was last well.
    marks: Marks,
    /// When the counts were last made into a finding.
    assessed: Timestamp,
    /// When it has stayed well for long enough, in steady time, while it is watched.
    pub(super) watch_due: Option<Timestamp>,
}

/// An incident that came back once is watched for so long before it is over; each time it comes back, twice as long.
const FIRST_WATCH: Duration = Duration::from_secs(300);

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
    ) -> (Self, IncidentEvent) {
        let (mut case, _) = Self::found(breach.clone(), Finding::default(), at, view.config);
        case.counted.widen(&breach, view.config);
        case.marks = breach.marks.clone();
        for entry in view.detector.history().since(since) {
            let own = if entry.bad { case.likeness(entry, view.config) } else { 1 };
            if own > 0 && (!entry.bad || own >= others(entry)) {
                case.count(entry);
            }
        }
        let finding = case.first_finding(&breach, view);
        let (incident, event) = lifecycle::begin(breach, finding, at);
        case.incident = incident;
        (case, event)
    }

    /// Opens an incident that shows this, and counts no checks.
    pub(super) fn found(breach: Breach, finding: Finding, at: Timestamp, config: &Config) -> (Self, IncidentEvent) {
        let (incident, event) = lifecycle::begin(breach, finding, at);
        let case = Self {
            from: incident.since,
            incident,
            counted: Counted::new(config),
            over: Vec::new(),
            marks: Marks::default(),
            assessed: at,
            watch_due: None,
        };
        (case, event)
    }

    /// Takes up a stored incident; its counts come from the results that are replayed after.
    pub(super) fn resume(incident: Incident, config: &Config) -> Self {
        let (mut counted, mut marks) = (Counted::new(config), Marks::default());
        for breach in &incident.breaches {
            counted.widen(breach, config);
        }
        let last = lifecycle::last_stretch(&incident.breaches);
        last.iter().for_each(|breach| marks.absorb(breach.marks.clone()));
        Self {
            from: last.iter().map(|breach| breach.since).min().unwrap_or(incident.since),
            watch_due: incident.watched_until,
            incident,
            counted,
            over: Vec::new(),
            marks,
            assessed: Timestamp::default(),
        }
    }

    /// Counts a check, if a rule of this incident watches its probe.
    pub(super) fn count(&mut self, entry: &Entry) {
        if self.counted.covers(entry.probe) {
            self.counted.add(entry);
        }
    }

    /// How much speaks for a bad check being of this incident; 0 when nothing does.
    pub(super) fn likeness(&self, entry: &Entry, config: &Config) -> u32 {
        let probe = config.probes.get(entry.probe).filter(|_| self.counted.covers(entry.probe));
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
            self.counted.clear();
            return self.come_back(breach, reason, breach_since, at, view);
        }
        let new = self.counted.widen(&breach, view.config);
        self.marks.absorb(breach.marks.clone());
        for entry in view.detector.history().since(since).filter(|entry| new.contains(&entry.probe)) {
            if !entry.bad || self.likeness(entry, view.config) > 0 {
                self.counted.add(entry);
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
        self.counted.widen(&breach, view.config);
        self.marks = breach.marks.clone();
        for entry in view.detector.history().since(since) {
            if !entry.bad || self.likeness(entry, view.config) > 0 {
                self.count(entry);
            }
        }
        self.watch_due = None;
        let finding = self.first_finding(&breach, view);
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

    /// The wall clock was set back by so much: what is reckoned by it goes on as it was.
    pub(super) fn set_back(&mut self, by: Duration) {
        (self.assessed, self.from) = (self.assessed - by, self.from - by);
    }

    /// Makes an event and lets it happen.
    pub(super) fn event(&mut self, at: Timestamp, change: IncidentChange) -> IncidentEvent {
        let event = IncidentEvent { incident: self.incident.id, seq: self.incident.next_event, at, change };
        lifecycle::apply(&mut self.incident, &event);
        event
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
