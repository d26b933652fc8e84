//! Taking up what is stored: results are counted again, and the stored breaches go on.

use std::cmp::Reverse;

use super::case::Case;
use super::{Engine, restart};
use crate::config::Config;
use crate::detect::Signal;
use crate::model::{Breach, CheckResult, Incident, Timestamp};

impl Engine {
    /// Takes in a stored result again: it is counted, but raises nothing, since what it raised is stored as well.
    pub fn replay(&mut self, result: &CheckResult) {
        // What time alone had ended before this check had ended then.
        let ended = result.finished();
        let at = self.clock.place(ended, self.handed_in.at(ended));
        let clock = self.clock;
        while let Some((settled, breach)) = self.settled.pop_if(|(settled, _)| clock.to_steady(*settled) < at) {
            self.take_up_settled(&breach, clock.to_steady(settled));
        }
        self.pass_until(at);
        self.take_in(result, at);
        self.note_replayed(at);
    }

    /// Lets time pass until this moment, as far as it alone changes something.
    fn pass_until(&mut self, at: Timestamp) {
        while let Some(due) = self.detector.next_timeout().filter(|due| *due <= at) {
            self.detector.pass(due, &mut self.signals);
        }
    }

    /// Takes up an overdrawn budget whose incident ended in this moment: it goes on, and is told of no more, until the
    /// results show that it is low.
    fn take_up_settled(&mut self, breach: &Breach, at: Timestamp) {
        self.pass_until(at);
        self.note_replayed(at);
        let found = self.clock.to_steady(breach.found);
        if self.ended.iter().any(|ended| same_place(&ended.breach, breach) && ended.at >= found) {
            return;
        }
        self.replayed.retain(|other| !same_place(other, breach));
        self.detector.adopt(breach);
        // One that had been low for long enough by then was over.
        self.detector.pass(at, &mut self.signals);
        self.note_replayed(at);
    }

    /// Notes which breaches the replay found, and which ended in it.
    fn note_replayed(&mut self, at: Timestamp) {
        for signal in std::mem::take(&mut self.signals) {
            match signal {
                Signal::Breached(breach) => {
                    self.ended.retain(|ended| !same_place(&ended.breach, &breach));
                    self.replayed.push(breach);
                }
                Signal::Cleared { breach, reason } => {
                    let Some(place) = self.replayed.iter().position(|other| other.id == breach) else { continue };
                    let ended = self.replayed.swap_remove(place);
                    // A slice has one breach at a time: with this one, what was stored of it before had ended too. An
                    // open incident would know of that, unless nobody was up for long enough to see it.
                    let (cases, now) = (&self.cases, self.clock.to_wall(at));
                    let mut over = Vec::new();
                    self.stored.retain(|stored| {
                        let held = |case: &Case| {
                            case.incident.is_open()
                                && case.incident.breaches.iter().any(|other| other.id == stored.id)
                        };
                        // In the moment in which one ends, the next may be found.
                        let later = stored.found > now || (stored.found == now && stored.id != ended.id);
                        let lasts = !same_place(stored, &ended) || later || cases.values().any(held);
                        over.extend((!lasts).then_some(stored.id));
                        lasts
                    });
                    over.into_iter().for_each(|id| self.note_over(id, reason.clone()));
                    self.ended.retain(|other| !same_place(&other.breach, &ended));
                    self.ended.push(Ended { breach: ended, at, reason });
                }
            }
        }
    }

    /// Ends the replay. Stored breaches go on under their own ids. One that no rule judges any more is over, and so is
    /// one that has been well for long enough by now: of an incident that a person resolved, no end is stored.
    ///
    /// What the replay found beyond them is dropped: it is too old to be seen whole, or the rules are new. In a slice
    /// that is still bad under new rules the next bad check is a breach.
    pub fn settle(&mut self, now: Timestamp) {
        // Results that are stored were noted; what happened to the clock while nobody looked was not.
        let back = self.clock.follow(now);
        self.note_set_back(back, now);
        let at = self.clock.advance(now);
        while let Some((settled, breach)) = self.settled.pop() {
            self.take_up_settled(&breach, self.clock.to_steady(settled).min(at));
        }
        for case in self.cases.values_mut() {
            case.watch_due = case.incident.watched_until.map(|until| self.clock.to_steady(until));
        }
        let ended = std::mem::take(&mut self.ended);
        for breach in std::mem::take(&mut self.stored) {
            self.replayed.retain(|other| !same_place(other, &breach));
            // The results show its end: were it taken up, it would have to be proved anew after every start.
            let found = self.clock.to_steady(breach.found);
            let over = ended.iter().find(|ended| same_place(&ended.breach, &breach) && ended.at >= found);
            if let Some(Ended { reason, .. }) = over {
                self.signals.push(Signal::Cleared { breach: breach.id, reason: reason.clone() });
                continue;
            }
            if !self.detector.adopt(&breach) && !self.adopt_own(&breach) {
                let reason = "no rule of the config judges it any more".to_owned();
                self.signals.push(Signal::Cleared { breach: breach.id, reason });
            }
        }
        for breach in std::mem::take(&mut self.replayed) {
            self.detector.forget(&breach);
        }
        self.detector.start(at);
        self.detector.pass(at, &mut self.signals);
        self.follow_signals(now);
        self.tell(now);
    }
}

/// The budgets that may still be overdrawn though their incidents ended by other rules, with when these did, the first
/// of them last. Of a slice only its last breach can go on.
pub(super) fn settled(incidents: &[Incident], config: &Config) -> Vec<(Timestamp, Breach)> {
    let all = || incidents.iter().flat_map(|incident| &incident.breaches);
    let is_last = |breach: &Breach| all().all(|other| !same_place(other, breach) || other.found <= breach.found);
    let each = incidents.iter().flat_map(|incident| restart::settled(incident, config));
    let mut settled: Vec<(Timestamp, Breach)> =
        each.filter(|(_, breach)| is_last(breach)).map(|(at, breach)| (at, breach.clone())).collect();
    settled.sort_by_key(|(at, _)| Reverse(*at));
    settled
}

/// A breach that began and ended in the results that are replayed.
pub(super) struct Ended {
    breach: Breach,
    /// When it ended, in steady time.
    at: Timestamp,
    reason: String,
}

/// Whether both are of the same rule and slice, of which only one can go on.
fn same_place(a: &Breach, b: &Breach) -> bool {
    (&a.rule, &a.slice) == (&b.rule, &b.slice)
}
