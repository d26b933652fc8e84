//! Correcting: a case takes in another, or gives away some of its breaches, because a person says so.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::counted::Counted;
use super::{Case, MOST_STRETCHES, View};
use crate::incident::{lifecycle, spread, summary};
use crate::model::incident::Told;
use crate::model::{
    Apart, Breach, ComponentId, FailureClass, Finding, Heard, IncidentChange, IncidentEvent, IncidentId, Marks,
    Named, Part, ProbeIndex, ReceiverId, RuleId, Timestamp,
};

/// Who corrects, why, and when.
#[derive(Clone, Copy)]
pub(in crate::engine) struct Said<'a> {
    pub(in crate::engine) by: &'a str,
    pub(in crate::engine) why: &'a str,
    pub(in crate::engine) at: Timestamp,
}

impl Case {
    /// Takes in another incident, which ends by that.
    pub(in crate::engine) fn merge(
        &mut self,
        other: &mut Self,
        said: Said<'_>,
        view: View<'_>,
    ) -> Vec<IncidentEvent> {
        let (mine, its) = (self.incident.finding.clone(), other.incident.finding.clone());
        let (told, know) = (heard(other), self.informed(other, view));
        // Of one that was over at a start nothing is counted: there its record says all that this one did not count since.
        let is_counted = other.incident.is_open() || !other.counted.parts().is_empty();
        let counts = self.account(view.config);
        let is_new = |part: &Part| {
            let same =
                |own: &Part| own.component == part.component && own.first <= part.last && part.first <= own.last;
            !counts.iter().any(same)
        };
        let earlier = if is_counted {
            self.recorded.append(&mut other.recorded);
            other.earlier.clone()
        } else {
            other.account(view.config).into_iter().filter(is_new).collect()
        };
        let counted = std::mem::replace(&mut other.counted, Counted::new(None, view.config));
        let fails = other.incident.last_stretch().iter().any(|breach| breach.cleared.is_none());
        if self.incident.watched_until.is_some() && fails {
            // It had been well; what is part of it from now on is not.
            self.before.extend(self.recovered().map(|recovered| (self.from, recovered)));
            self.earlier = self.account(view.config);
            self.recorded.clear();
            self.counted.clear(None);
            self.marks = other.marks.clone();
            (self.from, self.began, self.watch_due) = (other.from, said.at, None);
        } else {
            self.from = self.from.min(other.from);
            self.marks.absorb(other.marks.clone());
        }
        self.counted.join(counted);
        let both = Finding { earlier: std::mem::take(&mut self.earlier), parts: earlier, ..its.clone() };
        self.earlier = both.account();
        self.before.extend(other.before.drain(..));
        self.before.make_contiguous().sort_unstable();
        self.before.drain(..self.before.len().saturating_sub(MOST_STRETCHES));
        self.may_end = true;

        let both = Finding {
            components: mine.components.union(&its.components).cloned().collect(),
            what: mine.what.clone().or_else(|| its.what.clone()),
            ..mine
        };
        let (by, why) = (said.by.to_owned(), said.why.to_owned());
        let merged = |finding| IncidentChange::Merged {
            other: other.incident.id,
            what: summary::title(&its, Some(view.config)),
            severity: other.incident.severity,
            breaches: other.incident.breaches.clone(),
            stretch: other.incident.stretch,
            finding,
            told: told.clone(),
            know: know.clone(),
            by: by.clone(),
            why: why.clone(),
        };
        let mut news = vec![self.found_anew(said.at, both, merged, view)];
        for (breach, reason) in std::mem::take(&mut other.over) {
            news.push(self.event(said.at, IncidentChange::Cleared { breach, reason }));
        }
        other.watch_due = None;
        news.push(other.event(said.at, IncidentChange::MergedInto { into: self.incident.id, by, why }));
        news
    }

    /// Gives away some of its breaches, at least one, and the bad checks that go with them: a case of their own.
    pub(in crate::engine) fn split(
        &mut self,
        leaving: &[Arc<Breach>],
        theirs: Apart,
        goes: impl Fn(ProbeIndex, Option<FailureClass>) -> bool,
        said: Said<'_>,
        view: View<'_>,
    ) -> Option<(Self, Vec<IncidentEvent>)> {
        let (first, rest) = leaving.split_first()?;
        let usual = leaving.iter().filter_map(|breach| breach.usual).max();
        let mut counted = self.counted.take(goes, usual, view.config);
        leaving.iter().for_each(|breach| _ = counted.widen(breach, first.found, view.config));
        let mut marks = Marks::default();
        leaving.iter().for_each(|breach| marks.absorb(breach.marks.clone()));
        let stays = self.incident.last_stretch().iter().filter(|breach| !leaving.contains(breach));
        let stays: Vec<&Arc<Breach>> = stays.collect();
        self.counted.watch_only(stays.iter().map(|breach| breach.as_ref()), view.config);
        let own: BTreeSet<ComponentId> = stays.iter().flat_map(|breach| &breach.marks.components).cloned().collect();
        let own = &own - &theirs.components;
        let rules: BTreeSet<RuleId> = stays.iter().map(|breach| breach.rule.clone()).collect();
        let mine = Apart {
            components: if theirs.components.is_empty() { BTreeSet::new() } else { &own - &marks.components },
            rules: if theirs.rules.is_empty() {
                BTreeSet::new()
            } else {
                rules.into_iter().filter(|rule| leaving.iter().all(|breach| breach.rule != *rule)).collect()
            },
        };
        let gone = &(&marks.components - &own) | &theirs.components;
        let mut left = self.incident.finding.clone();
        left.components.retain(|component| !gone.contains(component));
        left.parts.retain(|part| !gone.contains(&part.component));
        self.recorded.retain(|part| !gone.contains(&part.component));
        let of = |example: &crate::model::Example| view.config.probes.index_of(&example.probe);
        if counted.bad() > 0 && self.counted.bad() == 0 {
            // All that was counted has gone.
            (left.bad, left.parts) = (0, Vec::new());
        }
        let is_gone = |probe: ProbeIndex| gone.contains(&view.config.probes[probe].component);
        left.example = left.example.filter(|example| of(example).is_none_or(|probe| !is_gone(probe)));

        let (by, why) = (said.by.to_owned(), said.why.to_owned());
        let seq = self.incident.next_event.to_string();
        let id = IncidentId::derived(&[&first.id.to_string(), "split", &self.incident.id.to_string(), &seq]);
        let split = |finding| IncidentChange::Split {
            other: id,
            breaches: leaving.iter().map(|breach| breach.id).collect(),
            theirs: theirs.clone(),
            finding,
            by: by.clone(),
            why: why.clone(),
        };
        let mut news = vec![self.found_anew(said.at, left, split, view)];
        self.follow_breaches();

        let joins = |case: &mut Self| {
            let reason = || format!("was split from incident {} as well", self.incident.id.short());
            let each = rest.iter().map(|breach| breach.as_ref().clone());
            each.map(|breach| case.event(said.at, IncidentChange::Joined { breach, reason: reason() }))
                .collect::<Vec<_>>()
        };
        let (incident, _) = lifecycle::begin_as(id, first.as_ref().clone(), Finding::default(), said.at);
        let mut case = Self::of(incident, counted, said.at);
        joins(&mut case);
        let mut finding = case.first_finding(first, view);
        if finding.bad == 0 {
            finding.components.extend(marks.components.iter().cloned());
            finding.failure = marks.classes.first().copied().filter(|_| marks.classes.len() == 1);
        }
        let (incident, opened) = lifecycle::begin_as(id, first.as_ref().clone(), finding, said.at);
        case.incident = incident;
        news.push(opened);
        news.extend(joins(&mut case));
        let other = self.incident.id;
        news.push(case.event(said.at, IncidentChange::SplitFrom { other, theirs: mine, by, why }));
        case.follow_breaches();
        Some((case, news))
    }

    /// Takes from its breaches from when on its checks count, and what they bear.
    fn follow_breaches(&mut self) {
        let last = self.incident.last_stretch();
        self.from = last.iter().map(|breach| breach.since).min().unwrap_or(self.from);
        self.marks = Marks::default();
        last.iter().for_each(|breach| self.marks.absorb(breach.marks.clone()));
        self.may_end = true;
    }

    /// Lets something happen after which its checks show something else, beginning with what was known.
    fn found_anew(
        &mut self,
        at: Timestamp,
        known: Finding,
        change: impl Fn(Finding) -> IncidentChange,
        view: View<'_>,
    ) -> IncidentEvent {
        let before = self.incident.clone();
        self.event(at, change(known));
        let finding = self.finding(view);
        self.incident = before;
        self.event(at, change(finding))
    }

    /// Who has heard all that there is to say of this incident and the other.
    fn informed(&self, other: &Self, view: View<'_>) -> BTreeSet<ReceiverId> {
        let named = [&self.incident.finding, &other.incident.finding].map(Named::of);
        let knows = |(receiver, told): (&ReceiverId, &Told)| {
            let its = other.incident.told.get(receiver);
            if its.into_iter().chain([told]).any(|told| !told.undelivered.is_empty()) {
                return None;
            }
            let its = its.into_iter().flat_map(|told| &told.heard);
            let heard: Vec<Named> = told.heard.iter().chain(its).cloned().collect();
            let all = named.iter().all(|named| spread::unheard(&heard, named, view.config).is_none());
            all.then(|| receiver.clone())
        };
        self.incident.told.iter().filter_map(knows).collect()
    }
}

/// Who was told of an incident, and what.
fn heard(case: &Case) -> std::collections::BTreeMap<ReceiverId, Heard> {
    let heard =
        |told: &Told| Heard { at: told.at, kind: told.kind, severity: told.severity, named: told.heard.clone() };
    case.incident.told.iter().map(|(receiver, told)| (receiver.clone(), heard(told))).collect()
}
