//! Drive: the engine, a clock that is set from outside, and all that came out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::memory::Memory;
use super::owed::{Owed, Seen};
use crate::config::Config;
use crate::engine::{Engine, Input, Output, Restoring, restart};
use crate::incident::lifecycle;
use crate::model::{
    Action, ActionId, ActionKind, CheckResult, Incident, IncidentChange, IncidentEvent, IncidentId, Named,
    Notification, NotificationId, Outcome, ProbeId, ReceiverId, Timestamp, Undelivered,
};

/// How many checks were judged, and what they came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// All of them.
    pub checks: u64,
    /// Those that failed.
    pub failed: u64,
    /// Those in which nobody looked.
    pub void: u64,
    /// Failed tries that another followed, which are no checks of their own.
    pub again: u64,
}

/// An engine that is fed results, with everything that came out of it.
///
/// Hand in what ended in the order of time; between two results time passes by itself, as it does in the daemon.
/// [`Drive::pass`] lets the rest of the time pass. Every time that is handed in is one of the wall clock.
pub struct Drive {
    engine: Engine,
    /// How far the wall clock is ahead of true time, in milliseconds.
    ahead: i64,
    /// The wall clock, as far as is known.
    now: Timestamp,
    counts: Counts,
    events: Vec<Seen<IncidentEvent>>,
    owed: Vec<Owed>,
    /// What the messages name that the engine is about to give out.
    named: BTreeMap<NotificationId, Named>,
    refusals: Vec<Refusal>,
    open: BTreeSet<IncidentId>,
    acts: i64,
    memory: Memory,
}

/// What the mail server of a drill says that refuses a message for good.
const REFUSAL: &str = "550 5.1.1 no such user";

/// A time in which mail is refused for good. Times are true.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// From then on.
    pub from: Timestamp,
    /// Until then.
    pub until: Timestamp,
    /// Mail to this receiver; all mail without.
    pub receiver: Option<ReceiverId>,
}

impl Drive {
    /// A drive that begins now, with nothing stored.
    #[must_use]
    pub fn new(config: &Arc<Config>, now: Timestamp) -> Self {
        Self {
            // What is to come is expected from now on.
            engine: Restoring::new(Arc::clone(config), Vec::new()).settle(now),
            ahead: 0,
            now,
            counts: Counts::default(),
            events: Vec::new(),
            owed: Vec::new(),
            named: BTreeMap::new(),
            refusals: Vec::new(),
            open: BTreeSet::new(),
            acts: 0,
            memory: Memory::default(),
        }
    }

    /// Keeps the results from this moment of true time on, so that [`Drive::restart`] and [`Drive::reload`] can replay
    /// them.
    pub fn remember(&mut self, from: Option<Timestamp>) {
        self.memory.remember(from);
    }

    /// What becomes owed in these times is refused for good.
    pub fn refuse(&mut self, refusals: Vec<Refusal>) {
        self.refusals = refusals;
    }

    /// Hands in a result that comes in at `now`.
    pub fn result(&mut self, result: CheckResult, now: Timestamp) {
        self.pass(now);
        self.engine.handle(Input::Result(result), now);
        self.drain(now);
    }

    /// Does something to every open incident, as a person would. Returns how many there were.
    pub fn act(&mut self, kind: ActionKind, by: &str, text: &str, now: Timestamp) -> usize {
        self.pass(now);
        let open = self.open.clone();
        for &incident in &open {
            let (other, parts) = (None, BTreeSet::new());
            let action = Action { at: now, incident, kind, by: by.into(), text: text.into(), other, parts };
            self.acts += 1;
            self.engine.handle(Input::Action(ActionId(self.acts), action), now);
            self.drain(now);
        }
        open.len()
    }

    /// Lets time pass up to, and not including, `now`.
    pub fn pass(&mut self, now: Timestamp) {
        while let Some(due) = self.engine.poll_timeout() {
            let at = due.max(self.now);
            if at >= now {
                break;
            }
            self.now = at;
            self.engine.handle(Input::Timeout, at);
            self.drain(at);
            // The wall clock may stand before what is due; then it is waited for, as the daemon does.
            if self.engine.poll_timeout() == Some(due) {
                break;
            }
        }
        self.now = self.now.max(now);
    }

    /// Stops, as the daemon does: what still waits to be judged is void.
    pub fn stop(&mut self, now: Timestamp) {
        self.pass(now);
        self.engine.finish(now);
        self.drain(now);
    }

    /// Sets the wall clock forth, or back, by so many milliseconds.
    pub fn step(&mut self, now: Timestamp, by: i64) {
        self.pass(now);
        self.step_asleep(by);
    }

    /// The same while the process is stopped: it does not notice.
    pub fn step_asleep(&mut self, by: i64) {
        self.ahead = self.ahead.saturating_add(by);
        self.now = shifted(self.now, by);
    }

    /// The process was stopped and goes on at `now`. What was due meanwhile is due then, after the results that come in.
    pub fn wake(&mut self, now: Timestamp) {
        self.now = self.now.max(now);
    }

    /// The wall clock's time at this moment of true time.
    #[must_use]
    pub fn wall(&self, true_time: Timestamp) -> Timestamp {
        shifted(true_time, self.ahead)
    }

    /// The moment of true time at which the wall clock shows this.
    #[must_use]
    pub fn true_time(&self, wall: Timestamp) -> Timestamp {
        shifted(wall, self.ahead.saturating_neg())
    }

    /// The process is killed and started again: the engine is rebuilt from what would be stored, as the daemon does it.
    pub fn restart(&mut self, now: Timestamp) {
        self.pass(now);
        self.memory.lose(self.true_time(now));
        self.rebuild(Arc::clone(self.engine.config()), now);
    }

    /// The config is replaced: the engine is rebuilt for it from what is stored, as the daemon does it, and what waits
    /// to be judged is handed over.
    pub fn reload(&mut self, config: Arc<Config>, now: Timestamp) {
        self.pass(now);
        self.memory.store();
        let waiting = self.engine.take_waiting();
        self.rebuild(config, now);
        for result in waiting {
            self.engine.handle(Input::Result(result), now);
            self.drain(now);
        }
    }

    /// When each of these jobs called last, as far as that would be stored, in this time at most.
    #[must_use]
    pub fn last_calls(&self, jobs: &BTreeSet<&ProbeId>, since: Timestamp) -> BTreeMap<ProbeId, Timestamp> {
        self.memory.last_calls(jobs, since)
    }

    fn rebuild(&mut self, config: Arc<Config>, now: Timestamp) {
        let recent = now - restart::ENDED_EARLY;
        let mut incidents = self.incidents();
        incidents.retain(|incident| incident.is_open() || incident.resolved.is_some_and(|at| at >= recent));
        incidents.retain(|incident| restart::lasts(incident, &config, now));
        let from = restart::replay_from(&config, &incidents, now);
        let mut restoring = Restoring::new(config, incidents);
        for judged in self.memory.since(from) {
            restoring.replay(judged);
        }
        self.engine = restoring.settle(now);
        self.drain(now);
    }

    /// The incidents as they stand, in the order in which they were opened.
    #[must_use]
    pub fn incidents(&self) -> Vec<Incident> {
        let mut histories: BTreeMap<IncidentId, Vec<IncidentEvent>> = BTreeMap::new();
        let mut order = Vec::new();
        for Seen { what: event, .. } in &self.events {
            let history = histories.entry(event.incident).or_default();
            if history.is_empty() {
                order.push(event.incident);
            }
            history.push(event.clone());
        }
        order.iter().filter_map(|id| lifecycle::fold(histories.get(id)?).ok()).collect()
    }

    /// What happened to incidents, in the order in which it happened.
    #[must_use]
    pub fn events(&self) -> &[Seen<IncidentEvent>] {
        &self.events
    }

    /// The messages that became owed, in their order.
    #[must_use]
    pub fn owed(&self) -> &[Owed] {
        &self.owed
    }

    /// How many checks were judged.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// The engine as it stands.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Ends, and gives out everything that came out.
    #[must_use]
    pub fn finish(self) -> (Counts, Vec<Seen<IncidentEvent>>, Vec<Owed>) {
        (self.counts, self.events, self.owed)
    }

    fn count(&mut self, result: &CheckResult) {
        if result.superseded {
            self.counts.again += 1;
            return;
        }
        self.counts.checks += 1;
        match result.outcome {
            Outcome::Failure(_) => self.counts.failed += 1,
            Outcome::Void(_) => self.counts.void += 1,
            Outcome::Success => {}
        }
    }

    fn drain(&mut self, now: Timestamp) {
        let at = self.true_time(now);
        let mut news = false;
        let mut refused = Vec::new();
        while let Some(output) = self.engine.poll_output() {
            match output {
                Output::Result(judged) => {
                    self.count(&judged.result);
                    self.memory.keep(judged, at);
                }
                Output::Event(event) => {
                    self.follow(&event);
                    news = true;
                    self.events.push(Seen { at, what: event });
                }
                Output::Owed(notification) => {
                    let named = self.named.remove(&notification.id);
                    if self.refusals.iter().any(|refusal| refusal.hits(&notification.receiver, at)) {
                        refused.push(notification.id);
                    }
                    self.owed.push(Owed { at, what: notification, named, refused: false });
                }
                Output::Answer(..) => news = true,
                Output::Incident(_) | Output::Recheck(..) => {}
            }
        }
        if news {
            // News does not wait, and takes with it what does.
            self.memory.store();
        }
        for id in refused {
            self.refused_for_good(id, now);
        }
    }

    /// Keeps what later outputs are understood by.
    fn follow(&mut self, event: &IncidentEvent) {
        match &event.change {
            IncidentChange::Opened { .. } | IncidentChange::Reopened { .. } => {
                self.open.insert(event.incident);
            }
            IncidentChange::Resolved { .. } => {
                self.open.remove(&event.incident);
            }
            IncidentChange::Told { notification, named: Some(named), .. } => {
                self.named.insert(*notification, named.clone());
            }
            _ => {}
        }
    }

    /// The mail server of this message has just refused it for good, at every address.
    fn refused_for_good(&mut self, id: NotificationId, now: Timestamp) {
        let mut failed = Vec::new();
        for owed in self.owed.iter_mut().rev().filter(|owed| owed.what.id == id) {
            owed.refused = true;
            let Notification { incident, id: notification, receiver, destinations, .. } = &owed.what;
            failed.extend(destinations.iter().map(|to| Undelivered {
                incident: *incident,
                notification: *notification,
                receiver: receiver.clone(),
                address: to.address.clone(),
                why: REFUSAL.into(),
            }));
        }
        for undelivered in failed {
            self.engine.handle(Input::Undelivered(undelivered), now);
            self.drain(now);
        }
    }
}

impl Refusal {
    fn hits(&self, receiver: &ReceiverId, at: Timestamp) -> bool {
        self.from <= at && at < self.until && self.receiver.as_ref().is_none_or(|only| only == receiver)
    }
}

fn shifted(time: Timestamp, by: i64) -> Timestamp {
    Timestamp::from_millis(time.as_millis().saturating_add(by))
}
