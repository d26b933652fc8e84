//! Sight: results wait here until it is known whether we can see from where they were made. One self-check per location;
//! it knows no incident.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::config::Config;
use crate::detect::self_check::{Blindness, LONGEST_WAIT, MOST_WAITING, SelfCheck, Verdict};
use crate::model::rule::TELL_AFTER;
use crate::model::{CheckResult, Location, Outcome, ProbeIndex, Timestamp, VoidReason};

/// What is new about our own sight. Times are steady.
pub(super) enum News {
    /// Something answers again; people need not have been told.
    SeesAgain,
    /// For long enough that people are told, nothing at all has been reached from there.
    Blind(Location, Blindness),
    /// People were told that we cannot see from there, and we do again, since then.
    Over(Location, Timestamp),
}

/// A result on its way, with its probe if the config has it.
type Known = (Option<ProbeIndex>, CheckResult);

/// The results that are not judged yet, and what is known of our own sight.
pub(super) struct Sight {
    config: Arc<Config>,
    /// Whether people are told that we cannot see.
    tells: bool,
    /// Those of the config. What comes from elsewhere, from before its location had this name, is seen from our own.
    locations: BTreeMap<Location, Eye>,
}

/// What is seen from one location.
struct Eye {
    self_check: SelfCheck,
    /// They keep their order, so one that is known waits behind one that is not.
    held: VecDeque<Held>,
    /// Whether it could not see when it was last looked.
    blind: bool,
    /// Whether people were told so.
    told: bool,
}

/// A result that is not given out yet.
struct Held {
    probe: Option<ProbeIndex>,
    result: CheckResult,
    /// Unless it is known what becomes of it.
    wait: Option<Wait>,
}

/// What a result waits for. Times are steady.
struct Wait {
    /// An answer after this moment, when its check began ...
    began: Timestamp,
    /// ... until then at most.
    until: Timestamp,
}

impl Sight {
    pub(super) fn new(config: Arc<Config>) -> Self {
        let tells = config.rules.iter().any(|rule| !rule.kind.judges_probes());
        let locations = BTreeMap::from([(config.location.clone(), Eye::new(&config))]);
        Self { config, tells, locations }
    }

    /// Takes in a result whose check ended then. Returns its probe if it may say nothing of the service: nobody knows
    /// yet whether we see, or we do not.
    pub(super) fn receive(
        &mut self,
        probe: Option<ProbeIndex>,
        mut result: CheckResult,
        ended: Timestamp,
        at: Timestamp,
    ) -> Option<ProbeIndex> {
        let began = ended - result.phases.total;
        let eye = self.eye(&result.location);
        let wait = match eye.verdict(probe, &result, ended) {
            None | Some(Verdict::Counts { .. }) => None,
            Some(Verdict::Waits { .. }) => Some(Wait { began, until: at + LONGEST_WAIT }),
            Some(Verdict::Void { .. }) => {
                void(&mut result, VoidReason::Offline);
                None
            }
        };
        let excused = probe.filter(|_| !result.superseded && (wait.is_some() || is_offline(&result)));
        eye.held.push_back(Held { probe, result, wait });
        excused
    }

    /// Lets time pass.
    pub(super) fn pass(&mut self, at: Timestamp) {
        self.locations.values_mut().for_each(|eye| eye.self_check.pass(at));
    }

    /// The next result that waits no longer, of each location in the order in which they came.
    pub(super) fn next(&mut self, at: Timestamp) -> Option<Known> {
        self.locations.values_mut().find_map(|eye| eye.next(at))
    }

    /// What became known of our sight since this was last asked.
    pub(super) fn news(&mut self, at: Timestamp) -> Vec<News> {
        let mut news = Vec::new();
        for (location, eye) in &mut self.locations {
            let blindness = eye.self_check.blindness();
            if std::mem::replace(&mut eye.blind, blindness.is_some()) && blindness.is_none() {
                news.push(News::SeesAgain);
            }
            match blindness {
                Some(blindness) if self.tells && !eye.told && at >= blindness.since + TELL_AFTER => {
                    eye.told = true;
                    news.push(News::Blind(location.clone(), blindness));
                }
                None if eye.told => {
                    if let Some(seen) = eye.self_check.sees() {
                        eye.told = false;
                        news.push(News::Over(location.clone(), seen));
                    }
                }
                _ => {}
            }
        }
        news
    }

    /// When time alone may change something here; steady time.
    pub(super) fn next_timeout(&self) -> Option<Timestamp> {
        self.locations.values().filter_map(|eye| eye.next_timeout(self.tells)).min()
    }

    /// Whether we may be cut off everywhere.
    pub(super) fn doubts(&self) -> bool {
        self.locations.values().all(|eye| eye.self_check.doubts())
    }

    /// People were told before that we cannot see from there. No, if nobody is told of that any more, or nothing is seen
    /// from there.
    pub(super) fn take_up_told(&mut self, location: &Location) -> bool {
        match self.locations.get_mut(location).filter(|_| self.tells) {
            Some(eye) => {
                eye.told = true;
                true
            }
            None => false,
        }
    }

    /// Gives out what waits, as it came.
    pub(super) fn take_waiting(&mut self) -> Vec<CheckResult> {
        self.locations.values_mut().flat_map(|eye| eye.held.drain(..)).map(|held| held.result).collect()
    }

    /// Gives out what waits as void: we stopped looking before it was known whether we see.
    pub(super) fn finish(&mut self) -> Vec<Known> {
        let waiting = self.locations.values_mut().flat_map(|eye| eye.held.drain(..));
        waiting
            .map(|Held { probe, mut result, wait }| {
                if wait.is_some() {
                    void(&mut result, VoidReason::ShuttingDown);
                }
                (probe, result)
            })
            .collect()
    }

    /// What is seen from there. Each location of the config has its eye from the start, so none is made here.
    fn eye(&mut self, location: &Location) -> &mut Eye {
        let own = if self.locations.contains_key(location) { location } else { &self.config.location };
        self.locations.entry(own.clone()).or_insert_with(|| Eye::new(&self.config))
    }
}

impl Eye {
    /// Nothing has been seen yet.
    fn new(config: &Config) -> Self {
        Self { self_check: SelfCheck::new(config), held: VecDeque::new(), blind: false, told: false }
    }

    /// What becomes of a result; nothing of one that says nothing: its probe is gone, or its check was retried.
    fn verdict(&mut self, probe: Option<ProbeIndex>, result: &CheckResult, ended: Timestamp) -> Option<Verdict> {
        let probe = probe.filter(|_| !result.superseded)?;
        Some(self.self_check.judge(probe, result.outcome, ended - result.phases.total, ended))
    }

    fn next(&mut self, at: Timestamp) -> Option<Known> {
        let Held { probe, mut result, wait } = self.held.pop_front()?;
        match wait.as_ref().map(|wait| (self.self_check.decide(wait.began), wait.until)) {
            Some((Verdict::Waits { .. }, until)) if at < until && self.held.len() < MOST_WAITING => {
                self.held.push_front(Held { probe, result, wait });
                return None;
            }
            Some((Verdict::Void { .. }, _)) => void(&mut result, VoidReason::Offline),
            _ => {}
        }
        Some((probe, result))
    }

    fn next_timeout(&self, tells: bool) -> Option<Timestamp> {
        let waits = self.held.front().and_then(|held| Some(held.wait.as_ref()?.until));
        let blindness = self.self_check.blindness().filter(|_| tells && !self.told);
        let telling = blindness.map(|blindness| blindness.since + TELL_AFTER);
        [waits, self.self_check.next_timeout(), telling].into_iter().flatten().min()
    }
}

fn is_offline(result: &CheckResult) -> bool {
    result.outcome == Outcome::Void(VoidReason::Offline)
}

/// Nobody looked, after all.
fn void(result: &mut CheckResult, reason: VoidReason) {
    result.outcome = Outcome::Void(reason);
    result.evidence = None;
}
