//! A step as it is prepared: what is asked or waited for, how often, and why it is not done.

use std::sync::Arc;
use std::time::Duration;

use crate::model::kind::flow::{Act, Capture, HttpStep, Step, Until};
use crate::model::{Condition, FailureClass};
use crate::probe::broken::Broken;
use crate::probe::connect::Clients;
use crate::probe::expect::Expectations;
use crate::probe::http::{HttpProbe, Progress};
use crate::probe::shared::Shared;
use crate::probe::stopwatch::Trace;

/// A step that can be taken again and again.
pub(super) struct ReadyStep {
    pub(super) name: String,
    pub(super) act: ReadyAct,
    pub(super) expect: Arc<[Condition]>,
    pub(super) captures: Vec<Capture>,
    pub(super) wait: Option<Wait>,
    /// Whether it is taken even after another step has failed.
    pub(super) always: bool,
}

/// What a step does.
pub(super) enum ReadyAct {
    Http { step: Box<HttpStep>, clients: Arc<Clients> },
    Receive { within: Duration },
    Mail { within: Duration },
}

/// Why a step is not done.
pub(super) enum Undone {
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

impl ReadyStep {
    pub(super) fn new(step: &Step, shared: &mut Shared) -> Result<Self, String> {
        let act = match &step.act {
            Act::Http(http) => ReadyAct::Http { step: http.clone(), clients: shared.clients(&http.base)? },
            Act::Receive(within) => ReadyAct::Receive { within: *within },
            Act::Mail(within) => ReadyAct::Mail { within: *within },
        };
        Ok(Self {
            name: step.name.clone(),
            act,
            expect: step.expect.clone(),
            captures: step.captures.clone(),
            wait: step.until.as_ref().map(Wait::new),
            always: step.always,
        })
    }

    /// What it would ask, with its holes.
    pub(super) fn request(&self) -> String {
        match &self.act {
            ReadyAct::Http { step, .. } => format!("{} {}", step.base.method, step.url),
            ReadyAct::Receive { .. } => "a call of {{hook_url}}".into(),
            ReadyAct::Mail { .. } => "a mail to {{mail_address}}".into(),
        }
    }
}

/// How a step waits.
pub(super) struct Wait {
    pub(super) every: Duration,
    pub(super) limit: Duration,
    /// What says that it waits in vain, and the opposite, which fails with the values.
    lost: Option<(Expectations, Expectations)>,
}

impl Wait {
    fn new(until: &Until) -> Self {
        let alone = |condition: &Condition| Expectations::new(Arc::from([condition.clone()]));
        let lost = until.fail.as_ref().map(|(fail, opposite)| (alone(fail), alone(opposite)));
        Self { every: until.every, limit: until.limit, lost }
    }

    /// Why waiting longer would be in vain, if it would. A condition that cannot be worked out says nothing yet.
    pub(super) fn is_lost(
        &self,
        probe: &HttpProbe,
        trace: &Trace,
        answer: &Progress,
        hide: &dyn Fn(&str) -> String,
    ) -> Option<String> {
        let (fail, opposite) = self.lost.as_ref()?;
        if probe.judge(fail, trace, answer, hide).is_some() {
            return None;
        }
        probe.judge(opposite, trace, answer, hide).map(|(_, fault)| fault)
    }
}
