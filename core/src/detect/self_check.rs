//! Is it us? Decides whether Tripline can see at all, from what its checks came to.
//!
//! A failure without an answer from the other side (dns, connect, tls, timeout) may be that of our own network. It is
//! the service's when anything else has answered since the check began, and ours when nothing answers at all: none of
//! the canaries or, without canaries, none of at least two hosts over a whole round. Until one of the two is known, it
//! waits. With one host and no canaries it cannot be told, and every failure is the service's.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::config::Config;
use crate::model::{FailureClass, Outcome, PerProbe, Probe, ProbeIndex, Role, Timestamp, VoidReason};

/// A failure waits at most so long until it is known whose it is. After that it counts as the service's.
pub const LONGEST_WAIT: Duration = Duration::from_secs(20);
/// At most so many results wait; past that, the oldest count as what they are.
pub const MOST_WAITING: usize = 4_096;

/// A round without canaries is the longest interval, up to this.
const LONGEST_ROUND: Duration = Duration::from_secs(60);

/// What becomes of a result, and why.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It counts as what it is.
    Counts {
        /// Why.
        reason: &'static str,
    },
    /// It is not known yet whether we see.
    Waits {
        /// Why.
        reason: &'static str,
    },
    /// We could not see: it says nothing of the service.
    Void {
        /// Why.
        reason: &'static str,
    },
}

/// That we cannot see, with the numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Blindness {
    /// Since when nothing is known to have been seen: the last answer, or the first failure after it.
    pub since: Timestamp,
    /// When it was found.
    pub found: Timestamp,
    /// Checks of the service that failed since, ...
    pub checks: u32,
    /// ... at so many hosts.
    pub hosts: u32,
    /// How many canaries there are.
    pub canaries: u32,
}

/// Whether we can see. Times are steady: they do not run backwards.
#[derive(Debug)]
pub struct SelfCheck {
    /// Who is asked by each probe, by its index in the config.
    asked: PerProbe<Asked>,
    /// The interval of each canary, by its index.
    canaries: BTreeMap<ProbeIndex, Duration>,
    /// Without canaries: the hosts of which none may have answered.
    hosts: BTreeSet<usize>,
    can_tell: bool,
    round: Duration,
    last_answer: Option<Timestamp>,
    silence: Option<Silence>,
    /// Up to when it has been looked.
    looked: Timestamp,
}

#[derive(Clone, Copy, Debug)]
enum Asked {
    Canary,
    /// The host's number.
    Host(usize),
    /// Nobody: it comes by itself, and says nothing about whom we can reach.
    Nobody,
}

/// Failures since the last answer.
#[derive(Debug)]
struct Silence {
    /// When the first of them began.
    began: Timestamp,
    /// When it ended.
    first: Timestamp,
    checks: u32,
    hosts: BTreeSet<usize>,
    /// The last failure of each canary.
    canaries: BTreeMap<ProbeIndex, Timestamp>,
    /// That we cannot see: since when, and when it was found.
    blind: Option<(Timestamp, Timestamp)>,
}

/// Whether it can be told of a failure without an answer whose it is: by canaries, or by a second host.
pub(super) fn can_tell(probes: &[Probe]) -> bool {
    let asked = probes.iter().filter(|probe| probe.role == Role::Service && !probe.kind.comes_by_itself());
    let hosts: BTreeSet<&str> = asked.map(|probe| probe.kind.host()).collect();
    hosts.len() > 1 || probes.iter().any(|probe| probe.role == Role::Canary)
}

impl SelfCheck {
    /// Nothing has been seen yet.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
        let mut often = BTreeSet::new();
        let mut asked = Vec::with_capacity(config.probes.len());
        let mut canaries = BTreeMap::new();
        let intervals =
            config.probes.iter().filter(|probe| probe.role == Role::Service && !probe.kind.comes_by_itself());
        let intervals = intervals.map(|probe| probe.interval());
        let round = intervals.map(|interval| interval.unwrap_or(LONGEST_ROUND)).max().unwrap_or_default();
        let round = round.min(LONGEST_ROUND);
        for (index, probe) in config.probes.indexed() {
            if probe.role == Role::Canary {
                canaries.insert(index, probe.interval().unwrap_or(LONGEST_ROUND));
                asked.push(Asked::Canary);
                continue;
            }
            if probe.kind.comes_by_itself() {
                asked.push(Asked::Nobody);
                continue;
            }
            let next = numbers.len();
            let host = *numbers.entry(probe.kind.host()).or_insert(next);
            if probe.interval().is_some_and(|interval| interval <= round) {
                often.insert(host);
            }
            asked.push(Asked::Host(host));
        }
        // Of hosts that are asked less than once a round nothing can be said after one; unless there are no others.
        let hosts = if often.len() > 1 { often } else { (0..numbers.len()).collect() };
        let can_tell = can_tell(&config.probes);
        Self {
            asked: asked.into_iter().collect(),
            canaries,
            hosts,
            can_tell,
            round,
            last_answer: None,
            silence: None,
            looked: Timestamp::default(),
        }
    }

    /// Takes in a result of the probe with this index, and decides what becomes of it.
    pub fn judge(&mut self, probe: ProbeIndex, outcome: Outcome, began: Timestamp, ended: Timestamp) -> Verdict {
        let asked = self.asked[probe];
        let class = match outcome {
            // A stored result: what became of it says that nothing had answered.
            Outcome::Void(VoidReason::Offline) => {
                self.note_failure(probe, asked, began, ended);
                self.look(ended);
                return Verdict::Counts { reason: "it was found before that we could not see" };
            }
            Outcome::Void(_) => return Verdict::Counts { reason: "nobody looked" },
            Outcome::Success => None,
            Outcome::Failure(class) => Some(class),
        };
        if matches!(asked, Asked::Nobody) {
            return match class {
                Some(FailureClass::Missing) if self.is_blind() => {
                    Verdict::Void { reason: "nothing at all can be reached: nor can we be" }
                }
                _ => Verdict::Counts { reason: "nobody was asked" },
            };
        }
        if class.is_none_or(|class| !class.is_network()) {
            self.last_answer = self.last_answer.max(Some(ended));
            self.silence = None;
            return Verdict::Counts { reason: "it was answered" };
        }
        self.note_failure(probe, asked, began, ended);
        self.look(ended);
        if matches!(asked, Asked::Canary) {
            return Verdict::Counts { reason: "it is a canary, which no rule judges" };
        }
        self.decide(began)
    }

    /// What becomes of a failure of the service without an answer, of a check that began then.
    #[must_use]
    pub fn decide(&self, began: Timestamp) -> Verdict {
        if !self.can_tell {
            Verdict::Counts { reason: "with one host and no canaries it cannot be told whether it is us" }
        } else if self.is_blind() {
            Verdict::Void { reason: "nothing at all can be reached: we cannot see" }
        } else if self.last_answer.is_some_and(|answer| answer >= began) {
            Verdict::Counts { reason: "something else has answered since it began" }
        } else {
            Verdict::Waits { reason: "nothing has answered since it began" }
        }
    }

    /// Lets time pass.
    pub fn pass(&mut self, at: Timestamp) {
        self.look(at);
    }

    /// When time passing alone may show that we cannot see.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Timestamp> {
        if self.is_blind() || !self.all_failed() {
            return None;
        }
        self.quiet_from().filter(|from| *from > self.looked)
    }

    /// When the last answer came, if nothing has failed to be reached since.
    #[must_use]
    pub fn sees(&self) -> Option<Timestamp> {
        self.last_answer.filter(|_| self.silence.is_none())
    }

    /// Whether we may be cut off: nothing that was asked since the last answer has answered.
    #[must_use]
    pub fn doubts(&self) -> bool {
        self.is_blind() || self.all_failed()
    }

    /// That we cannot see, if so.
    #[must_use]
    pub fn blindness(&self) -> Option<Blindness> {
        let silence = self.silence.as_ref()?;
        let (since, found) = silence.blind?;
        Some(Blindness {
            since,
            found,
            checks: silence.checks,
            hosts: u32::try_from(silence.hosts.len()).unwrap_or(u32::MAX),
            canaries: u32::try_from(self.canaries.len()).unwrap_or(u32::MAX),
        })
    }

    fn note_failure(&mut self, probe: ProbeIndex, asked: Asked, began: Timestamp, ended: Timestamp) {
        // A check that was under way when the last answer came may have failed for the service's own reasons.
        if self.last_answer.is_some_and(|answer| answer >= began) && self.silence.is_none() {
            return;
        }
        let silence = self.silence.get_or_insert_with(|| Silence {
            began,
            first: ended,
            checks: 0,
            hosts: BTreeSet::new(),
            canaries: BTreeMap::new(),
            blind: None,
        });
        silence.began = silence.began.min(began);
        match asked {
            Asked::Canary => {
                silence.canaries.insert(probe, ended);
            }
            Asked::Host(host) => {
                silence.checks = silence.checks.saturating_add(1);
                silence.hosts.insert(host);
            }
            Asked::Nobody => {}
        }
    }

    fn look(&mut self, at: Timestamp) {
        self.looked = self.looked.max(at);
        if self.is_blind() || !self.all_failed() || self.quiet_from().is_none_or(|from| at < from) {
            return;
        }
        // A canary that has not been asked for two of its intervals says nothing of now.
        let old = |(probe, last): (&ProbeIndex, &Timestamp)| at.since(*last) > self.canaries[probe].saturating_mul(2);
        if let Some(silence) = self.silence.as_mut().filter(|silence| !silence.canaries.iter().any(old)) {
            silence.blind = Some((silence.began.max(self.last_answer.unwrap_or(silence.began)), at));
        }
    }

    fn is_blind(&self) -> bool {
        self.silence.as_ref().is_some_and(|silence| silence.blind.is_some())
    }

    /// Whether everything that must have failed has, since the last answer.
    fn all_failed(&self) -> bool {
        let Some(silence) = self.silence.as_ref().filter(|_| self.can_tell) else { return false };
        if self.canaries.is_empty() {
            self.hosts.is_subset(&silence.hosts)
        } else {
            silence.canaries.len() == self.canaries.len()
        }
    }

    /// From when on a silence is long enough to say that we cannot see.
    ///
    /// With canaries: an interval of theirs after the last answer. Where something answers more often than that, it
    /// is the canaries that are cut off, not we.
    fn quiet_from(&self) -> Option<Timestamp> {
        let silence = self.silence.as_ref()?;
        match self.canaries.values().max() {
            None => Some(silence.first + self.round),
            Some(interval) => Some(self.last_answer.map_or(silence.first, |answer| answer + *interval)),
        }
    }
}

#[cfg(test)]
mod tests;
