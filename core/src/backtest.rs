//! Floor 1: what the rules would have made of stored results, beside what was made of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::config::Config;
use crate::engine::{Engine, Input, Output, Restoring};
use crate::incident::postmortem::UNJUDGED;
use crate::incident::summary;
use crate::model::unit::show_about;
use crate::model::{Breach, FailureClass, Incident, IncidentId, Judged, Outcome, ProbeId, Timestamp, VoidReason};

/// An engine of its own that takes stored results in their order, at the times at which they were handed in.
pub struct Replay {
    engine: Engine,
    /// When the last result was handed in.
    handed_in: Timestamp,
    /// What would have been owed before this is not counted: windows were still being filled.
    counted_from: Timestamp,
    /// How many results were taken in.
    pub results: u64,
    /// When the first and the last of them ended.
    pub span: Option<(Timestamp, Timestamp)>,
    /// Results of probes that the config does not have, by probe.
    pub unknown: BTreeMap<ProbeId, u64>,
    /// The incidents that there would have been, at most [`MOST_INCIDENTS`].
    pub incidents: BTreeMap<IncidentId, Incident>,
    opened: u64,
    /// Incidents beyond those.
    pub left_out: u64,
    /// How many messages would have been owed, of those since [`Replay::count_from`].
    pub messages: u64,
}

/// More incidents than this are only counted.
pub const MOST_INCIDENTS: usize = 10_000;
/// One result waits for at most so many timers that were due before it, so that no gap can hold it up for ever.
const MOST_TIMERS: u32 = 100_000;

impl Replay {
    /// An engine that has seen nothing yet.
    #[must_use]
    pub fn new(config: Arc<Config>) -> Self {
        Self {
            counted_from: Timestamp::default(),
            // Nothing was seen yet: time begins with the first result.
            engine: Restoring::new(config, Vec::new()).begin(),
            handed_in: Timestamp::default(),
            results: 0,
            span: None,
            unknown: BTreeMap::new(),
            incidents: BTreeMap::new(),
            opened: 0,
            left_out: 0,
            messages: 0,
        }
    }

    /// Messages are counted from here on; results that come before it fill the windows.
    #[must_use]
    pub fn count_from(self, from: Timestamp) -> Self {
        Self { counted_from: from, ..self }
    }

    /// Takes in the next result.
    pub fn add(&mut self, Judged { result, at: judged }: Judged) {
        let ended = result.finished();
        // What was answered was judged as it was handed in. All else may have waited for sight, as it does now again: it
        // was handed in when it ended, or with one that stands before it and ended later. Only where it was judged before
        // that had the clock been set back.
        let may_have_waited = match result.outcome {
            Outcome::Failure(class) => class.is_network(),
            Outcome::Void(reason) => reason == VoidReason::Offline,
            Outcome::Success => false,
        };
        let now = match may_have_waited {
            false => judged,
            true if judged < self.handed_in => ended,
            true => ended.max(self.handed_in),
        };
        self.handed_in = now;
        self.results += 1;
        self.span = Some(self.span.map_or((ended, ended), |(first, last)| (first.min(ended), last.max(ended))));
        if self.engine.config().probe_index(&result.probe).is_none() {
            *self.unknown.entry(result.probe).or_default() += 1;
            return;
        }
        self.pass(now);
        self.engine.handle(Input::Result(result), now);
        self.drain();
    }

    /// Lets time pass up to this moment.
    pub fn pass(&mut self, until: Timestamp) {
        for _ in 0..MOST_TIMERS {
            let Some(due) = self.engine.poll_timeout().filter(|due| *due <= until) else { return };
            self.engine.handle(Input::Timeout, due);
            self.drain();
        }
    }

    fn drain(&mut self) {
        while let Some(output) = self.engine.poll_output() {
            match output {
                Output::Event(event) => self.opened += u64::from(event.seq == 0),
                Output::Incident(incident) => {
                    if self.incidents.len() < MOST_INCIDENTS || self.incidents.contains_key(&incident.id) {
                        self.incidents.insert(incident.id, incident);
                    }
                }
                Output::Owed(message) => self.messages += u64::from(message.owed >= self.counted_from),
                Output::Result(_) | Output::Answer(..) | Output::Recheck(..) => {}
            }
        }
        self.left_out = self.opened - self.incidents.len() as u64;
    }
}

/// What became of the incidents under other rules.
#[derive(Debug, Default)]
pub struct Comparison<'a> {
    /// Incidents that there were and would have been: the stored one first.
    pub both: Vec<(&'a Incident, &'a Incident)>,
    /// Those that there were and would not have been.
    pub vanished: Vec<&'a Incident>,
    /// Those that there were and that these rules may have noticed too, by what did not come: no result tells.
    pub not_judged: Vec<&'a Incident>,
    /// Those that there were not and would have been.
    pub new: Vec<&'a Incident>,
}

impl Comparison<'_> {
    /// Takes those from the vanished of which a rule of this config about missing checks cannot say so: a replay never
    /// counts what did not come.
    pub fn set_aside(&mut self, config: &Config) {
        let any = config.rules.iter().any(|rule| !rule.kind.judges_results());
        let unjudged = |breach: &Arc<Breach>| match config.rules.iter().find(|rule| rule.id == breach.rule) {
            Some(rule) => !rule.kind.judges_results(),
            // Its rule may have another name now.
            None => any && breach.marks.classes.iter().eq([&FailureClass::Missing]),
        };
        let (not_judged, vanished): (Vec<_>, Vec<_>) =
            self.vanished.iter().partition(|incident| incident.breaches.iter().any(unjudged));
        (self.not_judged, self.vanished) = (not_judged, vanished);
    }
}

/// Pairs the incidents that were with those that would have been: they overlap in time, and share a component or a
/// value of the same factor, or are both about Tripline being cut off. Those that overlap longest come together first, and each has one partner.
#[must_use]
pub fn compare<'a>(stored: &'a [Incident], replayed: &'a [Incident], end: Timestamp) -> Comparison<'a> {
    let mut pairs = Vec::new();
    for (a, was) in stored.iter().enumerate() {
        for (b, would) in replayed.iter().enumerate() {
            let (from, until) = (was.since.max(would.since), over(was, end).min(over(would, end)));
            if from <= until && alike(was, would) {
                pairs.push((std::cmp::Reverse(until.since(from)), a, b));
            }
        }
    }
    pairs.sort_unstable();
    let (mut of_stored, mut of_replayed) = (vec![None; stored.len()], vec![false; replayed.len()]);
    for (_, a, b) in pairs {
        if of_stored[a].is_none() && !of_replayed[b] {
            (of_stored[a], of_replayed[b]) = (Some(b), true);
        }
    }
    let mut found = Comparison::default();
    for (was, partner) in stored.iter().zip(of_stored) {
        match partner {
            Some(b) => found.both.push((was, &replayed[b])),
            None => found.vanished.push(was),
        }
    }
    found.new.extend(replayed.iter().zip(of_replayed).filter(|(_, paired)| !paired).map(|(would, _)| would));
    found
}

fn over(incident: &Incident, end: Timestamp) -> Timestamp {
    incident.resolved.unwrap_or(end)
}

fn alike(a: &Incident, b: &Incident) -> bool {
    let (one, other) = (&a.finding, &b.finding);
    if one.unseen.is_some() || other.unseen.is_some() {
        return one.unseen.is_some() && other.unseen.is_some();
    }
    let factors = one.factor.as_ref().zip(other.factor.as_ref());
    !one.components.is_disjoint(&other.components)
        || factors.is_some_and(|(a, b)| a.label == b.label && !a.values.is_disjoint(&b.values))
}

/// How long each of two incidents of one outage took to be noticed, from the earlier of their beginnings.
#[must_use]
pub fn times_to_detect(was: &Incident, would: &Incident) -> (std::time::Duration, std::time::Duration) {
    let since = was.since.min(would.since);
    (was.detected().since(since), would.detected().since(since))
}

/// The comparison in words.
#[must_use]
pub fn show(comparison: &Comparison<'_>, config: &Config) -> String {
    let mut text = String::new();
    let line = |incident: &Incident| {
        let lasted = incident.resolved.map_or_else(|| "open".to_owned(), |end| show_about(end.since(incident.since)));
        let title = summary::title(&incident.finding, Some(config));
        format!("{}  {} ({lasted}), {}: {title}", incident.id.short(), incident.since.show(), incident.severity)
    };
    for (was, would) in &comparison.both {
        let (before, after) = times_to_detect(was, would);
        let news = match before.cmp(&after) {
            std::cmp::Ordering::Greater => format!("{} earlier", show_about(before - after)),
            std::cmp::Ordering::Less => format!("{} LATER", show_about(after - before)),
            std::cmp::Ordering::Equal => "as before".to_owned(),
        };
        text.push_str(&format!("  SAME      {}\n", line(was)));
        text.push_str(&format!(
            "            noticed after {}, was {}: {news}\n",
            show_about(after),
            show_about(before)
        ));
        if was.severity != would.severity {
            text.push_str(&format!("            {}, was {}\n", would.severity, was.severity));
        }
    }
    for was in &comparison.vanished {
        text.push_str(&format!("  VANISHED  {}\n            these rules would not have noticed it\n", line(was)));
    }
    for was in &comparison.not_judged {
        text.push_str(&format!("  NOT JUDGED {}\n            {UNJUDGED}\n", line(was)));
    }
    for would in &comparison.new {
        let rules: Vec<&str> = would.breaches.iter().map(|breach| breach.rule.as_str()).collect();
        let rules = rules.first().copied().unwrap_or("a rule");
        let after = show_about(would.opened.since(would.since));
        text.push_str(&format!("  NEW       {}\n            noticed after {after} by {rules}\n", line(would)));
    }
    if text.is_empty() {
        text.push_str("  There was no incident, and there would have been none.\n");
    }
    text
}

#[cfg(test)]
mod tests;
