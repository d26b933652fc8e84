//! One definition becomes a probe for each combination of labels.

use std::sync::Arc;
use std::time::Duration;

use crate::config::kinds::Open;
use crate::config::reader::{Entry, Reader};
use crate::config::text::Values;
use crate::model::{
    Cadence, Condition, LabelName, LabelValue, Labels, Probe, ProbeId, ProbeName, Proxy, Resolve, Retry, Role,
};

/// How many probes a config may expand to.
const MOST_PROBES: usize = 100_000;

/// What one definition says.
pub(super) struct Definition<'n> {
    pub(super) name: Entry<'n>,
    pub(super) component: String,
    pub(super) own: Labels,
    pub(super) for_each: Vec<(LabelName, Vec<LabelValue>)>,
    pub(super) timing: (Cadence, Duration),
    pub(super) retry: Retry,
    pub(super) question: Box<dyn Open>,
    pub(super) resolve: Resolve,
    pub(super) proxy: Option<Arc<Proxy>>,
    pub(super) expect: Arc<[Condition]>,
}

impl Definition<'_> {
    /// Adds a probe for each combination of its labels.
    pub(super) fn expand(&self, reader: &mut Reader<'_>, probes: &mut Vec<Probe>) -> Option<()> {
        let count = self.for_each.iter().try_fold(1usize, |count, (_, values)| count.checked_mul(values.len()));
        if count.and_then(|count| count.checked_add(probes.len())).is_none_or(|total| total > MOST_PROBES) {
            let fault = format!("with `{}` there are more than {MOST_PROBES} probes", self.name.name);
            reader.fault(self.name.at, fault, "name fewer labels in `for_each`, or fewer values in `cohorts`");
            return None;
        }
        for index in 0..count.unwrap_or_default() {
            let chosen = self.combination(index);
            let pairs: Vec<String> = chosen.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let id = if pairs.is_empty() {
                self.name.name.into()
            } else {
                format!("{}[{}]", self.name.name, pairs.join(","))
            };
            let mut labels = self.own.clone();
            labels.extend(chosen);
            let mut values: Values<'_> = labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            values.insert("component", &self.component);
            let kind = self.question.fill(reader, &values)?;
            probes.push(Probe {
                id: ProbeId::from(id),
                name: ProbeName::from(self.name.name),
                component: self.component.as_str().into(),
                labels,
                cadence: self.timing.0.clone(),
                timeout: self.timing.1,
                retry: self.retry.clone(),
                role: Role::Service,
                kind,
                resolve: self.resolve,
                proxy: self.proxy.clone(),
                expect: self.expect.clone(),
            });
        }
        Some(())
    }

    /// The combination with this number; the last label changes fastest.
    fn combination(&self, mut index: usize) -> Vec<(LabelName, LabelValue)> {
        let mut chosen = Vec::with_capacity(self.for_each.len());
        for (name, values) in self.for_each.iter().rev() {
            let size = values.len().max(1);
            chosen.extend(values.get(index % size).map(|value| (name.clone(), value.clone())));
            index /= size;
        }
        chosen.reverse();
        chosen
    }
}
