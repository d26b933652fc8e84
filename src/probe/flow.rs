//! The flow kind: steps in order, with one jar of cookies and what the steps before have captured.
//!
//! A step asks as a probe of its own kind would, with a trace of its own. The first step that fails ends the flow,
//! but for the steps that are always taken: for them a share of the time is kept back.
//!
//! This file takes the steps. `step` is what one is once it is prepared, `run` what a check has come to know, `attempt`
//! one request, `wait`, `receive` and `mail` the other ways to take a step. `request` fills values in and `capture` takes
//! them; `hidden` and `untaken` are about what nobody may see; `report` tells what it all came to.

mod attempt;
mod capture;
mod hidden;
mod mail;
mod receive;
mod report;
mod request;
mod run;
mod step;
pub(crate) mod totp;
mod untaken;
mod wait;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::time::timeout;
use url::Origin;

use super::broken::Broken;
use super::classify;
use super::finding::{Finding, Internal};
use super::mail::expected;
use super::prepared::{PreparedKind, Terms};
use super::shared::Shared;
use super::stopwatch::Trace;
use crate::inbox::mail::Taken;
use crate::inbox::{Inbox, nonce};
use crate::model::kind::flow::{Act, Hook, KEPT_BACK, Totp};
use crate::model::unit::show_duration;
use crate::model::{FailureClass, FlowTarget, Probe, Resolve, Secrets};
use run::Run;
use step::{ReadyAct, ReadyStep, Undone};

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

impl PreparedKind for FlowProbe {
    fn check<'a>(&'a self, terms: Terms<'a>) -> BoxFuture<'a, Result<Finding, Internal>> {
        Box::pin(self.one_check(terms))
    }
}

impl FlowProbe {
    pub(super) fn new(target: &FlowTarget, probe: &Probe, shared: &mut Shared) -> Result<Self, String> {
        let steps: Result<Vec<_>, _> = target.steps.iter().map(|step| ReadyStep::new(step, shared)).collect();
        let origins = target.steps.iter().filter_map(|step| match &step.act {
            Act::Http(http) => request::fixed_origin(&http.url),
            Act::Receive(_) | Act::Mail(_) => None,
        });
        Ok(Self {
            steps: steps?,
            totp: target.totp.clone(),
            hook: target.hook.clone(),
            mailbox: target.mailbox.clone(),
            resolve: probe.resolve,
            host: target.first().and_then(|first| first.base.url.host_str()).map(ToOwned::to_owned),
            origins: origins.collect(),
        })
    }

    /// Takes the steps.
    async fn one_check(&self, terms: Terms<'_>) -> Result<Finding, Internal> {
        let Terms { limit, trace, secrets, inbox, .. } = terms;
        let mut run = self.begin(inbox)?;
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
                self.hide_or_drop(step, &mut run, limit.saturating_sub(trace.elapsed())).await;
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

    /// Nothing has been asked yet. From here on calls and mails count, so that one that comes before its step is taken is
    /// not missed.
    fn begin(&self, inbox: Option<&Inbox>) -> Result<Run, Internal> {
        let mut run = Run::new()?;
        if let Some(hook) = &self.hook {
            let nonce = nonce().ok_or_else(|| Internal("this machine has no random numbers".into()))?;
            run.calls = inbox.and_then(|inbox| inbox.wait(&hook.token, &nonce));
            run.values.insert("hook_url".into(), format!("{}/{nonce}", hook.url));
        }
        if let Some(mailbox) = &self.mailbox {
            let mail = expected(inbox, mailbox, Taken::AlsoShared)?;
            run.values.insert("mail_address".into(), mail.address.clone());
            run.mailbox = Some(mail);
        }
        Ok(run)
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
            (ReadyAct::Receive { within }, _) => {
                timeout(left, self.receive(step, *within, run, trace, secrets)).await
            }
            (ReadyAct::Mail { within }, _) => timeout(left, self.mail(step, *within, run, trace, secrets)).await,
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
}
