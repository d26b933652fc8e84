//! Things that the chapters start from.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tripline::config::{Config, Outside};
use tripline::model::Marks;
use tripline::model::*;
use tripline::store::Commit;

/// An outside with nothing in it.
pub(crate) struct Nothing;

impl Outside for Nothing {
    fn env(&self, _: &str) -> Option<String> {
        None
    }

    fn file(&self, _: &str) -> Result<Vec<u8>, String> {
        Err("no such file".into())
    }
}

/// 2025-02-11T15:41:07Z.
pub(crate) const START: Timestamp = Timestamp::from_millis(1_739_288_467_000);

/// What `work` makes of each job, in the order of the jobs. As many threads as there are processors take one job after
/// the other, so that one test that computes for long is not what all the others have to wait for.
pub(crate) fn side_by_side<J: Sync, R: Send>(jobs: &[J], work: impl Fn(&J) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let worker = || {
        let taken = std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed));
        let taken = taken.map_while(|place| Some((place, work(jobs.get(place)?))));
        taken.collect::<Vec<(usize, R)>>()
    };
    let mut made: Vec<(usize, R)> = std::thread::scope(|threads| {
        let count = std::thread::available_parallelism().unwrap().get();
        let started: Vec<_> = (0..count).map(|_| threads.spawn(worker)).collect();
        let ended = started.into_iter().map(|thread| thread.join());
        // What a job found wrong is what the test found wrong.
        ended.flat_map(|made| made.unwrap_or_else(|found| std::panic::resume_unwind(found))).collect()
    });
    made.sort_by_key(|(place, _)| *place);
    made.into_iter().map(|(_, result)| result).collect()
}

pub(crate) fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

pub(crate) fn address(name: Option<&str>, address: &str) -> MailAddress {
    MailAddress { name: name.map(Into::into), address: address.into() }
}

pub(crate) fn success(probe: &str, at: Timestamp) -> CheckResult {
    CheckResult {
        probe: probe.into(),
        location: Location::local(),
        started: at,
        outcome: Outcome::Success,
        status: Some(200),
        phases: Phases {
            dns: Some(Duration::from_micros(812)),
            connect: Some(Duration::from_micros(1_204)),
            tls: Some(Duration::from_micros(3_911)),
            first_byte: Some(Duration::from_micros(41_337)),
            transfer: Some(Duration::from_micros(97)),
            total: Duration::from_micros(47_361),
        },
        address: Some("192.0.2.7".parse().unwrap()),
        expires: Some(START + seconds(90 * 86_400)),
        superseded: false,
        asked: Asked::Turn,
        evidence: None,
    }
}

pub(crate) fn failure(probe: &str, at: Timestamp) -> CheckResult {
    let evidence = Evidence {
        fault: "expected status == 200, status was 404".into(),
        request: "GET https://forge.example/globex/".into(),
        address: Some("2001:db8::1".parse().unwrap()),
        headers: vec![("server".into(), "forge".into()), ("set-cookie".into(), "[secret]".into())],
        body: "<h1>Nicht gefunden – 404</h1>".into(),
        certificate: Some(PeerCertificate {
            subject: "CN=forge.example".into(),
            issuer: "CN=Some CA".into(),
            expires: START + seconds(86_400),
            fault: None,
        }),
        redirects: vec!["https://forge.example/".into()],
    };
    CheckResult {
        outcome: Outcome::Failure(FailureClass::NotFound),
        status: Some(404),
        address: Some("2001:db8::1".parse().unwrap()),
        expires: Some(START + seconds(90 * 86_400)),
        superseded: false,
        asked: Asked::Turn,
        evidence: Some(Box::new(evidence)),
        ..success(probe, at)
    }
}

pub(crate) fn finding() -> Finding {
    Finding {
        bad: 12,
        looked: 120,
        factor: Some(Factor {
            label: "workspace".into(),
            values: BTreeSet::from(["globex".into()]),
            and: None,
            bad: 12,
            looked: 12,
            bad_elsewhere: 0,
            looked_elsewhere: 108,
        }),
        failure: Some(FailureClass::NotFound),
        status: Some(404),
        components: BTreeSet::from(["website".into(), "api".into()]),
        example: None,
        unseen: None,
        what: None,
        parts: Vec::new(),
        earlier: Vec::new(),
    }
}

/// An incident that was just opened, and the event that did it.
pub(crate) fn incident(name: &str) -> (Incident, IncidentEvent) {
    let breach = Breach {
        id: BreachId::derived(&[name]),
        rule: "not-found-spike".into(),
        slice: Slice { labels: BTreeMap::from([("workspace".into(), "globex".into())]), probe: None },
        severity: Severity::Major,
        since: START,
        found: START + seconds(14),
        reason: "12 of 12 checks failed in 14s".into(),
        marks: Marks::default(),
        usual: None,
        meaning: None,
        cleared: None,
    };
    let id = IncidentId::derived(&[name]);
    let incident = Incident {
        id,
        state: IncidentState::Investigating,
        severity: Severity::Major,
        since: START,
        opened: START + seconds(14),
        resolved: None,
        breaches: vec![breach.clone().into()],
        finding: finding(),
        acknowledged: None,
        stretch: 0,
        see_also: BTreeMap::new(),
        corrected: Corrected::default(),
        flaps: 0,
        watched_until: None,
        unwatched: None,
        told: BTreeMap::new(),
        withheld: BTreeMap::new(),
        next_event: 1,
    };
    let change = IncidentChange::Opened { breach, finding: finding() };
    (incident, IncidentEvent { incident: id, seq: 0, at: START + seconds(14), change })
}

pub(crate) fn message(name: &str) -> MailMessage {
    MailMessage {
        subject: format!("Not found on Website – {name}"),
        text: "404 Not Found for workspace=globex\n".into(),
        html: "<p>404 Not Found for workspace=globex</p>".into(),
        id: format!("opened-{name}"),
        thread: None,
    }
}

pub(crate) fn notification(incident: &str, receiver: &str, owed: Timestamp) -> Notification {
    Notification {
        id: NotificationId::derived(&[incident, receiver]),
        incident: IncidentId::derived(&[incident]),
        receiver: receiver.into(),
        kind: NotificationKind::Opened,
        reason: "rule not-found-spike tells oncall".into(),
        owed,
        message: Message::Mail(message(incident)),
        destinations: Vec::new(),
    }
}

/// A commit that opens an incident and owes its first mail to these addresses.
pub(crate) fn opening(name: &str, receiver: &str, to: &[MailAddress], owed: Timestamp) -> Commit {
    let (incident, event) = incident(name);
    let owed = Notification { destinations: destinations(to), ..notification(name, receiver, owed) };
    Commit { incidents: vec![incident], events: vec![event], notifications: vec![owed], ..Commit::default() }
}

/// A commit that owes these addresses the news that it is over.
pub(crate) fn closing(name: &str, receiver: &str, to: &[MailAddress], owed: Timestamp) -> Commit {
    let opened = notification(name, receiver, owed);
    let first = message(name);
    let mail = MailMessage { id: format!("resolved-{name}"), thread: Some(first.id.clone()), ..first };
    let id = NotificationId::derived(&[name, receiver, "resolved"]);
    let (kind, message, destinations) = (NotificationKind::Resolved, Message::Mail(mail), destinations(to));
    let over = Notification { id, kind, message, destinations, ..opened };
    Commit { notifications: vec![over], ..Commit::default() }
}

/// Where messages to these addresses go.
pub(crate) fn destinations(to: &[MailAddress]) -> Vec<Destination> {
    let destination = |to: &MailAddress| Destination { name: to.name.clone(), address: to.address.clone() };
    to.iter().map(destination).collect()
}

pub(crate) fn email(to: &[MailAddress], smtp: SmtpServer) -> EmailReceiver {
    EmailReceiver { from: address(Some("Tripline"), "tripline@example.com"), to: to.to_vec(), smtp }
}

/// A config that has nothing but these receivers.
pub(crate) fn config(receivers: impl IntoIterator<Item = (&'static str, EmailReceiver)>) -> Arc<Config> {
    let receiver = |(id, email): (&str, _)| {
        let id = ReceiverId::from(id);
        (id.clone(), Receiver { id, kind: ReceiverKind::Email(email), remind: None })
    };
    Arc::new(Config {
        name: "Forge".into(),
        url: None,
        location: Location::local(),
        cohorts: BTreeMap::new(),
        components: Vec::new(),
        probes: Probes::default(),
        rules: Vec::new(),
        receivers: receivers.into_iter().map(receiver).collect(),
        reopen_within: seconds(900),
        maintenance: Vec::new(),
        formerly: tripline::model::Formerly::default(),
        secrets: Secrets::default(),
        warnings: Vec::new(),
    })
}
