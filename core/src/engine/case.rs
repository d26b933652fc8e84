//! A case: an incident together with the counts that say what its checks have in common.

mod assess;
mod corrected;
mod counted;
mod parts;
mod time;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use crate::config::Config;
use crate::detect::Detector;
use crate::detect::history::Entry;
use crate::incident::{correlate, explain, lifecycle};
use crate::model::{
    Breach, BreachId, Corrected, Example, FailureClass, Finding, Incident, IncidentChange, IncidentEvent, IncidentId,
    Marks, Part, Probe, ProbeIndex, Timestamp,
};

use super::steady::SteadyClock;
pub(super) use corrected::Said;
use counted::Counted;

/// The last failure of each probe that fails.
pub(super) type Examples = BTreeMap<ProbeIndex, (FailureClass, Example)>;

/// An incident and its counts.
pub(super) struct Case {
    pub(super) incident: Incident,
    /// From when on its checks count: what failed before it was last well is told of no more.
    pub(super) from: Timestamp,
    /// From when until when it failed before it last came back, the last of these times.
    before: VecDeque<(Timestamp, Timestamp)>,
    counted: Counted,
    /// What it did to each component before it last came back.
    earlier: Vec<Part>,
    /// By the record, what it did to components that it hit before all that a start counts again.
    recorded: Vec<Part>,
    /// How far the wall clock was set back since it ended: its times are those of the clock before.
    back: Duration,
    /// Breaches that ended after a person had resolved it.
    pub(super) over: Vec<(BreachId, String)>,
    /// What the bad checks of its breaches bear, since it was last well.
    pub(super) marks: Marks,
    /// When it was opened, or came back.
    began: Timestamp,
    /// When the counts were last made into a finding.
    assessed: Timestamp,
    /// When it has stayed well for long enough, in steady time, while it is watched.
    pub(super) watch_due: Option<Timestamp>,
    /// Why the last of its breaches was over.
    pub(super) last_cleared: String,
    /// Whether it may be over since that was last asked.
    may_end: bool,
    /// Whether more is known of it than when its checks were counted.
    pub(super) stale: bool,
    /// When they were last counted anew, in steady time.
    recounted: Timestamp,
}

/// The checks of a case are counted anew at most so often.
const RECOUNT_EVERY: Duration = Duration::from_secs(10);

/// So many earlier stretches of an incident that comes back again and again are remembered.
const MOST_STRETCHES: usize = 16;

/// An incident that came back once is watched for so long before it is over; each time it comes back, twice as long.
const FIRST_WATCH: Duration = Duration::from_secs(300);

/// A moment: by the wall clock, and by the clock that never runs backwards.
#[derive(Clone, Copy)]
pub(super) struct Moment {
    pub(super) at: Timestamp,
    pub(super) clock: SteadyClock,
}

/// What a case looks at to learn what its checks have in common.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) config: &'a Config,
    pub(super) detector: &'a Detector,
    pub(super) examples: &'a Examples,
}

impl Case {
    /// Opens an incident for a breach that belongs to none. `since` is when the first of its own bad checks ended, in steady
    /// time; `own` says whether a bad check is of no other incident.
    pub(super) fn open(
        breach: Breach,
        since: Timestamp,
        own: impl Fn(&Entry) -> bool,
        Moment { at, clock }: Moment,
        view: View<'_>,
    ) -> (Self, IncidentEvent) {
        let (mut case, _) = Self::found(breach.clone(), Finding::default(), at, view.config);
        case.counted.widen(&breach, at, view.config);
        case.marks = breach.marks.clone();
        case.recount(since, own, clock, view);
        let finding = case.first_finding(&breach, view);
        let (incident, event) = lifecycle::begin(breach, finding, at);
        (case.incident, case.stale) = (incident, true);
        (case, event)
    }

    /// Opens an incident that shows this, and counts no checks.
    pub(super) fn found(breach: Breach, finding: Finding, at: Timestamp, config: &Config) -> (Self, IncidentEvent) {
        let counted = Counted::new(breach.usual, config);
        let (incident, event) = lifecycle::begin(breach, finding, at);
        (Self::of(incident, counted, at), event)
    }

    /// Takes up a stored incident; its counts come from the results that are replayed after.
    pub(super) fn resume(incident: Incident, config: &Config) -> Self {
        let last = incident.last_stretch();
        let usual = last.iter().find_map(|breach| breach.usual);
        let mut case = Self::of(incident, Counted::new(usual, config), Timestamp::default());
        let Self { incident, counted, marks, began, .. } = &mut case;
        incident.breaches.iter().for_each(|breach| _ = counted.cover(breach, config));
        incident.last_stretch().iter().for_each(|breach| _ = counted.widen(breach, *began, config));
        incident.last_stretch().iter().for_each(|breach| marks.absorb(breach.marks.clone()));
        case.may_end = case.incident.is_failing() && !case.incident.has_breach();
        case.recorded.clone_from(&case.incident.finding.parts);
        case
    }

    /// What ended at this wall-clock time, and what ended later, is counted again.
    pub(super) fn counts_from(&mut self, first: Timestamp) {
        self.recorded.retain(|part| part.last < first);
    }

    fn of(incident: Incident, counted: Counted, assessed: Timestamp) -> Self {
        let last = incident.last_stretch();
        Self {
            from: last.iter().map(|breach| breach.since).min().unwrap_or(incident.since),
            before: time::before(&incident),
            earlier: incident.finding.earlier.clone(),
            recorded: Vec::new(),
            back: Duration::ZERO,
            began: last.first().map_or(incident.opened, |breach| breach.found),
            watch_due: incident.watched_until,
            incident,
            counted,
            over: Vec::new(),
            marks: Marks::default(),
            assessed,
            last_cleared: "all that failed has recovered".to_owned(),
            may_end: false,
            stale: false,
            recounted: Timestamp::default(),
        }
    }

    /// Counts a check, if a rule of this incident watches its probe.
    pub(super) fn count(&mut self, entry: &Entry, clock: SteadyClock) {
        if self.counted.covers(entry.probe) {
            self.counted.add(entry, clock.to_wall(entry.at));
            self.may_end |= !entry.bad;
        }
    }

    /// Whether this bad check is among those of an earlier stretch, which are not counted again: after a merge, what is left of
    /// the other's may reach back there.
    pub(super) fn has_counted(&self, entry: &Entry, clock: SteadyClock, config: &Config) -> bool {
        let Some(probe) = config.probes.get(entry.probe).filter(|_| !self.earlier.is_empty()) else { return false };
        let ended = clock.to_wall(entry.at);
        self.earlier.iter().any(|part| part.component == probe.component && ended <= part.last)
    }

    /// Counts the recent past from this moment of steady time on: the bad checks that are its own, and all good ones.
    fn recount(&mut self, since: Timestamp, own: impl Fn(&Entry) -> bool, clock: SteadyClock, view: View<'_>) {
        for entry in view.detector.history().since(since) {
            if !entry.bad || self.likeness(entry, view.config) > 0 && own(entry) {
                self.count(entry, clock);
            }
        }
    }

    /// Whether more is known of it than when its checks were counted, and they were not counted anew just now.
    pub(super) fn is_stale(&self, at: Timestamp) -> bool {
        // What people merged and split was counted by what was known then.
        self.stale && at.since(self.recounted) >= RECOUNT_EVERY && self.incident.corrected == Corrected::default()
    }

    /// Counts anew all that came since it was opened or came back, by what is known now, as a start does that counts it from
    /// what is stored: these checks, its own bad ones and all good ones. Not where it began longer ago than the past that is
    /// remembered.
    pub(super) fn count_anew(&mut self, own: &[Entry], clock: SteadyClock, view: View<'_>) {
        (self.stale, self.recounted, self.may_end) = (false, clock.given(), true);
        if view.detector.history().reaches(clock.to_steady(self.from)) {
            let last = self.incident.last_stretch();
            self.counted.clear(last.iter().find_map(|breach| breach.usual));
            last.iter().for_each(|breach| _ = self.counted.widen(breach, self.began, view.config));
            own.iter().for_each(|entry| self.count(entry, clock));
        }
    }

    /// How much speaks for a bad check being of this incident; 0 when nothing does.
    pub(super) fn likeness(&self, entry: &Entry, config: &Config) -> u32 {
        let Some(probe) = config.probes.get(entry.probe).filter(|_| self.counted.covers(entry.probe)) else {
            return 0;
        };
        if !self.tells_of_components() {
            return 0;
        }
        let last = self.incident.last_stretch();
        let is_slow = |breach: &Arc<Breach>| breach.marks.classes.is_empty() && !breach.marks.components.is_empty();
        if entry.class.is_none() && !last.iter().any(is_slow) {
            return 0;
        }
        let is_wide = |breach: &Arc<Breach>| {
            let of_one = correlate::component_of(&breach.slice, config).is_some();
            breach.cleared.is_none() && !of_one && breach.slice.covers(probe)
        };
        let wide = || last.iter().any(is_wide);
        explain::likeness(&self.marks, &self.incident.finding, probe, entry.class, wide, config)
    }

    /// Takes in another breach, while it fails. `since` is when the first of the breach's own bad checks ended, in steady
    /// time.
    pub(super) fn join(
        &mut self,
        breach: Breach,
        reason: String,
        since: Timestamp,
        own: impl Fn(&Entry) -> bool,
        Moment { at, clock }: Moment,
        view: View<'_>,
    ) -> IncidentEvent {
        let new = self.counted.widen(&breach, self.began, view.config);
        self.marks.absorb(breach.marks.clone());
        let since = since.min(clock.to_steady(self.from));
        let recent = (!new.is_empty()).then(|| view.detector.history().since(since)).into_iter().flatten();
        for entry in recent.filter(|entry| new.contains(&entry.probe)) {
            let is_own = !self.was_before(entry.at, clock) && self.likeness(entry, view.config) > 0 && own(entry);
            if !entry.bad || is_own {
                self.counted.add(entry, clock.to_wall(entry.at));
            }
        }
        (self.may_end, self.stale, self.from) = (true, true, self.from.min(breach.since));
        self.event(at, IncidentChange::Joined { breach, reason })
    }

    /// Takes in the breach with which it comes back, be it watched or over. `since` is when the first of the breach's own
    /// bad checks ended, in steady time.
    pub(super) fn come_back(
        &mut self,
        breach: Breach,
        reason: String,
        since: Timestamp,
        own: impl Fn(&Entry) -> bool,
        Moment { at, clock }: Moment,
        view: View<'_>,
    ) -> Vec<IncidentEvent> {
        // It was well in between: what is told from now on is what fails now, not what failed then.
        if let Some(recovered) = self.recovered() {
            self.before.push_back((self.from, recovered));
            self.before.drain(..self.before.len().saturating_sub(MOST_STRETCHES));
        }
        (self.from, self.began, self.watch_due, self.stale) = (breach.since, at, None, true);
        self.earlier = self.account(view.config);
        (self.recorded, self.back) = (Vec::new(), Duration::ZERO);
        self.counted.clear(breach.usual);
        self.counted.widen(&breach, at, view.config);
        self.marks = breach.marks.clone();
        let back = if self.incident.is_open() {
            IncidentChange::Joined { breach: breach.clone(), reason }
        } else {
            IncidentChange::Reopened { breach: breach.clone(), reason }
        };
        let mut news = vec![self.event(at, back)];
        // What ended meanwhile must not hold open what goes on now.
        for (breach, reason) in std::mem::take(&mut self.over) {
            news.push(self.event(at, IncidentChange::Cleared { breach, reason }));
        }
        self.recount(since, own, clock, view);
        let finding = self.first_finding(&breach, view);
        if finding.bad > 0 {
            let reason = "it is back, and this is what fails now".to_owned();
            news.push(self.event(at, IncidentChange::Assessed { finding, reason, worse: false }));
        }
        news
    }

    /// A breach of it is over.
    pub(super) fn clear(&mut self, breach: BreachId, reason: String, at: Timestamp) -> IncidentEvent {
        self.may_end = true;
        self.last_cleared.clone_from(&reason);
        self.event(at, IncidentChange::Cleared { breach, reason })
    }

    /// The incident, if it may be over since this was last asked.
    pub(super) fn take_may_end(&mut self) -> Option<IncidentId> {
        std::mem::take(&mut self.may_end).then_some(self.incident.id)
    }

    /// Since when no more of its checks fail than usual; nothing inside where no rule of it judges a share, and nothing at
    /// all while more fail.
    pub(super) fn well_since(&self) -> Option<Option<Timestamp>> {
        self.counted.well_since()
    }

    /// What it did to each component in all.
    fn account(&self, config: &Config) -> Vec<Part> {
        let parts = self.counted.parts().of(&self.incident.finding.components, config);
        let fallback = || self.incident.finding.parts.clone();
        let parts = if parts.is_empty() { fallback() } else { parts };
        Finding { parts, earlier: self.earlier.clone(), ..Finding::default() }.account()
    }

    /// Whether it is about components: not about a certificate, or our own sight.
    pub(super) fn tells_of_components(&self) -> bool {
        !self.marks.components.is_empty()
    }

    /// The probes with bad checks of its own.
    pub(super) fn hit_probes<'c>(&self, config: &'c Config) -> impl Iterator<Item = &'c Probe> {
        self.counted.bad_probes(config)
    }

    /// The wall clock was set back by so much: what is reckoned by it goes on as it was. The record of one that is over keeps
    /// the times of the clock before.
    pub(super) fn set_back(&mut self, by: Duration) {
        if !self.incident.is_open() {
            self.back += by;
        }
        (self.assessed, self.from, self.began) = (self.assessed - by, self.from - by, self.began - by);
        self.counted.set_back(by);
        self.earlier.iter_mut().chain(&mut self.recorded).for_each(|part| part.set_back(by));
        self.before.iter_mut().for_each(|(from, until)| (*from, *until) = (*from - by, *until - by));
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
            let mut finding = self.finding(view);
            // All its checks together show that: a part of them alone may be too few.
            finding.parts.iter_mut().for_each(|part| part.fails = false);
            return self.event(at, IncidentChange::Resolved { by: None, reason, finding, unwatched: false });
        }
        let doubled = FIRST_WATCH.saturating_mul(1 << self.incident.flaps.saturating_sub(1).min(10));
        let hold = doubled.min(view.config.reopen_within);
        self.watch_due = Some(steady + hold);
        self.event(at, IncidentChange::Watched { until: at + hold, reason })
    }
}
