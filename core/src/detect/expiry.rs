//! Expiry: certificates that expire soon, one breach for each host.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::history::Entry;
use super::watch::{Kind, Signal, Watch};
use crate::config::Config;
use crate::model::unit::{show_about, show_duration};
use crate::model::{
    Breach, BreachId, CheckResult, Expiry, LabelValue, Labels, Marks, PerProbe, Probe, ProbeIndex, Probes, Rule,
    Slice, Timestamp,
};

impl Kind for Expiry {
    fn watch(&self, rule: &Rule, config: &Arc<Config>) -> Box<dyn Watch> {
        let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
        let mut hosts = Vec::new();
        let host_of = config.probes.iter().map(|probe| {
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
        Box::new(ExpiryWatch { rule: rule.clone(), expiry: *self, config: Arc::clone(config), host_of, hosts })
    }

    /// The next check shows the certificate again.
    fn lookback(&self, _probes: &Probes) -> Duration {
        Duration::ZERO
    }

    fn history(&self) -> Duration {
        Duration::ZERO
    }
}

/// One expiry rule at work.
struct ExpiryWatch {
    rule: Rule,
    expiry: Expiry,
    config: Arc<Config>,
    /// For each probe of the config, the place of its host; `None` for those that the rule does not cover.
    host_of: PerProbe<Option<usize>>,
    hosts: Vec<Host>,
}

struct Host {
    name: LabelValue,
    /// When the certificate expires that each of its probes was shown last, the first to expire first.
    shown: BTreeSet<(Timestamp, ProbeIndex)>,
    by_probe: BTreeMap<ProbeIndex, Timestamp>,
    breach: Option<BreachId>,
}

impl Host {
    /// Takes in what a probe was shown, and gives the first to run out of what all of them were.
    fn show(&mut self, probe: ProbeIndex, expires: Timestamp) -> Timestamp {
        if let Some(before) = self.by_probe.insert(probe, expires) {
            self.shown.remove(&(before, probe));
        }
        self.shown.insert((expires, probe));
        self.shown.first().map_or(expires, |(first, _)| *first)
    }
}

impl Watch for ExpiryWatch {
    fn rule(&self) -> &Rule {
        &self.rule
    }

    fn covers(&self, probe: ProbeIndex) -> bool {
        self.host_of[probe].is_some()
    }

    /// Whether this check is the one that shows it. Those after it are not bad by that: for days all checks of a host
    /// would be, and hide what else goes wrong.
    fn is_bad(&self, index: ProbeIndex, _probe: &Probe, result: &CheckResult) -> bool {
        self.host_of[index].is_some_and(|host| self.hosts[host].breach.is_none())
            && result.expires.is_some_and(|expires| self.is_soon(expires, result.finished()))
    }

    fn observe(&mut self, entry: Entry, result: &CheckResult, signals: &mut Vec<Signal>) {
        // A check that was shown no certificate says nothing, and a probe that is covered has a host.
        let (Some(place), Some(expires)) = (self.host_of[entry.probe], result.expires) else { return };
        let first = self.hosts[place].show(entry.probe, expires);
        // Certificates and the end of a check are in wall-clock time.
        let now = result.finished();
        match self.hosts[place].breach {
            None if self.is_soon(first, now) => {
                let breach = self.breach(place, first, entry, result);
                self.hosts[place].breach = Some(breach.id);
                signals.push(Signal::Breached(breach));
            }
            Some(id) if !self.is_soon(first, now) => {
                let host = &mut self.hosts[place];
                let reason = format!("{} shows a certificate that lasts until {}", slice(&host.name), first.show());
                host.breach = None;
                signals.push(Signal::Cleared { breach: id, reason });
            }
            _ => {}
        }
    }

    fn adopt(&mut self, breach: &Breach) -> bool {
        let Some(host) = self.host_named(breach) else { return false };
        host.breach = Some(breach.id);
        true
    }

    fn forget(&mut self, breach: &Breach) {
        if let Some(host) = self.host_named(breach) {
            host.breach = None;
        }
    }
}

impl ExpiryWatch {
    /// The host of a breach of this rule; none if it is of another rule, or of a host that is no more.
    fn host_named(&mut self, breach: &Breach) -> Option<&mut Host> {
        let ours = breach.rule == self.rule.id;
        self.hosts.iter_mut().find(|host| ours && slice(&host.name) == breach.slice)
    }

    fn is_soon(&self, expires: Timestamp, now: Timestamp) -> bool {
        expires <= now + self.expiry.within
    }

    fn breach(&self, host: usize, expires: Timestamp, entry: Entry, result: &CheckResult) -> Breach {
        let name = &self.hosts[host].name;
        let slice = slice(name);
        let now = result.finished();
        let left = if expires > now {
            format!("expires on {}, in {}", expires.show(), show_about(expires.since(now)))
        } else {
            format!("expired on {}", expires.show())
        };
        let probe = self.config.probes[entry.probe].id.as_str();
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
            usual: None,
            meaning: Some(self.rule.meaning()),
            cleared: None,
        }
    }
}

/// The label that every check has: no config can give it another meaning.
const HOST: &str = "host";

pub(super) fn slice(host: &LabelValue) -> Slice {
    Slice { labels: Labels::from([(HOST.into(), host.clone())]), probe: None }
}
