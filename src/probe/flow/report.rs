//! What a flow came to: the step that failed, and what each step took.

use super::run::Run;
use super::step::{ReadyAct, ReadyStep, Undone};
use crate::model::condition::Fact;
use crate::model::unit::show_duration;
use crate::model::{FailureClass, Outcome, Phase};
use crate::probe::broken::Broken;
use crate::probe::evidence::{BODY_SEEN, Gathered, evidence, headers};
use crate::probe::expect::unmet;
use crate::probe::finding::{Finding, Internal};
use crate::probe::prepared::Terms;

/// A step that failed, with what is kept of it.
pub(super) struct StepFailure {
    class: FailureClass,
    fault: String,
    request: String,
    status: Option<u16>,
    address: Option<std::net::IpAddr>,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    redirects: Vec<String>,
}

impl StepFailure {
    fn without_answer(class: FailureClass, fault: String, request: String) -> Self {
        let (headers, body, redirects) = (Vec::new(), Vec::new(), Vec::new());
        Self { class, fault, request, status: None, address: None, headers, body, redirects }
    }

    /// Another step failed as well, while cleaning up.
    pub(super) fn also(&mut self, other: &Self) {
        self.fault = format!("{}; then {}", self.fault, other.fault);
    }
}

/// `step 2 of 5, sign-in`.
pub(super) fn title(number: usize, of: usize, name: &str) -> String {
    format!("step {number} of {of}, `{name}`")
}

impl Run {
    /// Notes what became of a step; gives the failure, if it is one.
    pub(super) fn report(
        &mut self,
        number: usize,
        of: usize,
        step: &ReadyStep,
        undone: Result<(), Undone>,
    ) -> Result<Option<StepFailure>, Internal> {
        let title = title(number, of, &step.name);
        let took = self.took();
        let (class, fault) = match undone {
            Ok(()) => {
                self.told.push((title, took));
                return Ok(None);
            }
            Err(Undone::Broken(Broken::Internal(fault))) => return Err(fault),
            Err(Undone::Lacks(name)) if step.always => {
                self.told.push((title, format!("not taken: nothing was captured as {name}")));
                return Ok(None);
            }
            Err(Undone::Lacks(name)) => {
                return Err(Internal(format!("{title}: nothing was captured as {name}")));
            }
            Err(Undone::Unmet(class, fault) | Undone::Broken(Broken::Failed(class, fault))) => (class, fault),
        };
        self.told.push((title.clone(), format!("failed ({}): {took}", class.as_str())));
        let fault = format!("{title}: {fault}");
        if !self.asked {
            // What is there is the answer to the step before.
            return Ok(Some(StepFailure::without_answer(class, fault, step.request())));
        }
        let answer = &self.answer;
        let request = match &step.act {
            ReadyAct::Mail { .. } => step.request(),
            ReadyAct::Http { .. } | ReadyAct::Receive { .. } => format!("{} {}", answer.ask.method, answer.ask.url),
        };
        Ok(Some(StepFailure {
            class,
            fault,
            request,
            status: answer.status.map(|status| status.as_u16()),
            address: answer.address,
            headers: answer.headers.as_ref().map(headers).unwrap_or_default(),
            body: answer.body.get(..BODY_SEEN).unwrap_or(&answer.body).to_vec(),
            redirects: answer.redirects.clone(),
        }))
    }

    /// `200 in 35ms: connect 1ms, first_byte 30ms, transfer 4ms`.
    fn took(&self) -> String {
        let phases = &self.phases;
        let parts = phases.iter().filter(|(phase, _)| *phase != Phase::Total);
        let named = parts.filter_map(|(phase, time)| Some(format!("{} {}", phase.as_str(), show_duration(time?))));
        let named = Vec::from_iter(named).join(", ");
        let status = match self.answer.status.filter(|_| self.asked) {
            Some(status) => status.as_u16().to_string(),
            None => self.came.unwrap_or("no answer").into(),
        };
        let total = show_duration(phases.total);
        if named.is_empty() { format!("{status} in {total}") } else { format!("{status} in {total}: {named}") }
    }
}

/// The finding of the whole flow, with everything secret hidden.
pub(super) fn finding(run: Run, failure: Option<StepFailure>, terms: Terms<'_>) -> Finding {
    let Terms { request, expect, trace, .. } = terms;
    let secrets = run.known(terms.secrets);
    let hide = |text: &str| crate::probe::evidence::hide(&secrets, text);
    let failure = failure.or_else(|| {
        // What is expected of the flow as a whole.
        let fault = unmet(expect, &[("timing", Fact::timing(&trace.phases()))], &hide)?;
        Some(StepFailure::without_answer(FailureClass::Expectation, fault, request.to_owned()))
    });
    let mut finding = Finding {
        outcome: Outcome::Success,
        status: run.answer.status.map(|status| status.as_u16()),
        address: run.answer.address.or_else(|| trace.only_candidate()),
        expires: trace.with_leaf(crate::probe::expiry::read).flatten(),
        evidence: None,
    };
    let Some(failed) = failure else { return finding };
    finding.status = failed.status;
    finding.address = failed.address.or_else(|| trace.only_candidate());
    let gathered = Gathered {
        request: &failed.request,
        address: finding.address,
        headers: run.told.into_iter().chain(failed.headers).collect(),
        body: &failed.body,
        peer: trace.peer(),
        redirects: &failed.redirects,
    };
    finding.evidence = Some(evidence(&failed.fault, gathered, &secrets));
    finding.outcome = Outcome::Failure(failed.class);
    finding
}
