//! One request of a step: made, judged, and captured from.

use super::run::Run;
use super::step::{ReadyAct, ReadyStep, Undone, Wait};
use super::{FlowProbe, capture};
use crate::model::{FailureClass, Secrets};
use crate::probe::broken::Broken;
use crate::probe::evidence;
use crate::probe::http::Progress;
use crate::probe::stopwatch::{TRACE, Trace};

impl FlowProbe {
    /// Asks once, judges the answer, and captures from it.
    pub(super) async fn once(
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
        let ReadyAct::Http { step: http, clients } = &step.act else { return Ok(()) };
        let probe = self.filled(http, clients, &step.expect, run)?;
        let keeps = step.captures.iter().any(|capture| capture.from.needs_body()) || wait.is_some();
        let probe = if keeps { probe.keeping_the_body() } else { probe };
        let jar = run.answer.jar.take();
        run.answer = Progress { jar, ..Progress::new(probe.first()) };
        run.asked = true;
        TRACE.scope(trace.clone(), probe.ask(&trace, &mut run.answer)).await?;
        trace.close();
        let hide = |text: &str| evidence::hide(&run.known(secrets), text);
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
}
