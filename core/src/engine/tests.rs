//! The engine, driven by hand: every input has its time, nothing sleeps.

mod clock;
mod corrected;
mod late;
mod maintenance;
mod people;
mod relapse;
mod renamed;
mod restart;
mod sight;
mod withheld;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::{Engine, Input, Output, Restoring};
use crate::config::Config;
use crate::incident::lifecycle;
use crate::model::*;

const START: i64 = 1_739_288_460_000; // 2025-02-11 15:41:00 UTC

fn at(seconds: f64) -> Timestamp {
    #[expect(clippy::cast_possible_truncation)]
    Timestamp::from_millis(START + (seconds * 1000.0) as i64)
}

fn probe(name: &str, component: &str, workspace: &str) -> Probe {
    Probe {
        name: name.into(),
        component: component.into(),
        labels: BTreeMap::from([("workspace".into(), workspace.into())]),
        ..crate::model::tests::probe(&format!("{name}[workspace={workspace}]"))
    }
}

fn error_rate(id: &str, components: &[&str], severity: Severity) -> Rule {
    Rule {
        id: id.into(),
        over: Scope { components: components.iter().map(|c| (*c).into()).collect(), ..Scope::default() },
        kind: RuleKind::ErrorRate(ErrorRate {
            bad: Bad::Failed,
            above: Ratio::from_percent(5),
            within: Duration::from_secs(120),
            at_least: 3,
            per: vec!["workspace".into()],
            clear: Clear { below: Ratio::from_percent(1), hold: Duration::from_secs(60) },
        }),
        severity,
        tell: vec!["oncall".into()],
        built_in: false,
    }
}

fn receiver(remind: Option<Duration>) -> Receiver {
    let address = |text: &str| MailAddress { name: None, address: text.into() };
    Receiver {
        id: "oncall".into(),
        kind: ReceiverKind::Email(EmailReceiver {
            from: address("tripline@example.com"),
            to: vec![address("oncall@example.com")],
            smtp: SmtpServer {
                host: "localhost".into(),
                port: 25,
                security: SmtpSecurity::Plain,
                login: None,
                ca: None,
            },
        }),
        remind,
    }
}

/// Three components, four workspaces, every probe each 20 s.
fn forge(rules: Vec<Rule>, remind: Option<Duration>) -> Arc<Config> {
    let components = [("website", "Website"), ("api", "API"), ("git-https", "Git via HTTPS")];
    let workspaces = ["acme", "globex", "initech", "umbrella"];
    Arc::new(Config {
        cohorts: BTreeMap::from([("workspace".into(), workspaces.map(LabelValue::from).to_vec())]),
        components: components
            .map(|(id, name)| Component { id: id.into(), name: name.into(), depends_on: vec![] })
            .to_vec(),
        probes: components
            .iter()
            .flat_map(|(component, _)| workspaces.map(|workspace| probe(component, component, workspace)))
            .collect(),
        rules,
        receivers: BTreeMap::from([("oncall".into(), receiver(remind))]),
        reopen_within: Duration::ZERO,
        ..crate::config::tests::empty()
    })
}

fn result(probe: &ProbeId, ended: Timestamp, outcome: Outcome) -> CheckResult {
    let total = Duration::from_millis(40);
    let failed = outcome.failure().is_some();
    CheckResult {
        probe: probe.clone(),
        location: Location::local(),
        started: ended - total,
        outcome,
        status: Some(if failed { 404 } else { 200 }),
        phases: Phases { total, ..Phases::default() },
        address: None,
        expires: None,
        superseded: false,
        asked: Asked::Turn,
        evidence: failed.then(|| {
            Box::new(Evidence {
                fault: "expected status == 200, status was 404".into(),
                request: "GET https://forge.example/globex/".into(),
                ..Evidence::default()
            })
        }),
    }
}

const LOST: Outcome = Outcome::Failure(FailureClass::NotFound);

/// Drives an engine through rounds of checks, spread evenly over each 20 s; `fails` says which fail when.
struct Drive {
    engine: Engine,
    outputs: Vec<Output>,
    /// As they would be stored.
    results: Vec<Judged>,
}

impl Drive {
    fn new(config: &Arc<Config>) -> Self {
        Self { engine: Restoring::new(Arc::clone(config), vec![]).begin(), outputs: vec![], results: vec![] }
    }

    fn hand(&mut self, input: Input, now: Timestamp) {
        self.engine.handle(input, now);
        while let Some(output) = self.engine.poll_output() {
            match output {
                Output::Result(result) => self.results.push(result),
                output => self.outputs.push(output),
            }
        }
    }

    fn run(&mut self, from: u32, until: u32, fails: impl Fn(&Probe, u32) -> Option<Outcome>) {
        self.run_from(f64::from(from), 0, until, fails);
    }

    /// Goes on in the round that would be under way had it begun at 0: starts that come quickly reach every probe.
    fn go_on(&mut self, from: u32, until: u32, fails: impl Fn(&Probe, u32) -> Option<Outcome>) {
        let step = 20.0 / self.engine.config().probes.len() as f64;
        let index = (f64::from(from) / step).ceil();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        self.run_from(index * step, index as usize, until, fails);
    }

    fn run_from(&mut self, from: f64, first: usize, until: u32, fails: impl Fn(&Probe, u32) -> Option<Outcome>) {
        let config = Arc::clone(self.engine.config());
        let step = 20.0 / config.probes.len() as f64;
        let (mut now, mut index) = (from, first);
        while now < f64::from(until) {
            let moment = at(now);
            while let Some(due) = self.engine.poll_timeout().filter(|due| *due <= moment) {
                self.hand(Input::Timeout, due);
            }
            // Neighbours in time are probes of different workspaces and components.
            let probe = &config.probes[(index * 5) % config.probes.len()];
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let outcome = fails(probe, now as u32).unwrap_or(Outcome::Success);
            let result = result(&probe.id, moment, outcome);
            self.hand(Input::Result(result), moment);
            now += step;
            index += 1;
        }
    }

    /// Starts again from what would be stored: the incidents' events and the results of the lookback.
    fn restart(&mut self, now: u32) {
        let now = at(f64::from(now));
        let config = Arc::clone(self.engine.config());
        let incidents = self.incidents();
        let lookback = now - crate::detect::lookback(&config);
        let since = incidents.iter().filter(|incident| incident.is_open()).map(|incident| incident.since);
        let from = since.min().map_or(lookback, |since| since.min(lookback));
        let mut restoring = Restoring::new(config, incidents);
        for judged in self.results.iter().filter(|judged| judged.result.finished() >= from) {
            restoring.replay(judged);
        }
        self.engine = restoring.settle(now);
        while let Some(output) = self.engine.poll_output() {
            self.outputs.push(output);
        }
    }

    fn events(&self) -> Vec<&IncidentEvent> {
        self.outputs
            .iter()
            .filter_map(|output| if let Output::Event(event) = output { Some(event) } else { None })
            .collect()
    }

    fn owed(&self) -> Vec<&Notification> {
        self.outputs
            .iter()
            .filter_map(|output| if let Output::Owed(owed) = output { Some(owed) } else { None })
            .collect()
    }

    fn kinds(&self) -> Vec<NotificationKind> {
        self.owed().iter().map(|owed| owed.kind).collect()
    }

    fn opened(&self) -> usize {
        self.events().iter().filter(|event| matches!(event.change, IncidentChange::Opened { .. })).count()
    }

    fn incidents(&self) -> Vec<Incident> {
        let mut histories: BTreeMap<IncidentId, Vec<IncidentEvent>> = BTreeMap::new();
        for event in self.events() {
            histories.entry(event.incident).or_default().push(event.clone());
        }
        histories.values().map(|events| lifecycle::fold(events).unwrap()).collect()
    }

    fn incident(&self) -> Incident {
        let events: Vec<IncidentEvent> = self.events().into_iter().cloned().collect();
        lifecycle::fold(&events).unwrap()
    }
}

fn ana(drive: &Drive, kind: ActionKind) -> Action {
    asks(drive.incident().id, kind)
}

/// What ana asks of an incident.
fn asks(incident: IncidentId, kind: ActionKind) -> Action {
    Action { at: at(0.0), incident, kind, by: "ana".into(), text: String::new(), other: None, parts: BTreeSet::new() }
}

fn globex(from: u32, until: u32) -> impl Fn(&Probe, u32) -> Option<Outcome> {
    move |probe, now| {
        let hit = probe.labels.values().any(|value| value.as_str() == "globex");
        (hit && (from..until).contains(&now)).then_some(LOST)
    }
}

fn default_rules() -> Vec<Rule> {
    vec![error_rate("not-found-spike", &[], Severity::Major)]
}

#[test]
fn an_outage_for_one_workspace_is_one_incident_that_names_it_and_two_mails() {
    let mut drive = Drive::new(&forge(default_rules(), None));
    drive.run(0, 900, globex(300, 600));
    assert_eq!(drive.opened(), 1);
    assert_eq!(drive.kinds(), [NotificationKind::Opened, NotificationKind::Resolved]);
    let incident = drive.incident();
    let factor = incident.finding.factor.clone().unwrap();
    assert_eq!(factor.label.as_str(), "workspace");
    assert_eq!(factor.values.iter().map(LabelValue::as_str).collect::<Vec<_>>(), ["globex"]);
    assert_eq!(incident.finding.failure, Some(FailureClass::NotFound));
    assert_eq!(incident.finding.components.len(), 3);
    assert_eq!(incident.state, IncidentState::Resolved);
    let owed = drive.owed();
    assert!(owed[0].owed.since(at(300.0)) <= Duration::from_secs(20), "noticed within one interval");
    let opening = owed[0].message.text();
    assert!(
        opening.starts_with(
            "404 Not Found for workspace=globex (3 of 3 checks) on Website, API, Git via HTTPS; every other workspace: 0 of "
        ),
        "{opening}"
    );
    assert_eq!(owed[0].destinations, [Destination { name: None, address: "oncall@example.com".into() }]);
    let [Message::Mail(first), Message::Mail(second), ..] = [&owed[0].message, &owed[1].message];
    assert_eq!(second.thread.as_deref(), Some(first.id.as_str()));
    assert!(owed[1].owed.since(at(600.0)) <= Duration::from_secs(180 + 20), "resolved in time");
}

#[test]
fn two_rules_and_many_slices_that_see_the_same_outage_open_one_incident() {
    let rules = vec![
        error_rate("spike", &[], Severity::Minor),
        error_rate("api-spike", &["api"], Severity::Critical),
        Rule {
            kind: RuleKind::Consecutive(Consecutive { count: 3, clear_after: Duration::from_secs(60) }),
            ..error_rate("down", &[], Severity::Minor)
        },
    ];
    let mut drive = Drive::new(&forge(rules, None));
    drive.run(0, 900, globex(300, 600));
    assert_eq!(drive.opened(), 1);
    let incident = drive.incident();
    let rules: std::collections::BTreeSet<&str> =
        incident.breaches.iter().map(|breach| breach.rule.as_str()).collect();
    assert_eq!(Vec::from_iter(rules), ["api-spike", "down", "spike"]);
    assert_eq!(incident.severity, Severity::Critical, "the gravest rule counts");
    assert_eq!(
        drive.kinds(),
        [NotificationKind::Opened, NotificationKind::Worsened, NotificationKind::Resolved],
        "a graver severity is told at once"
    );
    assert!(incident.breaches.iter().all(|breach| breach.cleared.is_some()));
}

#[test]
fn a_single_blip_opens_nothing() {
    let mut drive = Drive::new(&forge(default_rules(), None));
    drive.run(0, 600, |probe, now| {
        (probe.id.as_str() == "api[workspace=acme]" && (300..320).contains(&now)).then_some(LOST)
    });
    assert_eq!(drive.outputs, []);
}

#[test]
fn stray_failures_elsewhere_do_not_hide_the_factor() {
    let mut drive = Drive::new(&forge(default_rules(), None));
    let outage = globex(300, 600);
    drive.run(0, 900, |probe, now| {
        let stray = probe.id.as_str() == "api[workspace=acme]" && (now / 20).is_multiple_of(11);
        stray.then_some(Outcome::Failure(FailureClass::Timeout)).or_else(|| outage(probe, now))
    });
    let factor = drive.incident().finding.factor.unwrap();
    assert_eq!(factor.values.iter().map(LabelValue::as_str).collect::<Vec<_>>(), ["globex"]);
}

#[test]
fn a_failing_component_is_the_factor_when_all_customers_are_hit() {
    let mut drive = Drive::new(&forge(default_rules(), None));
    drive.run(0, 900, |probe, now| (probe.component.as_str() == "api" && (300..600).contains(&now)).then_some(LOST));
    assert_eq!(drive.opened(), 1);
    let opening = drive.owed()[0].message.text().to_owned();
    assert!(opening.starts_with("404 Not Found for API ("), "{opening}");
    assert!(opening.contains("every other component: 0 of"), "{opening}");
}

#[test]
fn when_everything_fails_nothing_separates_and_the_mail_says_everyone() {
    let mut drive = Drive::new(&forge(default_rules(), None));
    drive.run(0, 900, |_, now| (300..600).contains(&now).then_some(LOST));
    assert_eq!(drive.opened(), 1);
    assert!(
        drive.owed()[0].message.text().starts_with("404 Not Found for everyone ("),
        "{}",
        drive.owed()[0].message.text()
    );
}

#[test]
fn a_new_customer_hit_later_is_told_once_the_last_message_is_old_enough() {
    let mut drive = Drive::new(&forge(default_rules(), None));
    drive.run(0, 2000, |probe, now| {
        let hit = |name: &str| probe.labels.values().any(|value| value.as_str() == name);
        ((hit("globex") && (300..1500).contains(&now)) || (hit("acme") && (400..1500).contains(&now))).then_some(LOST)
    });
    assert_eq!(drive.kinds(), [NotificationKind::Opened, NotificationKind::Worsened, NotificationKind::Resolved]);
    let worse = drive.owed()[1];
    assert!(worse.owed.since(at(400.0)) <= Duration::from_secs(60));
    assert!(worse.reason.contains("workspace=acme"), "{}", worse.reason);
    assert!(
        worse.message.text().starts_with("404 Not Found for workspace=acme, globex ("),
        "{}",
        worse.message.text()
    );
}

#[test]
fn reminders_come_until_somebody_acknowledges() {
    let mut drive = Drive::new(&forge(default_rules(), Some(Duration::from_secs(600))));
    drive.run(0, 1600, globex(300, 3600));
    assert_eq!(drive.kinds(), [NotificationKind::Opened, NotificationKind::Reminder, NotificationKind::Reminder]);
    let action = ana(&drive, ActionKind::Acknowledge);
    drive.hand(Input::Action(ActionId(7), action), at(1600.0));
    assert!(
        drive.outputs.iter().any(
            |output| matches!(output, Output::Answer(ActionId(7), text) if text.contains("acknowledged by ana"))
        )
    );
    drive.run(1600, 3500, globex(300, 3600));
    assert_eq!(drive.kinds().len(), 3, "nobody is reminded after the acknowledgement");
}

#[test]
fn void_checks_say_nothing() {
    let mut drive = Drive::new(&forge(default_rules(), None));
    drive.run(0, 600, |_, _| Some(Outcome::Void(VoidReason::Offline)));
    assert_eq!(drive.outputs, []);
}

#[test]
fn the_same_inputs_give_the_same_outputs_ids_included() {
    let drives = [0, 1].map(|_| {
        let mut drive = Drive::new(&forge(default_rules(), None));
        drive.run(0, 900, globex(300, 600));
        drive.outputs
    });
    assert_eq!(drives[0], drives[1]);
}
