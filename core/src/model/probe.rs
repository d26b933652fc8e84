//! Probes: questions to the service, each asked again and again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::calendar::Calendar;
use super::condition::Condition;
use super::id::{ComponentId, LabelName, LabelValue, ProbeId, ProbeName};
use super::kind::{ProbeKind, Proxy, Resolve};
use super::retry::Retry;

/// Labels in the order of their names.
pub type Labels = BTreeMap<LabelName, LabelValue>;

/// Labels as people write them: `workspace=acme, plan=free`.
#[must_use]
pub fn show_labels(labels: &Labels) -> String {
    let pairs: Vec<String> = labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join(", ")
}

/// One question to the service, for one combination of labels.
#[derive(Clone, Debug)]
pub struct Probe {
    /// Its id, unique in the config: `dashboard[workspace=acme]`.
    pub id: ProbeId,
    /// The definition that it was expanded from: `dashboard`.
    pub name: ProbeName,
    /// The component that it stands for.
    pub component: ComponentId,
    /// Its own labels and those of `for_each`.
    pub labels: Labels,
    /// When it is asked.
    pub cadence: Cadence,
    /// How long one check may take, from its start to the end of the answer.
    pub timeout: Duration,
    /// When a failed check is retried at once.
    pub retry: Retry,
    /// Whether it asks the service or something that has nothing to do with it.
    pub role: Role,
    /// What is asked, and of whom.
    pub kind: ProbeKind,
    /// How the way to it is found.
    pub resolve: Resolve,
    /// What connects for it.
    pub proxy: Option<Arc<Proxy>>,
    /// What must hold of the answer. Empty: the kind's own default. Shared by the expansions of a definition.
    pub expect: Arc<[Condition]>,
}

/// What a probe is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Role {
    /// It asks the service.
    #[default]
    Service,
    /// It asks something that does not depend on the service: while that answers, we can see. No rule judges it.
    Canary,
}

impl Probe {
    /// The value of a label, be it written or one of those that every probe has: `component`, `host`, `kind`, `probe`.
    #[must_use]
    pub fn label(&self, name: &LabelName) -> Option<LabelValue> {
        match name.as_str() {
            "component" => Some(self.component.as_str().into()),
            "host" => Some(self.kind.host().into()),
            "kind" => Some(self.kind.name().into()),
            "probe" => Some(self.name.as_str().into()),
            _ => self.labels.get(name).cloned(),
        }
    }

    /// The time between two of its turns, unless it has a calendar.
    #[must_use]
    pub fn interval(&self) -> Option<Duration> {
        match self.cadence {
            Cadence::Every(interval) => Some(interval),
            Cadence::At(_) => None,
        }
    }

    /// How long one of its checks may take, with all its tries.
    #[must_use]
    pub fn longest_check(&self) -> Duration {
        self.retry.longest(self.timeout, self.interval())
    }
}

/// When a probe is asked.
#[derive(Clone, Debug)]
pub enum Cadence {
    /// Again and again with this much between two starts.
    Every(Duration),
    /// At the times of a calendar.
    At(Arc<Calendar>),
}
