//! Answers as the real prober would have reported them: outcome, status, phases, evidence.

use std::net::IpAddr;
use std::time::Duration;

use super::scenario::Answer;
use super::stage::Stage;
use crate::config::Config;
use crate::model::condition::{Fact, Verdict};
use crate::model::unit::show_duration;
use crate::model::{Asked, CheckResult, Condition, Evidence, FailureClass, Outcome, Phases, Probe, Timestamp};

/// How far ahead the end of a sound certificate lies.
const CERTIFICATE: Duration = Duration::from_secs(60 * 86_400);

/// One try of a check.
#[derive(Clone, Copy)]
pub(super) struct Try {
    /// When it begins, by the wall clock.
    pub(super) started: Timestamp,
    /// How long it takes when nothing is wrong.
    pub(super) took: Duration,
    /// How long it may take.
    pub(super) limit: Duration,
}

/// What a probe asks, worked out once.
pub(super) struct Ask {
    /// How long its checks usually take, in milliseconds.
    pub(super) pace: u64,
    request: String,
    /// Whether there is a TLS handshake and so a certificate.
    tls: bool,
    /// Whether a certificate that expired is a failure.
    verifies: bool,
    /// Whether the host is an address, not a name.
    literal: bool,
    /// The expectations that look at nothing but the time that a check took.
    timed: Vec<Condition>,
}

impl Ask {
    pub(super) fn new(probe: &Probe, pace: u64, config: &Config) -> Self {
        let (request, tls) = (probe.kind.request(), probe.kind.tls());
        let timed = probe.expect.iter().filter(|condition| condition.mentions_only("timing"));
        Self {
            pace,
            request: config.secrets.redact(&request).into_owned(),
            tls: tls.is_some(),
            verifies: tls.is_some_and(|options| !options.skip_verify),
            literal: probe.kind.host().trim_matches(['[', ']']).parse::<IpAddr>().is_ok(),
            timed: timed.cloned().collect(),
        }
    }

    /// A check that goes well.
    pub(super) fn well(&self, probe: &Probe, config: &Config, now: Try) -> CheckResult {
        let phases = self.phases(now.took, Duration::ZERO, Stage::Transfer);
        self.result(probe, config, now.started, Outcome::Success, Some(200), phases)
    }

    /// A check that could not leave this machine.
    pub(super) fn unreachable(&self, probe: &Probe, config: &Config, now: Try) -> CheckResult {
        let (class, fault) = if self.literal {
            (FailureClass::Connect, "the network cannot be reached from here")
        } else {
            (FailureClass::Dns, "the name could not be resolved: no name server can be reached")
        };
        let phases = self.phases(now.took, Duration::ZERO, Stage::of(class));
        self.failed(probe, config, now.started, class, None, phases, fault.into())
    }

    /// A check that is hit by this. `start` is the drill's.
    pub(super) fn answer(
        &self,
        answer: Answer,
        probe: &Probe,
        config: &Config,
        now: Try,
        start: Timestamp,
    ) -> Option<CheckResult> {
        let fail = |class: FailureClass, status: Option<u16>| {
            let stage = Stage::of(class);
            // Who waits for ever waits as long as the probe does.
            let late = if class == FailureClass::Timeout { now.limit } else { Duration::ZERO };
            let phases = bounded(self.phases(now.took, late, stage), now.limit);
            self.failed(probe, config, now.started, class, status, phases, fault(class, status, probe, now.limit))
        };
        Some(match answer {
            Answer::Failure(class) => fail(class, usual_status(class)),
            Answer::Status(status) => fail(FailureClass::of_status(status), Some(status)),
            Answer::Latency(late) if now.took.saturating_add(late) >= now.limit => fail(FailureClass::Timeout, None),
            Answer::Latency(late) => {
                let phases = self.phases(now.took, late, Stage::Transfer);
                let facts = [("timing", Fact::timing(&phases))];
                let verdicts = self.timed.iter().map(|condition| condition.judge(&facts));
                let slow = verdicts.into_iter().find_map(|verdict| match verdict {
                    Verdict::Holds => None,
                    Verdict::Fails(fault) => Some(fault),
                });
                match slow {
                    Some(fault) => {
                        let class = FailureClass::Expectation;
                        self.failed(probe, config, now.started, class, Some(200), phases, fault)
                    }
                    None => self.result(probe, config, now.started, Outcome::Success, Some(200), phases),
                }
            }
            Answer::Certificate(_) if !self.tls => self.well(probe, config, now),
            Answer::Certificate(left) => {
                let expires = start + left;
                let mut result = if self.verifies && expires <= now.started {
                    let phases = self.phases(now.took, Duration::ZERO, Stage::Tls);
                    let fault = format!("the certificate was not accepted: it expired at {}", expires.show());
                    self.failed(probe, config, now.started, FailureClass::Tls, None, phases, fault)
                } else {
                    self.well(probe, config, now)
                };
                result.expires = Some(expires);
                result
            }
            Answer::Missing => return None,
        })
    }

    /// The same, of a check that ended only after so long in all, as the process was stopped meanwhile: past its limit
    /// it is a timeout.
    pub(super) fn late(
        &self,
        mut result: CheckResult,
        probe: &Probe,
        config: &Config,
        total: Duration,
        limit: Duration,
    ) -> CheckResult {
        let more = total.saturating_sub(result.phases.total);
        let phases = &mut result.phases;
        phases.total += more;
        match (phases.first_byte, phases.connect) {
            (Some(first), _) => phases.first_byte = Some(first + more),
            (None, Some(connect)) => phases.connect = Some(connect + more),
            (None, None) => phases.dns = phases.dns.map(|dns| dns + more),
        }
        if total <= limit {
            return result;
        }
        let class = FailureClass::Timeout;
        let fault = fault(class, None, probe, limit);
        let phases = result.phases;
        self.failed(probe, config, result.started, class, None, phases, fault)
    }

    #[expect(clippy::too_many_arguments, reason = "each is a part of a result")]
    fn failed(
        &self,
        probe: &Probe,
        config: &Config,
        started: Timestamp,
        class: FailureClass,
        status: Option<u16>,
        phases: Phases,
        fault: String,
    ) -> CheckResult {
        let mut result = self.result(probe, config, started, Outcome::Failure(class), status, phases);
        if Stage::of(class) <= Stage::Tls {
            result.expires = None;
        }
        let request = self.request.clone();
        result.evidence = Some(Box::new(Evidence { fault, request, ..Evidence::default() }));
        result
    }

    fn result(
        &self,
        probe: &Probe,
        config: &Config,
        started: Timestamp,
        outcome: Outcome,
        status: Option<u16>,
        phases: Phases,
    ) -> CheckResult {
        CheckResult {
            probe: probe.id.clone(),
            location: config.location.clone(),
            started,
            outcome,
            status,
            phases,
            address: None,
            expires: self.tls.then(|| started + CERTIFICATE),
            superseded: false,
            asked: Asked::Turn,
            evidence: None,
        }
    }

    /// The phases of a check that usually takes `took`, comes so far, and there is held up for `late` (before the first
    /// byte if it comes to the end): a twentieth of it goes to the name, three to the connection, four to TLS, nine to
    /// the service's thinking, and the rest to the body.
    fn phases(&self, took: Duration, late: Duration, stage: Stage) -> Phases {
        let part = |parts: u32| Duration::from_millis(u64::try_from((took * parts / 20).as_millis()).unwrap_or(0));
        let (dns, connect, tls, first) = (part(1), part(3), part(if self.tls { 4 } else { 0 }), part(9));
        let transfer = took.saturating_sub(dns + connect + tls + first);
        let slow = stage.min(Stage::FirstByte);
        let mut total = Duration::ZERO;
        let mut spend = |at: Stage, usual: Duration| {
            if at > stage {
                return None;
            }
            let spent = if at == slow { usual + late } else { usual };
            total += spent;
            Some(spent)
        };
        let dns = spend(Stage::Dns, dns);
        let connect = spend(Stage::Connect, connect);
        let tls = if self.tls { spend(Stage::Tls, tls) } else { None };
        let first_byte = spend(Stage::FirstByte, first);
        let transfer = spend(Stage::Transfer, transfer);
        Phases { dns, connect, tls, first_byte, transfer, total }
    }
}

/// The same, cut off where the probe's timeout is over.
fn bounded(mut phases: Phases, timeout: Duration) -> Phases {
    let over = phases.total.saturating_sub(timeout);
    phases.total -= over;
    phases.first_byte = phases.first_byte.map(|spent| spent.saturating_sub(over));
    phases
}

fn usual_status(class: FailureClass) -> Option<u16> {
    match class {
        FailureClass::NotFound => Some(404),
        FailureClass::Unauthorized => Some(401),
        FailureClass::Forbidden => Some(403),
        FailureClass::RateLimited => Some(429),
        FailureClass::ClientError => Some(400),
        FailureClass::ServerError => Some(500),
        FailureClass::Redirect => Some(302),
        FailureClass::Expectation | FailureClass::Corrupt => Some(200),
        _ => None,
    }
}

fn fault(class: FailureClass, status: Option<u16>, probe: &Probe, limit: Duration) -> String {
    match (class, status.and_then(|status| http::StatusCode::from_u16(status).ok())) {
        (FailureClass::Expectation, Some(status)) if status.is_success() => match probe.expect.first() {
            Some(condition) => format!("expected {}, and the answer was another", condition.source()),
            None => "the answer was not the expected one".into(),
        },
        (FailureClass::Corrupt, _) => "the body arrived damaged or cut short".into(),
        (FailureClass::Redirect, _) => "more than 10 redirects".into(),
        (_, Some(status)) => format!("expected a 2xx status, status was {status}"),
        (FailureClass::Dns, None) => "the name could not be resolved: it does not exist".into(),
        (FailureClass::Connect, None) => "the connection was refused".into(),
        (FailureClass::Tls, None) => "the TLS handshake failed".into(),
        (FailureClass::Timeout, None) => {
            format!("no answer within {}: waiting for the first byte", show_duration(limit))
        }
        (FailureClass::Protocol, None) => "the answer is not HTTP".into(),
        (FailureClass::Missing, None) => "it did not come".into(),
        (other, None) => other.title().to_owned(),
    }
}
