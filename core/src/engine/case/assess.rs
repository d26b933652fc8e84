//! Assessing: what the counted checks of an incident show, and whether that is news.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{Case, View};
use crate::config::Config;
use crate::detect::tally::Tally;
use crate::incident::{correlate, severity, spread};
use crate::model::{
    Breach, Example, FailureClass, Finding, IncidentChange, IncidentEvent, LabelName, Named, Part, Probe, ProbeIndex,
    RuleKind, Timestamp,
};
use crate::notify::mute::Hit;

/// Findings are made anew at most this often while checks keep failing.
const ASSESS_EVERY: Duration = Duration::from_secs(1);
/// ... and events are made of them at most this often.
const SAY_EVERY: Duration = Duration::from_secs(10);
/// What is found so soon after the opening is how far the outage reached from its start, not that it spread.
const LONGEST_SETTLE: Duration = Duration::from_secs(300);

impl Case {
    /// The probes that the incident hits, by what was found by now.
    pub(in crate::engine) fn hit<'c>(&self, finding: &Finding, config: &'c Config) -> Hit<'c> {
        let bears = |probe: &Probe| finding.factor.as_ref().is_none_or(|factor| factor.bears(probe));
        self.counted.hit(|probe| finding.components.contains(&probe.component) && bears(probe), config)
    }

    /// What the checks show when a breach opens the incident, or brings it back.
    pub(super) fn first_finding(&self, breach: &Breach, view: View<'_>) -> Finding {
        let mut finding = assess(self.counted.tally(), None, view);
        self.name_breached(&mut finding, view.config);
        self.take_stock(&mut finding, view.config);
        finding.what = what(breach, view.config);
        finding
    }

    /// What the checks show by now. What was once hit stays named: an incident only grows.
    pub(in crate::engine) fn finding(&self, view: View<'_>) -> Finding {
        let mut now = assess(self.counted.tally(), self.incident.finding.example.clone(), view);
        if now.bad == 0 {
            // Nothing was counted since a restart, or retention took the results: what was known still holds.
            return self.incident.finding.clone();
        }
        now.components.extend(self.incident.finding.components.iter().cloned());
        self.name_breached(&mut now, view.config);
        self.take_stock(&mut now, view.config);
        now.what.clone_from(&self.incident.finding.what);
        now
    }

    fn take_stock(&self, finding: &mut Finding, config: &Config) {
        finding.parts = self.counted.parts().of(&finding.components, config);
        for part in self.recorded.iter().filter(|part| finding.components.contains(&part.component)) {
            if finding.parts.iter().all(|own| own.component != part.component) {
                finding.parts.push(Part { fails: false, ..part.clone() });
            }
        }
        finding.parts.sort_by(|a, b| a.component.cmp(&b.component));
        finding.earlier.clone_from(&self.earlier);
    }

    /// Whoever is in breach is hit, however many others are hit more: names its component, and the customer where the
    /// factor is one.
    fn name_breached(&self, finding: &mut Finding, config: &Config) {
        if finding.is_diffuse() {
            return;
        }
        let mut values = BTreeSet::new();
        for breach in self.incident.last_stretch() {
            let slice = &breach.slice;
            let probe =
                slice.probe.as_ref().and_then(|id| config.probes.index_of(id)).map(|index| &config.probes[index]);
            finding.components.extend(correlate::component_of(slice, config));
            if breach.marks.components.is_empty() {
                // Of a certificate, say, nothing else names the components.
                let covered = config.probes.iter().filter(|probe| slice.covers(probe));
                finding.components.extend(covered.map(|probe| probe.component.clone()));
            }
            let of =
                |label: &LabelName| slice.labels.get(label).cloned().or_else(|| probe.and_then(|p| p.label(label)));
            values.extend(finding.factor.as_ref().and_then(|factor| of(&factor.label)));
        }
        if let Some(factor) = &mut finding.factor {
            self.counted.widen_factor(factor, values, config);
            if factor.looked_elsewhere == 0 {
                finding.factor = None;
            }
        }
    }

    /// Looks again at what the checks show; events when that is news.
    pub(in crate::engine) fn reassess(&mut self, at: Timestamp, view: View<'_>, news: &mut Vec<IncidentEvent>) {
        // If the clock was set back a little, the last time lies too far ahead to be waited for.
        if at.since(self.assessed) < ASSESS_EVERY && self.assessed.since(at) <= SAY_EVERY {
            return;
        }
        self.assessed = at;
        if !self.counted.take_grown() {
            return;
        }
        let now = self.finding(view);
        self.raise(at, &now, view.config, news);
        let before = &self.incident.finding;
        let named = Named::of(&now);
        // What somebody was not told, or what was not known before.
        let recorded = [Named::of(before)];
        let spread = {
            let told = self.incident.told.values().filter(|told| told.unheard.is_none());
            let mut each = told.map(|told| told.heard.as_slice()).chain([recorded.as_slice()]);
            each.find_map(|heard| spread::unheard(heard, &named, view.config))
        };
        let clearer =
            before.factor.is_none() && now.factor.is_some() || before.failure.is_none() && now.failure.is_some();
        let reason = match spread {
            Some(ref what) => format!("it now also hits {what}"),
            None if clearer => "what the failing checks have in common is clearer now".to_owned(),
            None => return,
        };
        self.assessed = at + SAY_EVERY;
        let worse = spread.is_some() && at.since(self.began) > self.settle(view.config);
        news.push(self.event(at, IncidentChange::Assessed { finding: now, reason, worse }));
        self.stale = true;
    }

    /// How long after the opening the first checks still tell how far the outage reached from its start: two rounds.
    fn settle(&self, config: &Config) -> Duration {
        self.counted.longest_interval(LONGEST_SETTLE, config).saturating_mul(2).min(LONGEST_SETTLE)
    }

    /// Makes it graver when so much is hit.
    fn raise(&mut self, at: Timestamp, finding: &Finding, config: &Config, news: &mut Vec<IncidentEvent>) {
        let by_rules = self.incident.breaches.iter().map(|breach| breach.severity).max();
        let raised = by_rules.and_then(|rules| severity::raised(rules, finding, config));
        if let Some((severity, reason)) = raised.filter(|(severity, _)| *severity > self.incident.severity) {
            news.push(self.event(at, IncidentChange::Raised { severity, reason }));
        }
    }
}

/// What is wrong where the checks of a breach need not fail.
fn what(breach: &Breach, config: &Config) -> Option<String> {
    match config.rules.iter().find(|rule| rule.id == breach.rule)?.kind {
        RuleKind::Latency(_) => Some("Slow answers".to_owned()),
        RuleKind::Expiry(_) => {
            let host = breach.slice.labels.values().next()?;
            // How long that is from now is said where it is asked.
            let when = breach.reason.split(';').next()?.trim_start_matches("the certificate ");
            let when = when.split_once(", in ").map_or(when, |(when, _)| when);
            Some(format!("Certificate of {host} {when}"))
        }
        _ => None,
    }
}

fn assess(tally: &Tally, example: Option<Example>, view: View<'_>) -> Finding {
    let mut finding = view.detector.finding(tally);
    let fits = |probe: ProbeIndex, class: FailureClass| {
        let bears = |probe: &Probe| finding.factor.as_ref().is_none_or(|factor| factor.bears(probe));
        finding.failure.is_none_or(|main| main == class) && view.config.probes.get(probe).is_some_and(bears)
    };
    let fresh = tally.iter().filter(|(_, counts)| counts.bad > 0).find_map(|((probe, _), _)| {
        let (class, example) = view.examples.get(&probe)?;
        fits(probe, *class).then(|| example.clone())
    });
    finding.example = fresh.or(example);
    finding
}
