//! Sight: results wait here until it is known whether we can see, and an incident of our own says that we cannot.

use super::case::Case;
use super::{Engine, Output};
use crate::detect::self_check::{LONGEST_WAIT, MOST_WAITING, TELL_AFTER, Verdict};
use crate::model::rule::OFFLINE;
use crate::model::unit::show_about;
use crate::model::{
    Breach, BreachId, CheckResult, Finding, IncidentChange, Marks, Outcome, Rule, RuleKind, Slice, Timestamp, Unseen,
    VoidReason,
};

/// A result that is not given out yet. They keep their order, so one that is known waits behind one that is not.
pub(super) struct Held {
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

impl Engine {
    /// Takes in a result: it is judged at once, or waits until it is known whether we see.
    pub(super) fn receive(&mut self, mut result: CheckResult, now: Timestamp) {
        let ended = self.clock.look(result.finished(), now);
        let began = ended - result.phases.total;
        // A try that was made again says nothing; the last one does.
        let probe = self.index.get(&result.probe).copied().filter(|_| !result.superseded);
        let verdict = probe.map(|probe| self.self_check.judge(probe, result.outcome, began, ended));
        let at = self.clock.look(now, now);
        let wait = match verdict {
            None | Some(Verdict::Counts { .. }) => None,
            Some(Verdict::Waits { .. }) => Some(Wait { began, until: at + LONGEST_WAIT }),
            Some(Verdict::Void { .. }) => {
                void(&mut result, VoidReason::Offline);
                None
            }
        };
        if let Some(probe) = probe.filter(|_| wait.is_some() || result.outcome == Outcome::Void(VoidReason::Offline))
        {
            self.detector.excuse(probe, at);
        }
        self.held.push_back(Held { result, wait });
        self.release(at, now);
        self.follow_sight(at, now);
    }

    /// Lets time pass for what waits.
    pub(super) fn pass_sight(&mut self, now: Timestamp) {
        let at = self.clock.look(now, now);
        self.self_check.pass(at);
        self.release(at, now);
        self.follow_sight(at, now);
    }

    /// When time alone may change something here; steady time.
    pub(super) fn sight_timeout(&self) -> Option<Timestamp> {
        let waits = self.held.front().and_then(|held| Some(held.wait.as_ref()?.until));
        let tells = self.self_check.blindness().filter(|_| self.own.is_none() && self.offline_rule().is_some());
        let tells = tells.map(|blindness| blindness.since + TELL_AFTER);
        [waits, self.self_check.next_timeout(), tells].into_iter().flatten().min()
    }

    /// Gives out what waits, as it came, for another engine to take in.
    pub fn take_waiting(&mut self) -> Vec<CheckResult> {
        self.held.drain(..).map(|held| held.result).collect()
    }

    /// Ends: what waits is void, since we stopped looking before it was known whether we see.
    pub fn finish(&mut self, now: Timestamp) {
        while let Some(Held { mut result, wait }) = self.held.pop_front() {
            if wait.is_some() {
                void(&mut result, VoidReason::ShuttingDown);
            }
            self.take(result, now);
        }
    }

    /// Takes up a stored breach of our own rule; no if there is no such rule any more.
    pub(super) fn adopt_own(&mut self, breach: &Breach) -> bool {
        let ours = breach.rule.as_str() == OFFLINE && self.offline_rule().is_some();
        if ours {
            self.own = Some(breach.id);
        }
        ours
    }

    fn offline_rule(&self) -> Option<&Rule> {
        self.config.rules.iter().find(|rule| matches!(rule.kind, RuleKind::Offline))
    }

    /// Judges what waits no longer, in the order in which it came.
    fn release(&mut self, at: Timestamp, now: Timestamp) {
        while let Some(Held { mut result, wait }) = self.held.pop_front() {
            match wait.as_ref().map(|wait| (self.self_check.decide(wait.began), wait.until)) {
                Some((Verdict::Waits { .. }, until)) if at < until && self.held.len() < MOST_WAITING => {
                    self.held.push_front(Held { result, wait });
                    return;
                }
                Some((Verdict::Void { .. }, _)) => void(&mut result, VoidReason::Offline),
                _ => {}
            }
            self.take(result, now);
        }
    }

    /// Opens the incident of our own when we have not seen for long enough, and ends it when we see again.
    fn follow_sight(&mut self, at: Timestamp, now: Timestamp) {
        let blind = self.self_check.blindness().is_some();
        if std::mem::replace(&mut self.blind, blind) && !blind {
            self.detector.see_again(at);
        }
        match (self.own, self.self_check.blindness()) {
            (None, Some(blindness)) if at >= blindness.since + TELL_AFTER => {
                let Some(severity) = self.offline_rule().map(|rule| rule.severity) else { return };
                let since = self.clock.to_wall(blindness.since);
                let breach = Breach {
                    id: BreachId::derived(&[OFFLINE, &since.as_millis().to_string()]),
                    rule: OFFLINE.into(),
                    slice: Slice::default(),
                    severity,
                    since,
                    found: now,
                    reason: format!("nothing at all was reached for {}", show_about(at.since(blindness.since))),
                    marks: Marks::default(),
                    cleared: None,
                };
                let unseen = Unseen {
                    since,
                    until: None,
                    checks: blindness.checks,
                    hosts: blindness.hosts,
                    canaries: blindness.canaries,
                };
                self.own = Some(breach.id);
                let finding = Finding { unseen: Some(unseen), ..Finding::default() };
                if let Some((case, event)) = Case::found(breach, finding, now, &self.config) {
                    self.cases.insert(case.incident.id, case);
                    self.outputs.push_back(Output::Event(event));
                }
            }
            (Some(breach), None) => {
                if let Some(seen) = self.self_check.sees() {
                    self.own = None;
                    self.end_own(breach, self.clock.to_wall(seen), now);
                }
            }
            _ => {}
        }
    }

    /// Ends the incident of our own, unless a person has.
    fn end_own(&mut self, breach: BreachId, seen: Timestamp, now: Timestamp) {
        let ours = |case: &&mut Case| {
            case.incident.is_open() && case.incident.breaches.iter().any(|other| other.id == breach)
        };
        let Some(case) = self.cases.values_mut().find(ours) else { return };
        let mut finding = case.incident.finding.clone();
        if let Some(unseen) = &mut finding.unseen {
            unseen.until = Some(seen);
        }
        let since = finding.unseen.map_or(case.incident.since, |unseen| unseen.since);
        let reason = format!("Tripline sees again; not measured from {} to {}", since.show(), seen.show());
        let cleared = case.event(now, IncidentChange::Cleared { breach, reason: "something answers again".into() });
        let resolved = case.event(now, IncidentChange::Resolved { by: None, reason, finding });
        self.outputs.extend([Output::Event(cleared), Output::Event(resolved)]);
    }
}

/// Nobody looked, after all.
fn void(result: &mut CheckResult, reason: VoidReason) {
    result.outcome = Outcome::Void(reason);
    result.evidence = None;
}
