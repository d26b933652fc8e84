//! The flow kind: steps in order, with one jar of cookies and what the steps before have captured.
//!
//! A step asks as a probe of its own kind would, with a trace of its own. The first step that fails ends the flow,
//! but for the steps that are always taken: for them a share of the time is kept back.

mod capture;
mod mail;
mod receive;
mod report;
mod request;
pub(crate) mod totp;
mod wait;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::{HeaderMap, Method};
use tokio::time::timeout;
use url::{Origin, Position, Url};

use super::broken::Broken;
use super::classify;
use super::connect::Clients;
use super::cookies::Jar;
use super::finding::{Finding, Internal};
use super::http::{HttpProbe, Progress};
use super::mail::expected;
use super::prepared::{PreparedKind, Terms};
use super::shared::Shared;
use super::stopwatch::{TRACE, Trace};
use super::wire::redirect::Ask;
use crate::config::encoded::encodings;
use crate::inbox::mail::{Expected, Taken};
use crate::inbox::{Calls, nonce};
use crate::model::kind::flow::{Act, Capture, Hook, HttpStep, KEPT_BACK, Totp};
use crate::model::unit::show_duration;
use crate::model::{Condition, FailureClass, FlowTarget, Phases, Probe, Resolve, Secrets};
use wait::Wait;

/// The shortest cookie that is taken for a secret, in bytes; a shorter one says `1` or `en`.
const SECRET_COOKIE: usize = 8;

/// The shortest path of a captured URL that is a secret without its host, in bytes; a shorter one says `/login`.
const SECRET_PATH: usize = 8;

/// How long an answer is searched for what must not be shown of it, once its step has failed: so long even if the flow's
/// time is up ...
const HIDING: Duration = Duration::from_millis(200);
/// ... and so long if there is time left.
const LONGEST_HIDING: Duration = Duration::from_secs(2);

/// A flow that can be taken again and again.
pub(super) struct FlowProbe {
    steps: Vec<ReadyStep>,
    totp: BTreeMap<String, Totp>,
    hook: Option<Hook>,
    mailbox: Option<String>,
    resolve: Resolve,
    /// The host that `resolve` speaks of: that of the first step.
    host: Option<String>,
    /// Where secrets of the configuration may be sent: what it names itself.
    origins: Vec<Origin>,
}

struct ReadyStep {
    name: String,
    act: ReadyAct,
    captures: Vec<Capture>,
    wait: Option<Wait>,
    always: bool,
}

enum ReadyAct {
    Http { step: Box<HttpStep>, clients: Arc<Clients>, expect: Arc<[Condition]> },
    Receive { within: Duration, expect: Arc<[Condition]> },
    Mail { within: Duration, expect: Arc<[Condition]> },
}

impl ReadyStep {
    /// What it would ask, with its holes.
    fn request(&self) -> String {
        match &self.act {
            ReadyAct::Http { step, .. } => format!("{} {}", step.base.method, step.url),
            ReadyAct::Receive { .. } => "a call of {{hook_url}}".into(),
            ReadyAct::Mail { .. } => "a mail to {{mail_address}}".into(),
        }
    }
}

/// What a flow has come to know so far; outlives a step that runs out of time.
struct Run {
    values: BTreeMap<String, String>,
    /// Values that nobody may see.
    hidden: Vec<String>,
    /// The trace of the try under way.
    trace: Arc<Trace>,
    /// The answer to the try under way, or to the last one; it has the cookies.
    answer: Progress,
    /// Where the time of the step under way went.
    phases: Phases,
    /// Whether the step under way has asked.
    asked: bool,
    /// What came last, where that was no answer: `a call`.
    came: Option<&'static str>,
    /// The calls of the hook, if there is one and somebody listens.
    calls: Option<Calls>,
    /// The mail to this check, likewise.
    mailbox: Option<Expected>,
    /// What is being captured from the answer.
    reading: Option<String>,
    /// What a step that waits saw last.
    seen: Option<String>,
    /// Each step that was taken, and what it came to.
    told: Vec<(String, String)>,
}

/// Why a step is not done.
enum Undone {
    /// Its answer is not, or not yet, what was expected.
    Unmet(FailureClass, String),
    Broken(Broken),
    /// A value that it needs was never captured.
    Lacks(String),
}

impl From<Broken> for Undone {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken)
    }
}

impl FlowProbe {
    pub(super) fn new(target: &FlowTarget, probe: &Probe, shared: &mut Shared) -> Result<Self, String> {
        let mut steps = Vec::with_capacity(target.steps.len());
        let mut origins = Vec::new();
        for step in &target.steps {
            let act = match &step.act {
                Act::Http(http) => {
                    origins.extend(request::fixed_origin(&http.url));
                    let clients = shared.clients(&http.base)?;
                    ReadyAct::Http { step: http.clone(), clients, expect: step.expect.clone() }
                }
                Act::Receive(within) => ReadyAct::Receive { within: *within, expect: step.expect.clone() },
                Act::Mail(within) => ReadyAct::Mail { within: *within, expect: step.expect.clone() },
            };
            steps.push(ReadyStep {
                name: step.name.clone(),
                act,
                captures: step.captures.clone(),
                wait: step.until.as_ref().map(Wait::new),
                always: step.always,
            });
        }
        let host = target.first().and_then(|first| first.base.url.host_str()).map(ToOwned::to_owned);
        Ok(Self {
            steps,
            totp: target.totp.clone(),
            hook: target.hook.clone(),
            mailbox: target.mailbox.clone(),
            resolve: probe.resolve,
            host,
            origins,
        })
    }

    /// Takes the steps.
    async fn one_check(&self, terms: Terms<'_>) -> Result<Finding, Internal> {
        let Terms { limit, trace, secrets, inbox, .. } = terms;
        let mut run = Run::new()?;
        if let Some(hook) = &self.hook {
            // From here on calls count, so that one that comes before its step is taken is not missed.
            let nonce = nonce().ok_or_else(|| Internal("this machine has no random numbers".into()))?;
            run.calls = inbox.and_then(|inbox| inbox.wait(&hook.token, &nonce));
            run.values.insert("hook_url".into(), format!("{}/{nonce}", hook.url));
        }
        if let Some(mailbox) = &self.mailbox {
            let mail = expected(inbox, mailbox, Taken::AlsoShared)?;
            run.values.insert("mail_address".into(), mail.address.clone());
            run.mailbox = Some(mail);
        }
        let mut failure: Option<report::StepFailure> = None;
        let mut later: VecDeque<&ReadyStep> = self.steps.iter().collect();
        let mut number = 0;
        while let Some(step) = later.pop_front() {
            number += 1;
            if failure.is_some() && !step.always {
                run.told.push((report::title(number, self.steps.len(), &step.name), "not taken".into()));
                continue;
            }
            let clean_ups = later.iter().filter(|step| step.always).count() as u32;
            let end = if step.always {
                // Those that are left share what is left.
                trace.elapsed() + limit.saturating_sub(trace.elapsed()) / (clean_ups + 1)
            } else if clean_ups > 0 {
                limit - limit / KEPT_BACK
            } else {
                limit
            };
            let undone = self.step(step, end, trace, &mut run, secrets).await;
            if undone.is_err() && run.asked {
                let left = limit.saturating_sub(trace.elapsed()).clamp(HIDING, LONGEST_HIDING);
                if timeout(left, self.hide_untaken(step, &mut run)).await.is_err() {
                    // What cannot be searched in time is not shown.
                    run.answer.body.clear();
                }
                run.reading = None;
            }
            if let Some(failed) = run.report(number, self.steps.len(), step, undone)? {
                match &mut failure {
                    None => failure = Some(failed),
                    Some(first) => first.also(&failed),
                }
            }
        }
        Ok(report::finding(run, failure, terms))
    }

    /// Takes one step, until the flow has lasted so long.
    async fn step(
        &self,
        step: &ReadyStep,
        end: Duration,
        trace: &Trace,
        run: &mut Run,
        secrets: &Secrets,
    ) -> Result<(), Undone> {
        run.begin_step();
        let left = end.saturating_sub(trace.elapsed());
        let taken = match (&step.act, &step.wait) {
            (ReadyAct::Receive { within, expect }, _) => {
                timeout(left, self.receive(step, *within, expect, run, trace, secrets)).await
            }
            (ReadyAct::Mail { within, expect }, _) => {
                timeout(left, self.mail(step, *within, expect, run, trace, secrets)).await
            }
            (ReadyAct::Http { .. }, None) => timeout(left, self.once(step, None, run, trace, secrets)).await,
            (ReadyAct::Http { .. }, Some(wait)) => timeout(left, self.wait(step, wait, run, trace, secrets)).await,
        };
        let taken = taken.unwrap_or_else(|_| {
            let seen = run.seen.take().map(|seen| format!("; last seen: {seen}")).unwrap_or_default();
            let fault = match run.still_reading() {
                Some(fault) => format!("no end within {}: {fault}", show_duration(end)),
                None => classify::timeout_fault(end, run.trace.open(), run.answer.read),
            };
            Err(Broken::failed(FailureClass::Timeout, fault + &seen).into())
        });
        // A try that was cut short has not said yet what it took.
        run.end_try(trace);
        taken
    }

    /// Asks once, judges the answer, and captures from it.
    async fn once(
        &self,
        step: &ReadyStep,
        wait: Option<&Wait>,
        run: &mut Run,
        whole: &Trace,
        secrets: &Secrets,
    ) -> Result<(), Undone> {
        run.end_try(whole);
        run.trace = Trace::start();
        let trace = run.trace.clone();
        let ReadyAct::Http { step: http, clients, expect } = &step.act else { return Ok(()) };
        let probe = self.probe(http, clients, expect, run)?;
        let keeps = step.captures.iter().any(|capture| capture.from.needs_body()) || wait.is_some();
        let probe = if keeps { probe.keeping_the_body() } else { probe };
        let jar = run.answer.jar.take();
        run.answer = Progress { jar, ..Progress::new(probe.first()) };
        run.asked = true;
        TRACE.scope(trace.clone(), probe.ask(&trace, &mut run.answer)).await?;
        trace.close();
        let hide = |text: &str| super::evidence::hide(&run.known(secrets), text);
        if let Some((class, fault)) = probe.judge(probe.expectations(), &trace, &run.answer, &hide) {
            if let Some(fault) = wait.and_then(|wait| wait.is_lost(&probe, &trace, &run.answer, &hide)) {
                return Err(Broken::failed(FailureClass::Expectation, fault).into());
            }
            if wait.is_some() {
                // The next try may end without an answer, and what this one saw is told then.
                self.hide_untaken(step, run).await;
            }
            return Err(Undone::Unmet(class, fault));
        }
        capture::all(&step.captures, run).await
    }

    /// Hides what this step would capture from its answer, and another by name: a pattern may match anything elsewhere.
    async fn hide_untaken(&self, step: &ReadyStep, run: &mut Run) {
        let others = self.steps.iter().filter(|other| other.name != step.name);
        let others = others.flat_map(|other| &other.captures).filter(|capture| capture.from.names_a_place());
        capture::hide(step.captures.iter().chain(others), run).await;
    }

    /// The step's request, with its holes filled.
    fn probe(
        &self,
        http: &HttpStep,
        clients: &Arc<Clients>,
        expect: &Arc<[Condition]>,
        run: &mut Run,
    ) -> Result<HttpProbe, Undone> {
        let mut codes = Vec::new();
        let target = request::filled(http, |name| match name.strip_prefix("totp:") {
            Some(name) => {
                let code = totp::code(self.totp.get(name)?, crate::clock::now());
                codes.push(code.clone());
                Some(code)
            }
            None => run.values.get(name).cloned(),
        });
        codes.iter().for_each(|code| run.hide(code));
        let target = target?;
        if http.holds_secrets() && !self.origins.contains(&target.url.origin()) {
            let fault = format!(
                "the URL was captured and leads to {}, which the configuration does not name; its secrets are not sent there",
                target.url.origin().ascii_serialization()
            );
            return Err(Broken::failed(FailureClass::Redirect, fault).into());
        }
        let address = self.resolve.address.filter(|_| target.url.host_str() == self.host.as_deref());
        let resolve = Resolve { address, ..self.resolve };
        let probe = HttpProbe::of(&target, resolve, expect, clients.clone());
        probe.map_err(|fault| Broken::failed(FailureClass::Protocol, fault).into())
    }
}

impl PreparedKind for FlowProbe {
    fn check<'a>(&'a self, terms: Terms<'a>) -> BoxFuture<'a, Result<Finding, Internal>> {
        Box::pin(self.one_check(terms))
    }
}

impl Run {
    fn new() -> Result<Self, Internal> {
        let nowhere = Url::parse("http://localhost/").map_err(|error| Internal(error.to_string()))?;
        let ask = Ask {
            method: Method::GET,
            url: nowhere,
            headers: HeaderMap::new(),
            body: bytes::Bytes::new(),
            address: None,
        };
        Ok(Self {
            values: BTreeMap::new(),
            hidden: Vec::new(),
            trace: Trace::start(),
            answer: Progress { jar: Some(Jar::default()), ..Progress::new(&Arc::new(ask)) },
            phases: Phases::default(),
            asked: false,
            came: None,
            calls: None,
            mailbox: None,
            reading: None,
            seen: None,
            told: Vec::new(),
        })
    }

    /// What was under way when time ran out, if an answer had come and something was being looked for in it.
    fn still_reading(&mut self) -> Option<String> {
        self.reading.take().map(|name| format!("the answer was still being searched for `{name}`"))
    }

    fn hide(&mut self, value: &str) {
        // Headers and error pages name a URL without its host.
        let url = Url::parse(value).ok().filter(Url::has_host);
        let path = url.as_ref().map(|url| &url[Position::BeforePath..Position::AfterQuery]);
        for value in [Some(value), path.filter(|path| path.len() >= SECRET_PATH)].into_iter().flatten() {
            if !self.hidden.iter().any(|hidden| hidden == value) {
                self.hidden.push(value.to_owned());
                self.hidden.extend(encodings(value));
            }
        }
    }

    /// What is secret of the configuration, and what has become so.
    fn known(&self, secrets: &Secrets) -> Secrets {
        let cookies = self.answer.jar.iter().flat_map(Jar::values).filter(|value| value.len() >= SECRET_COOKIE);
        secrets.and(&Secrets::new(self.hidden.iter().cloned().chain(cookies.map(ToOwned::to_owned))))
    }
}
