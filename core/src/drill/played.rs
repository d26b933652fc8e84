//! An incident of a drill, and what it is about.

use std::sync::Arc;
use std::time::Duration;

use super::owed::{Owed, Seen};
use super::scenario::{Fault, Scenario};
use super::take::Take;
use crate::config::Config;
use crate::model::{Finding, Incident, IncidentChange, IncidentEvent, NotificationKind, Probe, Timestamp};

/// An incident of a drill.
#[derive(Clone, PartialEq, Debug)]
pub struct Played {
    /// As it stood in the end.
    pub incident: Incident,
    /// When its first bad check ended.
    pub since: Duration,
    /// When it was opened.
    pub opened: Duration,
    /// When it was over.
    pub resolved: Option<Duration>,
    /// Whether it was a false alarm.
    pub false_alarm: bool,
    /// The places of the faults, in the scenario, that it was open for.
    pub faults: Vec<usize>,
    /// When the earliest of them began and the last ended. Of an incident that says that Tripline cannot see: of the
    /// times without a network.
    pub cause: Option<(Duration, Duration)>,
    /// From the beginning of its cause to the first message that it is open, worse or back; without receivers, to its
    /// opening.
    pub detected: Option<Duration>,
}

/// What went wrong in a drill, with everything that incidents can be of. Times are those of the take.
pub(super) struct Script<'a> {
    start: Timestamp,
    configs: Vec<&'a Arc<Config>>,
    pub(super) faults: Vec<Fault>,
    offline: Vec<(Duration, Duration)>,
}

impl<'a> Script<'a> {
    pub(super) fn new(config: &'a Arc<Config>, scenario: &'a Scenario, take: Take) -> Self {
        let later = |at: &Duration| at.saturating_add(take.shift);
        let faults = scenario.faults.iter().map(|fault| Fault {
            from: later(&fault.from),
            until: later(&fault.until),
            ..fault.clone()
        });
        Self {
            start: scenario.start,
            configs: scenario.configs(config).collect(),
            faults: faults.collect(),
            offline: scenario.offline.iter().map(|(from, until)| (later(from), later(until))).collect(),
        }
    }

    /// Whether there never is anybody who could be told.
    pub(super) fn tells_nobody(&self) -> bool {
        self.configs.iter().all(|config| config.receivers.is_empty())
    }

    /// A moment of true time, counted from the drill's start.
    pub(super) fn since_start(&self, at: Timestamp) -> Duration {
        at.since(self.start)
    }

    fn probes(&self) -> impl Iterator<Item = &Probe> {
        self.configs.iter().flat_map(|config| config.probes.iter())
    }
}

/// Whether a message tells of something that goes on. That something is over, or still open, tells nobody of a fault that
/// has just begun.
pub(super) fn tells(owed: &Owed) -> bool {
    !matches!(owed.what.kind, NotificationKind::Resolved | NotificationKind::Reminder)
}

impl Played {
    /// What became of an incident, by all that happened and all that was owed.
    pub(super) fn new(
        incident: Incident,
        events: &[Seen<IncidentEvent>],
        owed: &[Owed],
        script: &Script<'_>,
    ) -> Option<Self> {
        let mut own = events.iter().filter(|event| event.what.incident == incident.id);
        let opening = own.next()?;
        let resolved = own.rfind(|event| matches!(event.what.change, IncidentChange::Resolved { .. }));
        let resolved = resolved.filter(|_| !incident.is_open());
        // Wall time and true time part where the clock was set, not between a breach and its opening.
        let opened = script.since_start(opening.at);
        let since = opened.saturating_sub(incident.opened.since(incident.since));
        let mut played = Self {
            since,
            opened,
            resolved: resolved.map(|event| script.since_start(event.at)),
            false_alarm: false,
            faults: Vec::new(),
            cause: None,
            detected: None,
            incident,
        };
        let shown = events.iter().filter(|event| event.what.incident == played.incident.id);
        let shown: Vec<&Finding> = shown.filter_map(|event| event.what.change.finding()).collect();
        let own = script.faults.iter().enumerate().filter(|(_, fault)| played.is_of(fault, &shown, script));
        played.faults = own.map(|(place, _)| place).collect();
        let ours = played.incident.is_our_own();
        let on = script.faults.iter().any(|fault| fault.is_on(opened));
        played.false_alarm = played.faults.is_empty() && !on && !ours;
        played.cause = played.cause(script);
        played.detected = played.detected(owed, script);
        Some(played)
    }

    /// Whether it is of this fault: it names probes that the fault can hit, and its failing began while that was on, or
    /// it was open then. One that says that Tripline cannot see is of no fault: it tells nothing of the service.
    fn is_of(&self, fault: &Fault, shown: &[&Finding], script: &Script<'_>) -> bool {
        if self.incident.is_our_own() {
            return false;
        }
        // What it showed at any time: in the end it may be about what failed last.
        let mut named = script.probes().filter(|probe| shown.iter().any(|finding| self.names(finding, probe)));
        // A check that began in it may end after it.
        let longest = script.probes().map(Probe::longest_check).max().unwrap_or_default();
        self.meets(fault.from, fault.until, longest) && named.any(|probe| fault.over.covers(probe))
    }

    /// Whether a finding names what this probe asks.
    fn names(&self, finding: &Finding, probe: &Probe) -> bool {
        if finding.components.is_empty() {
            // What it says is no share of checks: then its breaches say whom it is about.
            return self.incident.breaches.iter().any(|breach| breach.slice.covers(probe));
        }
        finding.components.contains(&probe.component)
            && finding.factor.as_ref().is_none_or(|factor| factor.bears(probe))
    }

    /// Whether it was open between these, or its failing began then, or so much later at most.
    fn meets(&self, from: Duration, until: Duration, later: Duration) -> bool {
        let open = self.opened < until && self.resolved.is_none_or(|resolved| resolved > from);
        open || (from <= self.since && self.since <= until.saturating_add(later))
    }

    fn cause(&self, script: &Script<'_>) -> Option<(Duration, Duration)> {
        let faults = self.faults.iter().filter_map(|place| script.faults.get(*place));
        let mut times: Vec<(Duration, Duration)> = faults.map(|fault| (fault.from, fault.until)).collect();
        if self.incident.is_our_own() {
            let offline = script.offline.iter().filter(|(from, until)| self.meets(*from, *until, Duration::ZERO));
            times.extend(offline);
        }
        let began = times.iter().map(|(from, _)| *from).min()?;
        let ended = times.iter().map(|(_, until)| *until).max()?;
        Some((began, ended))
    }

    fn detected(&self, owed: &[Owed], script: &Script<'_>) -> Option<Duration> {
        let (began, _) = self.cause?;
        if script.tells_nobody() {
            return self.opened.checked_sub(began);
        }
        let mut own = owed.iter().filter(|owed| owed.what.incident == self.incident.id && tells(owed));
        own.find_map(|owed| script.since_start(owed.at).checked_sub(began))
    }
}
