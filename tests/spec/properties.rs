//! What holds of the engine whatever happens: checks that fail or not, in any order and with clocks that jump, people
//! who act, and restarts at any moment.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use tripline::backtest::Replay;
use tripline::config::{self, Config, Outside};
use tripline::detect;
use tripline::engine::{Engine, Input, Output};
use tripline::incident::lifecycle;
use tripline::model::{
    Action, ActionId, ActionKind, CheckResult, FailureClass, Incident, IncidentChange, IncidentEvent, IncidentId,
    NotificationId, Outcome, ProbeId, Timestamp, VoidReason,
};

use crate::given::{START, failure, seconds, success};

/// Three components, four customers, rules of every kind, and receivers who are reminded or not.
const CONFIG: &str = r#"
name: Forge
defaults: {interval: 20s, timeout: 10s}
cohorts: {workspace: [acme, globex, initech, umbrella]}
components: {website: {name: Website}, api: {name: API}, git: {name: Git}}
probes:
  page: {component: website, for_each: [workspace], http: {url: "https://forge.example/{{workspace}}/"}}
  repos: {component: api, for_each: [workspace], http: {url: "https://forge.example/api/{{workspace}}"}}
  refs: {component: git, for_each: [workspace], http: {url: "https://forge.example/{{workspace}}.git"}}
rules:
  spike:
    bad: failure == "not_found"
    above: 5%
    within: 2m
    at_least: 3
    per: [workspace]
    severity: major
    clear: {below: 1%, for: 1m}
    tell: [oncall]
  api-fails: {over: {components: [api]}, above: 30%, within: 1m, at_least: 2, severity: critical, clear: {below: 10%, for: 30s}}
  down: {consecutive: 3, severity: minor, tell: [chat]}
  unusual: {change: {}}
receivers:
  oncall: {email: {from: t@example.com, to: [a@example.com], smtp: "smtp://127.0.0.1:25?tls=none"}, remind: 10m}
  chat: {email: {from: t@example.com, to: [b@example.com], smtp: "smtp://127.0.0.1:25?tls=none"}}
"#;
const PROBES: usize = 12;

/// The config names nothing outside.
struct Nothing;

impl Outside for Nothing {
    fn env(&self, _: &str) -> Option<String> {
        None
    }

    fn file(&self, path: &str) -> Result<Vec<u8>, String> {
        Err(format!("there is no {path}"))
    }
}

fn config() -> Arc<Config> {
    let config = config::load("probes.yaml", CONFIG, &Nothing).unwrap();
    assert_eq!(config.probes.len(), PROBES);
    Arc::new(config)
}

/// What happens next.
#[derive(Clone, Debug)]
enum Step {
    /// A check ends, so long after the step before, as told by a clock that is off by so much.
    Check { probe: usize, after: u64, off: i64, outcome: Outcome },
    /// Every probe is checked, one after the other within 20 s; the probes of the mask fail.
    Round { failing: u16, class: FailureClass },
    /// Nothing is checked for so many seconds.
    Silence(u64),
    /// The wall clock is set, by so many seconds.
    ClockSet(i64),
    /// Somebody acts on an incident: so many after the first that was opened, and around.
    Act(usize, ActionKind),
}

fn class() -> impl Strategy<Value = FailureClass> {
    prop_oneof![Just(FailureClass::NotFound), Just(FailureClass::Timeout), Just(FailureClass::ServerError)]
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        4 => Just(Outcome::Success),
        4 => class().prop_map(Outcome::Failure),
        1 => Just(Outcome::Void(VoidReason::Overrun)),
    ]
}

/// All well, one customer hit, one component hit, everything down, or anything.
fn failing() -> impl Strategy<Value = u16> {
    prop_oneof![
        3 => Just(0),
        2 => (0..4_u32).prop_map(|workspace| 0b0001_0001_0001 << workspace),
        1 => (0..3_u32).prop_map(|component| 0b1111 << (4 * component)),
        1 => Just(0xfff),
        1 => 0..0x1000_u16,
    ]
}

fn check(off: std::ops::Range<i64>) -> impl Strategy<Value = Step> {
    (0..PROBES, 0..8_000_u64, off, outcome()).prop_map(|(probe, after, off, outcome)| Step::Check {
        probe,
        after,
        off,
        outcome,
    })
}

fn rounds() -> impl Strategy<Value = Vec<Step>> {
    (failing(), class(), 1..8_usize).prop_map(|(failing, class, count)| vec![Step::Round { failing, class }; count])
}

fn act() -> impl Strategy<Value = Step> {
    let kind = prop_oneof![
        Just(ActionKind::Acknowledge),
        Just(ActionKind::Note),
        Just(ActionKind::Identify),
        Just(ActionKind::Watch),
        Just(ActionKind::Resolve)
    ];
    (0..8_usize, kind).prop_map(|(which, kind)| Step::Act(which, kind))
}

/// Anything.
fn history() -> impl Strategy<Value = Vec<Step>> {
    let part = prop_oneof![
        6 => rounds(),
        2 => prop::collection::vec(check(-3_000..3_000), 1..12),
        1 => (1..2_000_u64).prop_map(|seconds| vec![Step::Silence(seconds)]),
        1 => (-7_200..7_200_i64).prop_map(|seconds| vec![Step::ClockSet(seconds)]),
        1 => act().prop_map(|act| vec![act]),
    ];
    prop::collection::vec(part, 1..14).prop_map(|parts| parts.concat())
}

/// An engine, its driver, and everything that came out.
struct Drive {
    config: Arc<Config>,
    engine: Engine,
    now: Timestamp,
    next_action: i64,
    results: Vec<CheckResult>,
    events: BTreeMap<IncidentId, Vec<IncidentEvent>>,
    /// In the order in which they were opened.
    opened: Vec<IncidentId>,
    told: BTreeSet<NotificationId>,
}

impl Drive {
    fn new(config: &Arc<Config>) -> Self {
        Self {
            config: Arc::clone(config),
            engine: Engine::restore(Arc::clone(config), Vec::new()),
            now: START,
            next_action: 0,
            results: Vec::new(),
            events: BTreeMap::new(),
            opened: Vec::new(),
            told: BTreeSet::new(),
        }
    }

    fn play(&mut self, steps: &[Step]) -> Result<(), TestCaseError> {
        steps.iter().try_for_each(|step| self.step(step))
    }

    fn step(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match step {
            Step::Check { probe, after, off, outcome } => {
                self.wait(Duration::from_millis(*after))?;
                let ended = if *off < 0 {
                    self.now - Duration::from_millis(off.unsigned_abs())
                } else {
                    self.now + Duration::from_millis(off.unsigned_abs())
                };
                self.check(*probe, ended, *outcome)
            }
            Step::Round { failing, class } => (0..PROBES).try_for_each(|probe| {
                self.wait(Duration::from_millis(20_000 / PROBES as u64))?;
                // Neighbours in time are of different components and customers.
                let probe = probe * 5 % PROBES;
                let fails = failing >> probe & 1 == 1;
                self.check(probe, self.now, if fails { Outcome::Failure(*class) } else { Outcome::Success })
            }),
            Step::Silence(length) => self.wait(seconds(*length)),
            Step::ClockSet(by) => {
                let span = seconds(by.unsigned_abs());
                self.now = if *by < 0 { self.now - span } else { self.now + span };
                self.time_out()
            }
            Step::Act(which, kind) => {
                let Some(&incident) = self.opened.iter().cycle().nth(*which) else {
                    return Ok(());
                };
                let id = ActionId(self.next_action);
                self.next_action += 1;
                let action = Action { at: self.now, incident, kind: *kind, by: "ada".into(), text: "a word".into() };
                let answers = self.hand(Input::Action(id, action), self.now)?;
                prop_assert_eq!(answers, [id], "an action has one answer");
                Ok(())
            }
        }
    }

    /// Time passes; the engine is woken whenever it asked to be.
    fn wait(&mut self, length: Duration) -> Result<(), TestCaseError> {
        let until = self.now + length;
        while let Some(due) = self.engine.poll_timeout().filter(|due| *due <= until) {
            self.now = self.now.max(due);
            self.time_out()?;
        }
        self.now = until;
        Ok(())
    }

    fn time_out(&mut self) -> Result<(), TestCaseError> {
        self.hand(Input::Timeout, self.now)?;
        let next = self.engine.poll_timeout();
        prop_assert!(next.is_none_or(|next| next > self.now), "woken at {:?}, and to be woken at {next:?}", self.now);
        Ok(())
    }

    fn check(&mut self, probe: usize, ended: Timestamp, outcome: Outcome) -> Result<(), TestCaseError> {
        let probe: &ProbeId = &self.config.probes[probe].id;
        let template = if outcome.failure().is_some() { failure } else { success };
        let mut result = CheckResult { outcome, ..template(probe.as_str(), ended) };
        result.phases.total = Duration::from_millis(40);
        result.started = ended - result.phases.total;
        // As the daemon does it: a result is handed in at the time of its end.
        let answers = self.hand(Input::Result(result), ended)?;
        prop_assert_eq!(answers, []);
        Ok(())
    }

    /// Hands an input in, takes all that comes out, and holds it against what must hold of each input.
    fn hand(&mut self, input: Input, now: Timestamp) -> Result<Vec<ActionId>, TestCaseError> {
        self.engine.handle(input, now);
        self.drain()
    }

    fn drain(&mut self) -> Result<Vec<ActionId>, TestCaseError> {
        let (mut touched, mut announced, mut owed, mut answers) =
            (BTreeSet::new(), Vec::new(), Vec::new(), Vec::new());
        while let Some(output) = self.engine.poll_output() {
            match output {
                Output::Result(result) => self.results.push(result),
                Output::Event(event) => {
                    let id = event.incident;
                    touched.insert(id);
                    if let IncidentChange::Opened { .. } = event.change {
                        prop_assert!(!self.opened.contains(&id), "{id} is opened twice");
                        self.opened.push(id);
                    }
                    if let IncidentChange::Told { notification, receiver, kind, reason } = &event.change {
                        announced.push((*notification, id, receiver.clone(), *kind, reason.clone()));
                    }
                    let events = self.events.entry(id).or_default();
                    prop_assert_eq!(event.seq as usize, events.len(), "the numbers of {} have no gap", id);
                    let turns = |event: &&IncidentEvent| {
                        matches!(event.change, IncidentChange::Resolved { .. } | IncidentChange::Reopened { .. })
                    };
                    let last = events.iter().rfind(turns);
                    let over = last.is_some_and(|event| matches!(event.change, IncidentChange::Resolved { .. }));
                    let news = !matches!(event.change, IncidentChange::Told { .. } | IncidentChange::Reopened { .. });
                    prop_assert!(!(over && news), "after its end an incident is only told of: {event:?}");
                    events.push(event);
                }
                Output::Owed(notification) => {
                    prop_assert!(self.told.insert(notification.id), "{} is owed twice", notification.id);
                    let it = notification;
                    owed.push((it.id, it.incident, it.receiver, it.kind, it.reason));
                }
                Output::Answer(id, _) => answers.push(id),
            }
        }
        prop_assert_eq!(announced, owed, "what is told is owed, in the same breath, and the reverse");
        for id in touched {
            let folded = lifecycle::fold(&self.events[&id]);
            prop_assert_eq!(
                folded.as_ref().ok(),
                self.engine.incident(id),
                "an incident is what its events make of it"
            );
        }
        Ok(answers)
    }

    /// The daemon ends, and another starts at once with what is stored.
    fn restart(&mut self) -> Result<(), TestCaseError> {
        let incidents = self.lasting();
        let oldest = incidents.iter().filter(|incident| incident.is_open()).map(|incident| incident.since).min();
        let lookback = self.now - detect::lookback(&self.config);
        self.restart_from(oldest.map_or(lookback, |oldest| oldest.min(lookback)))
    }

    /// The incidents that a daemon takes up.
    fn lasting(&self) -> Vec<Incident> {
        let stored = self.events.values().map(|events| lifecycle::fold(events).unwrap());
        stored.filter(|incident| lifecycle::lasts(incident, self.config.reopen_within, self.now)).collect()
    }

    fn restart_from(&mut self, from: Timestamp) -> Result<(), TestCaseError> {
        let incidents = self.lasting();
        self.engine = Engine::restore(Arc::clone(&self.config), incidents);
        for result in self.results.iter().filter(|result| result.started >= from) {
            self.engine.replay(result);
        }
        self.engine.settle(self.now);
        self.drain()?;
        // The daemon's pump hands in a timeout as soon as one is due.
        if self.engine.poll_timeout().is_some_and(|due| due <= self.now) {
            self.time_out()?;
        }
        Ok(())
    }
}

/// So many cases as the tests have time for; PROPTEST_CASES asks for more.
fn cases() -> ProptestConfig {
    let asked = ProptestConfig::default();
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { asked.cases } else { 80 };
    ProptestConfig { cases, failure_persistence: None, max_shrink_iters: 20_000, ..asked }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn whatever_happens_events_and_messages_belong_to_each_other(steps in history()) {
        let config = config();
        Drive::new(&config).play(&steps)?;
    }

    #[test]
    fn whatever_happens_a_restart_opens_and_owes_nothing_twice(
        before in history(),
        after in history(),
        last in history(),
    ) {
        let config = config();
        let mut drive = Drive::new(&config);
        drive.play(&before)?;
        drive.restart()?;
        drive.play(&after)?;
        drive.restart()?;
        drive.play(&last)?;
    }

    #[test]
    fn the_stored_results_alone_give_the_same_incidents_to_the_byte(steps in unattended_history()) {
        let config = config();
        let mut drive = Drive::new(&config);
        drive.play(&steps)?;
        let mut replay = Replay::new(Arc::clone(&config));
        drive.results.iter().cloned().for_each(|result| replay.add(result));
        replay.pass(drive.now);
        let lived: BTreeMap<IncidentId, Incident> =
            drive.events.iter().map(|(id, events)| (*id, lifecycle::fold(events).unwrap())).collect();
        prop_assert_eq!(format!("{:?}", replay.incidents), format!("{lived:?}"));
    }

    #[test]
    fn a_restart_opens_the_same_incidents_as_no_restart(before in steady_history(), after in steady_history()) {
        let config = config();
        let mut through = Drive::new(&config);
        through.play(&before)?;
        let mut restarted = Drive::new(&config);
        restarted.play(&before)?;
        // As far back as there is anything: a daemon looks back a bounded time, and a run of failures that is older,
        // of a probe that was hardly checked, would begin anew.
        restarted.restart_from(START)?;
        through.play(&after)?;
        restarted.play(&after)?;
        prop_assert_eq!(&restarted.opened, &through.opened);
    }
}

#[test]
fn an_outage_after_a_restart_is_noticed_though_a_person_resolved_the_one_before() {
    let config = config();
    let mut drive = Drive::new(&config);
    let round = |failing, count| vec![Step::Round { failing, class: FailureClass::NotFound }; count];
    drive.play(&round(0xfff, 3)).unwrap();
    let first = drive.opened.len();
    drive.play(&[Step::Act(0, ActionKind::Resolve)]).unwrap();
    drive.play(&round(0, 60)).unwrap();
    drive.restart().unwrap();
    assert_eq!((first, drive.opened.len()), (1, 1));
    drive.play(&round(0xfff, 3)).unwrap();
    assert_eq!(drive.opened.len(), 2, "twenty minutes of peace lie between the two");
}

/// No clock is set, and nobody acts.
fn unattended_history() -> impl Strategy<Value = Vec<Step>> {
    let part = prop_oneof![
        6 => rounds(),
        1 => (1..2_000_u64).prop_map(|seconds| vec![Step::Silence(seconds)]),
    ];
    prop::collection::vec(part, 1..14).prop_map(|parts| parts.concat())
}

/// No clock is set.
fn steady_history() -> impl Strategy<Value = Vec<Step>> {
    let part = prop_oneof![
        6 => rounds(),
        2 => prop::collection::vec(check(-900..900), 1..12),
        1 => (1..2_000_u64).prop_map(|seconds| vec![Step::Silence(seconds)]),
        1 => act().prop_map(|act| vec![act]),
    ];
    prop::collection::vec(part, 1..10).prop_map(|parts| parts.concat())
}

/// The histories above reach what they are about: without this, they could all be of nothing.
#[test]
fn the_histories_that_are_tried_have_incidents_of_every_kind() {
    use proptest::strategy::ValueTree;
    let config = config();
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut seen, mut incidents) = (BTreeSet::new(), 0);
    for _ in 0..200 {
        let steps = history().new_tree(&mut runner).unwrap().current();
        let mut drive = Drive::new(&config);
        drive.play(&steps).unwrap();
        incidents += drive.opened.len();
        for event in drive.events.values().flatten() {
            seen.insert(match &event.change {
                IncidentChange::Opened { .. } => "opened",
                IncidentChange::Joined { .. } => "joined",
                IncidentChange::Cleared { .. } => "cleared",
                IncidentChange::Assessed { .. } => "assessed",
                IncidentChange::Raised { .. } => "raised",
                IncidentChange::Watched { .. } => "watched",
                IncidentChange::Reopened { .. } => "reopened",
                IncidentChange::ClockSetBack { .. } => "clock set back",
                IncidentChange::Acknowledged { .. } => "acknowledged",
                IncidentChange::Noted { .. } => "noted",
                IncidentChange::Identified { .. } => "identified",
                IncidentChange::Mended { .. } => "mended",
                IncidentChange::Resolved { by: None, .. } => "resolved",
                IncidentChange::Resolved { by: Some(_), .. } => "resolved by hand",
                IncidentChange::Told { kind, .. } => kind.as_str(),
            });
        }
    }
    assert!(incidents > 40, "{incidents}");
    let all = [
        "opened",
        "joined",
        "cleared",
        "assessed",
        "raised",
        "watched",
        "reopened",
        "acknowledged",
        "noted",
        "identified",
        "mended",
        "resolved",
        "resolved by hand",
    ];
    let kinds = ["opened", "worsened", "reminder", "resolved", "reopened"];
    for kind in all.iter().chain(&kinds) {
        assert!(seen.contains(kind), "{kind}: {seen:?}");
    }
}
