//! Waiting: a step that is taken again and again until what it expects holds.

use tokio::time::{Instant, sleep_until, timeout_at};

use super::FlowProbe;
use super::run::Run;
use super::step::{ReadyStep, Undone, Wait};
use crate::model::unit::show_duration;
use crate::model::{FailureClass, Secrets};
use crate::probe::broken::Broken;
use crate::probe::stopwatch::Trace;

impl FlowProbe {
    /// Takes the step until it is done, its answer says that it never will be, or its time is up.
    pub(super) async fn wait(
        &self,
        step: &ReadyStep,
        wait: &Wait,
        run: &mut Run,
        whole: &Trace,
        secrets: &Secrets,
    ) -> Result<(), Undone> {
        let end = Instant::now() + wait.limit;
        let (mut tries, mut last) = (0_u32, None);
        loop {
            let next = Instant::now() + wait.every;
            tries += 1;
            match timeout_at(end, self.once(step, Some(wait), run, whole, secrets)).await {
                Ok(Err(Undone::Unmet(class, fault))) => {
                    run.seen = Some(fault.clone());
                    last = Some((class, fault));
                }
                Ok(ended) => return ended,
                Err(_) => {
                    // An answer that was still being searched is more recent than what was seen before.
                    last = run.still_reading().map(|fault| (FailureClass::Timeout, fault)).or(last);
                    break;
                }
            }
            if next >= end {
                break;
            }
            sleep_until(next).await;
        }
        let tries = if tries == 1 { "1 try".into() } else { format!("{tries} tries") };
        let limit = show_duration(wait.limit);
        // A status that is a failure by itself says more than that time is up.
        let (class, fault) = match last {
            Some((FailureClass::Expectation, fault)) => (FailureClass::Timeout, fault),
            Some(seen) => seen,
            None => (FailureClass::Timeout, "no answer came".into()),
        };
        Err(Broken::failed(class, format!("not so within {limit}, after {tries}: {fault}")).into())
    }
}
