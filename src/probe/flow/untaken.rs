//! What a failed step must not show: the values that would have been captured from its answer, and were not.

use std::time::Duration;

use tokio::time::timeout;

use super::run::Run;
use super::step::ReadyStep;
use super::{FlowProbe, capture};

/// How long an answer is searched for what must not be shown of it, once its step has failed: so long even if the flow's
/// time is up ...
const SHORTEST_SEARCH: Duration = Duration::from_millis(200);
/// ... and so long if there is time left.
const LONGEST_SEARCH: Duration = Duration::from_secs(2);

impl FlowProbe {
    /// Once the step has failed: what cannot be searched in time is not shown. So much of the flow's time is left.
    pub(super) async fn hide_or_drop(&self, step: &ReadyStep, run: &mut Run, left: Duration) {
        let left = left.clamp(SHORTEST_SEARCH, LONGEST_SEARCH);
        if timeout(left, self.hide_untaken(step, run)).await.is_err() {
            run.answer.body.clear();
        }
        run.reading = None;
    }

    /// Hides what this step would capture from its answer, and another by name: a pattern may match anything elsewhere.
    pub(super) async fn hide_untaken(&self, step: &ReadyStep, run: &mut Run) {
        let others = self.steps.iter().filter(|other| other.name != step.name);
        let others = others.flat_map(|other| &other.captures).filter(|capture| capture.from.names_a_place());
        capture::hide(step.captures.iter().chain(others), run).await;
    }
}
