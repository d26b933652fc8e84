//! Burn rate: how fast an error budget is used up, over a long and a short window, for each slice of a rule.
//!
//! The long window says that it matters, the short one that it goes on ("The Site Reliability Workbook", chapter 5,
//! "Multiwindow, Multi-Burn-Rate Alerts"). Windows last for days, so checks are counted in buckets, not kept.

use std::time::Duration;

use crate::config::Config;
use crate::model::Marks;
use crate::model::unit::show_duration;
use crate::model::{
    Bad, Breach, BreachId, BurnRate, CheckResult, FailureClass, PerProbe, ProbeIndex, Probes, Ratio, Rule, Timestamp,
};

use super::Signal;
use super::buckets::Buckets;
use super::history::Entry;
use super::onset::Onset;
use super::open_breaches::OpenBreaches;
use super::slices::Slices;

/// The long window is counted to one part in so many, the short one likewise.
pub(super) const LONG_PARTS: usize = 60;
pub(super) const SHORT_PARTS: usize = 12;

/// One pair of windows of a burn-rate rule at work.
pub(super) struct BurnRateWatch {
    rule: Rule,
    burn: BurnRate,
    slices: Slices,
    /// One for each of the slices.
    states: Vec<State>,
    /// The slices that have a breach.
    lasting: OpenBreaches<usize>,
    /// For each probe, when a check of it was last bad, and how.
    last_bad: PerProbe<Option<(Timestamp, Option<FailureClass>)>>,
}

struct State {
    long: Buckets,
    short: Buckets,
    onset: Option<Onset>,
    /// Since when the short window has been low enough to end a breach, if it is.
    low_since: Option<Timestamp>,
    breach: Option<BreachId>,
}

impl BurnRateWatch {
    pub(super) fn new(rule: &Rule, burn: &BurnRate, probes: &Probes) -> Self {
        let slices = Slices::new(&rule.over, &burn.per, probes);
        // A budget is that of the whole window: a daemon that has just begun must not take its first minutes for days.
        let mut full = vec![(0, 0); slices.all().len()];
        for (index, probe) in probes.indexed() {
            let Some(interval) = probe.interval() else { continue };
            let checks = |window: Duration| {
                u64::try_from(window.as_millis() / interval.as_millis().max(1)).unwrap_or(u64::MAX)
            };
            for &slice in slices.of(index) {
                let (long, short): &mut (u64, u64) = &mut full[slice];
                *long = long.saturating_add(checks(burn.long - burn.long / 60));
                *short = short.saturating_add(checks(burn.short - burn.short / 12));
            }
        }
        let state = |(long, short)| State {
            long: Buckets::new(burn.long, LONG_PARTS, long),
            short: Buckets::new(burn.short, SHORT_PARTS, short),
            onset: None,
            low_since: None,
            breach: None,
        };
        let states = full.into_iter().map(state).collect();
        Self {
            rule: rule.clone(),
            burn: burn.clone(),
            slices,
            states,
            lasting: OpenBreaches::default(),
            last_bad: probes.iter().map(|_| None).collect(),
        }
    }

    pub(super) fn covers(&self, probe: ProbeIndex) -> bool {
        !self.slices.of(probe).is_empty()
    }

    pub(super) fn bad(&self) -> &Bad {
        &self.burn.bad
    }

    pub(super) fn observe(&mut self, entry: Entry, result: &CheckResult, config: &Config, signals: &mut Vec<Signal>) {
        if entry.bad {
            self.last_bad[entry.probe] = Some((entry.at, entry.class));
        }
        let decay = self.burn.threshold().max(1);
        for index in 0..self.slices.of(entry.probe).len() {
            let slice = self.slices.of(entry.probe)[index];
            let state = &mut self.states[slice];
            state.long.add(entry.at, entry.bad);
            state.short.add(entry.at, entry.bad);
            Onset::follow(&mut state.onset, entry.at, entry.bad, result, decay);
            self.judge_clear(slice, entry.at, signals);
            self.judge(slice, entry.at, config, signals);
        }
    }

    /// Ends what has been low for long enough. Only what is due is looked at: how often time passes is of no account.
    pub(super) fn pass(&mut self, at: Timestamp, signals: &mut Vec<Signal>) {
        for slice in self.lasting.due(self.burn.hold, at) {
            self.states[slice].long.slide(at);
            self.states[slice].short.slide(at);
            self.judge_clear(slice, at, signals);
        }
    }

    pub(super) fn next_timeout(&self) -> Option<Timestamp> {
        self.lasting.next_due(self.burn.hold)
    }

    pub(super) fn adopt(&mut self, breach: &Breach) -> bool {
        let Some(slice) = self.slices.place_of(breach, &self.rule.id) else { return false };
        let state = &mut self.states[slice];
        state.breach = Some(breach.id);
        self.lasting.begin(slice, state.low_since);
        true
    }

    pub(super) fn forget(&mut self, breach: &Breach) {
        if let Some(slice) = self.slices.place_of(breach, &self.rule.id) {
            self.states[slice].breach = None;
            self.states[slice].onset = None;
            self.lasting.end(slice);
        }
    }

    fn judge(&mut self, slice: usize, now: Timestamp, config: &Config, signals: &mut Vec<Signal>) {
        let state = &self.states[slice];
        let exceeds = |window: &Buckets| self.burn.is_exceeded_by(window.bad, window.checks());
        if state.breach.is_some()
            || state.long.bad < u64::from(self.burn.at_least)
            || !exceeds(&state.long)
            || !exceeds(&state.short)
        {
            return;
        }
        let Some(onset) = &state.onset else { return };
        let named = &self.slices.all()[slice];
        let breach = Breach {
            id: onset.breach_id(&self.rule, named),
            rule: self.rule.id.clone(),
            slice: named.clone(),
            severity: self.rule.severity,
            since: onset.at,
            found: now,
            reason: format!(
                "burns its error budget {} times too fast in {} and {} times in {}: {} of {} and {} of {} checks bad, \
                 of which {} may be; the rule: above {}",
                self.show_burn(&state.long),
                show_duration(self.burn.long),
                self.show_burn(&state.short),
                show_duration(self.burn.short),
                state.long.bad,
                state.long.checks(),
                state.short.bad,
                state.short.checks(),
                budget(&self.burn),
                show_factor(self.burn.factor),
            ),
            marks: self.marks(slice, now, config),
            cleared: None,
        };
        self.states[slice].breach = Some(breach.id);
        self.states[slice].low_since = None;
        self.lasting.begin(slice, None);
        signals.push(Signal::Breached(breach));
    }

    fn judge_clear(&mut self, slice: usize, now: Timestamp, signals: &mut Vec<Signal>) {
        let State { short, onset, low_since, breach, .. } = &mut self.states[slice];
        // With no checks in the window nobody knows: the next check says whether it is still low.
        if short.looked == 0 {
            self.lasting.note(slice, None);
            return;
        }
        if self.burn.is_exceeded_by(short.bad, short.checks()) {
            *low_since = None;
            self.lasting.note(slice, None);
            return;
        }
        let low_since = *low_since.get_or_insert(now);
        self.lasting.note(slice, Some(low_since));
        let Some(id) = breach.filter(|_| now.since(low_since) >= self.burn.hold) else { return };
        // What burns next is another outage, with a beginning of its own.
        (*breach, *onset) = (None, None);
        self.lasting.end(slice);
        let state = &self.states[slice];
        let reason = format!(
            "rule {} for {}: burns its error budget at {} in the last {} ({} of {} checks bad), not above {} for {}",
            self.rule.id,
            self.slices.all()[slice],
            self.show_burn(&state.short),
            show_duration(self.burn.short),
            state.short.bad,
            state.short.checks(),
            show_factor(self.burn.factor),
            show_duration(self.burn.hold),
        );
        signals.push(Signal::Cleared { breach: id, reason });
    }

    /// The burn rate of a window, to a tenth: `14.4`.
    fn show_burn(&self, window: &Buckets) -> String {
        let allowed = u128::from(budget(&self.burn).ppm()) * u128::from(window.checks());
        let tenths = (u128::from(window.bad) * 10_000_000).checked_div(allowed).unwrap_or_default();
        format!("{}.{}", tenths / 10, tenths % 10)
    }

    /// What the bad checks of the short window bear, each probe by its last.
    fn marks(&self, slice: usize, now: Timestamp, config: &Config) -> Marks {
        let mut marks = Marks::default();
        for ((index, probe), last) in config.probes.indexed().zip(self.last_bad.values()) {
            if let Some((at, class)) = last
                && *at + self.burn.short >= now
                && self.slices.of(index).contains(&slice)
            {
                marks.add(probe, *class, &config.cohorts);
            }
        }
        marks
    }
}

/// The share of checks that the objective allows to be bad.
fn budget(burn: &BurnRate) -> Ratio {
    Ratio::from_ppm(Ratio::ONE.ppm() - burn.objective.ppm())
}

/// A factor as it is written: `14.4`.
fn show_factor(thousandths: u32) -> String {
    (f64::from(thousandths) / 1_000.0).to_string()
}
