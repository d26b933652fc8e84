//! Expiry: certificates that run out soon, one breach for each host.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::Config;
use crate::model::Marks;
use crate::model::unit::{show_about, show_duration};
use crate::model::{
    Breach, BreachId, CheckResult, Expiry, LabelValue, Labels, PerProbe, ProbeIndex, Probes, Rule, Slice, Timestamp,
};

use super::Signal;
use super::history::Entry;

/// One expiry rule at work.
pub(super) struct ExpiryWatch {
    rule: Rule,
    expiry: Expiry,
    /// For each probe of the config, the number of its host; `None` for those that the rule does not cover.
    host_of: PerProbe<Option<usize>>,
    hosts: Vec<Host>,
}

struct Host {
    name: LabelValue,
    /// When the certificate runs out that each of its probes was shown last, the first to run out first.
    shown: BTreeSet<(Timestamp, ProbeIndex)>,
    by_probe: BTreeMap<ProbeIndex, Timestamp>,
    breach: Option<BreachId>,
}

impl ExpiryWatch {
    pub(super) fn new(rule: &Rule, expiry: Expiry, probes: &Probes) -> Self {
        let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
        let mut hosts = Vec::new();
        let host_of = probes.iter().map(|probe| {
            rule.over.covers(probe).then(|| {
                *numbers.entry(probe.kind.host()).or_insert_with_key(|name| {
                    hosts.push(Host {
                        name: LabelValue::from(*name),
                        shown: BTreeSet::new(),
                        by_probe: BTreeMap::new(),
                        breach: None,
                    });
                    hosts.len() - 1
                })
            })
        });
        let host_of = host_of.collect();
        Self { rule: rule.clone(), expiry, host_of, hosts }
    }

    pub(super) fn covers(&self, probe: ProbeIndex) -> bool {
        self.host_of[probe].is_some()
    }

    /// Whether this check is the one that shows it. Those after it are not bad by that: for days all checks of a host
    /// would be, and hide what else goes wrong.
    pub(super) fn is_bad(&self, probe: ProbeIndex, result: &CheckResult) -> bool {
        let host = self.host_of[probe].and_then(|host| self.hosts.get(host));
        host.is_some_and(|host| host.breach.is_none())
            && result.expires.is_some_and(|expires| self.is_soon(expires, result.finished()))
    }

    pub(super) fn observe(&mut self, entry: Entry, result: &CheckResult, config: &Config, signals: &mut Vec<Signal>) {
        let (Some(number), Some(expires)) = (self.host_of[entry.probe], result.expires) else {
            return;
        };
        let Some(host) = self.hosts.get_mut(number) else { return };
        if let Some(before) = host.by_probe.insert(entry.probe, expires) {
            host.shown.remove(&(before, entry.probe));
        }
        host.shown.insert((expires, entry.probe));
        // Certificates and the end of a check are in wall-clock time.
        let now = result.finished();
        let host = &self.hosts[number];
        let Some((first, _)) = host.shown.first().copied() else { return };
        match host.breach {
            None if self.is_soon(first, now) => {
                let breach = self.breach(number, first, entry, result, config);
                self.hosts[number].breach = Some(breach.id);
                signals.push(Signal::Breached(breach));
            }
            Some(id) if !self.is_soon(first, now) => {
                let reason = format!("{} shows a certificate that lasts until {}", slice(&host.name), first.show());
                self.hosts[number].breach = None;
                signals.push(Signal::Cleared { breach: id, reason });
            }
            _ => {}
        }
    }

    pub(super) fn adopt(&mut self, breach: &Breach) -> bool {
        let Some(host) = self.host_named(breach) else { return false };
        host.breach = Some(breach.id);
        true
    }

    pub(super) fn forget(&mut self, breach: &Breach) {
        if let Some(host) = self.host_named(breach) {
            host.breach = None;
        }
    }

    fn host_named(&mut self, breach: &Breach) -> Option<&mut Host> {
        let ours = breach.rule == self.rule.id;
        self.hosts.iter_mut().find(|host| ours && slice(&host.name) == breach.slice)
    }

    fn is_soon(&self, expires: Timestamp, now: Timestamp) -> bool {
        expires <= now + self.expiry.within
    }

    fn breach(&self, host: usize, expires: Timestamp, entry: Entry, result: &CheckResult, config: &Config) -> Breach {
        let name = &self.hosts[host].name;
        let slice = slice(name);
        let now = result.finished();
        let left = if expires > now {
            format!("runs out on {}, in {}", expires.show(), show_about(expires.since(now)))
        } else {
            format!("ran out on {}", expires.show())
        };
        let probe = config.probes[entry.probe].id.as_str();
        let started = result.started.as_millis().to_string();
        // Customers and components are left out on purpose: such a breach lasts for days, and an outage of the same
        // component must not vanish in its incident. Two rules about one host do belong together.
        let mut marks = Marks::default();
        marks.cohorts.insert((HOST.into(), name.clone()));
        Breach {
            id: BreachId::derived(&[self.rule.id.as_str(), &slice.to_string(), probe, &started]),
            rule: self.rule.id.clone(),
            slice,
            severity: self.rule.severity,
            since: entry.at,
            found: entry.at,
            reason: format!("the certificate {left}; the rule: within {}", show_duration(self.expiry.within)),
            marks,
            cleared: None,
        }
    }
}

/// The label that every check has: no config can give it another meaning.
const HOST: &str = "host";

pub(super) fn slice(host: &LabelValue) -> Slice {
    Slice { labels: Labels::from([(HOST.into(), host.clone())]), probe: None }
}
