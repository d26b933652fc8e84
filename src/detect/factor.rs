//! The factor: what the failing checks have in common that the others do not.
//!
//! Every label that the probes bear is tried. For one label, its values are ordered by their share of bad checks, and
//! the leading ones are taken together as long as that separates better. How well a set of values separates is
//! Youden's J (W. J. Youden, "Index for rating diagnostic tests", Cancer 3, 1950): the share of the bad checks that it
//! explains less the share of the good checks that it covers. One stray failure elsewhere costs little, so it cannot
//! hide a factor. Two labels together are named where they separate better than one.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::Config;
use crate::model::{Factor, FailureClass, Finding, LabelName, LabelValue, Place, Probe};

use super::tally::{Counts, Tally};

/// A factor must explain at least this much of the bad checks, in parts per million, and separate at least this well
/// (Youden's J, in parts per million).
const EXPLAINS: (u64, u64) = (800_000, 500_000);
/// Less will do where checks fail so many times as often inside as outside: beside hundreds of customers, one that is
/// down makes but a part of all bad checks.
const STANDS_OUT: u128 = 20;
const EXPLAINS_STANDING_OUT: (u64, u64) = (400_000, 300_000);
/// A value that fails less than this part of how often those before it do is not hit as they are.
const FALLS_OFF: u128 = 10;
const WHOLE: u64 = 1_000_000;

/// A pair of labels must separate so much better than one, in parts per million: one label says it more simply.
const WORTH_A_PAIR: u64 = 20_000;
/// A value is tried as the second of a pair when it bears at least this part of the bad checks, in parts per million.
const HALF: u64 = 500_000;

/// What the counted checks show. The example is left to the caller, who has the evidence.
#[must_use]
pub fn find(tally: &Tally, places: &[Place], config: &Config) -> Finding {
    let all: Vec<Group<'_>> = tally
        .iter()
        .filter_map(|((probe, place), counts)| {
            Some(Group { probe: config.probes.get(probe)?, place: places.get(usize::from(place)), counts })
        })
        .collect();
    let total = sum(&all);
    let factor = strongest(&all, &total, config);
    let mut hit = Counts::default();
    let mut by_component: BTreeMap<_, Counts> = BTreeMap::new();
    for group in all.iter().filter(|group| factor.as_ref().is_none_or(|factor| group.bears(factor))) {
        hit.merge(group.counts);
        by_component.entry(group.probe.component.clone()).or_default().merge(group.counts);
    }
    // A component is hit when its share of bad checks is at least half of that of all that are hit: a stray failure
    // beside an outage does not draw its component in.
    let components = by_component.into_iter().filter(|(_, counts)| {
        counts.bad > 0
            && 2 * u128::from(counts.bad) * u128::from(hit.looked) >= u128::from(hit.bad) * u128::from(counts.looked)
    });
    let (failure, status) = main_way(&hit);
    Finding {
        bad: narrow(total.bad),
        looked: narrow(total.looked),
        failure,
        status,
        components: components.map(|(component, _)| component).collect(),
        factor,
        example: None,
        unseen: None,
    }
}

/// The checks of one probe from and to one place.
#[derive(Clone, Copy)]
struct Group<'a> {
    probe: &'a Probe,
    place: Option<&'a Place>,
    counts: &'a Counts,
}

impl Group<'_> {
    fn label(&self, name: &LabelName) -> Option<LabelValue> {
        self.probe.label(name).or_else(|| self.place?.label(name))
    }

    fn bears(&self, factor: &Factor) -> bool {
        self.label(&factor.label).is_some_and(|value| factor.values.contains(&value))
            && factor.and.as_ref().is_none_or(|(label, value)| self.label(label).as_ref() == Some(value))
    }
}

fn sum(groups: &[Group<'_>]) -> Counts {
    let mut total = Counts::default();
    for group in groups {
        total.merge(group.counts);
    }
    total
}

fn strongest(all: &[Group<'_>], total: &Counts, config: &Config) -> Option<Factor> {
    if total.bad == 0 || total.good() == 0 {
        return None;
    }
    let labels = candidates(all, config);
    let single = best_of(&labels, all, total);
    let least = single.as_ref().map_or(0, |(score, _)| score + WORTH_A_PAIR);
    let pair = if least > WHOLE { None } else { best_pair(&labels, all, total).filter(|(score, _)| *score >= least) };
    // Where no label separates, it may be one definition that fails by itself: better its name than nothing.
    let best = pair.or(single).or_else(|| best_of(&["probe".into()], all, total));
    best.map(|(_, factor)| factor)
}

/// The factor of the label that separates best, the first of equals, with how well it does.
fn best_of(labels: &[LabelName], among: &[Group<'_>], total: &Counts) -> Option<(u64, Factor)> {
    let mut best: Option<(u64, Factor)> = None;
    for label in labels {
        let mut groups: BTreeMap<LabelValue, Counts> = BTreeMap::new();
        for group in among {
            if let Some(value) = group.label(label) {
                groups.entry(value).or_default().merge(group.counts);
            }
        }
        if let Some((score, factor)) = separation(label, groups, total)
            // Only a strictly better one replaces: labels that name customers come first, and win ties.
            && best.as_ref().is_none_or(|(least, _)| score > *least)
        {
            best = Some((score, factor));
        }
    }
    best
}

/// The best factor among the checks that share a value of another label which most of the bad checks have.
fn best_pair(labels: &[LabelName], all: &[Group<'_>], total: &Counts) -> Option<(u64, Factor)> {
    let mut best: Option<(u64, Factor)> = None;
    for (index, second) in labels.iter().enumerate() {
        let mut bad: BTreeMap<LabelValue, u64> = BTreeMap::new();
        for group in all.iter().filter(|group| group.counts.bad > 0) {
            if let Some(value) = group.label(second) {
                *bad.entry(value).or_default() += group.counts.bad;
            }
        }
        for (value, _) in bad.into_iter().filter(|(_, count)| count * WHOLE >= HALF * total.bad) {
            let inside: Vec<Group<'_>> =
                all.iter().copied().filter(|group| group.label(second).as_ref() == Some(&value)).collect();
            // Each pair is tried once, its more telling label first.
            let Some((score, mut factor)) = best_of(&labels[..index], &inside, total) else { continue };
            if best.as_ref().is_none_or(|(least, _)| score > *least) {
                factor.and = Some((second.clone(), value));
                factor.bad_elsewhere = narrow(total.bad).saturating_sub(factor.bad);
                factor.looked_elsewhere = narrow(total.looked).saturating_sub(factor.looked);
                best = Some((score, factor));
            }
        }
    }
    best
}

/// The labels worth trying, those that name customers first, in the order of preference at equal separation.
fn candidates(all: &[Group<'_>], config: &Config) -> Vec<LabelName> {
    let mut labels: Vec<LabelName> = config.cohorts.keys().cloned().collect();
    labels.push("component".into());
    let others: BTreeSet<&LabelName> = all.iter().flat_map(|group| group.probe.labels.keys()).collect();
    labels.extend(others.into_iter().filter(|label| !config.cohorts.contains_key(*label)).cloned());
    labels.extend(["host".into(), "kind".into()]);
    for label in Place::LABELS.map(LabelName::from) {
        if !labels.contains(&label) {
            labels.push(label);
        }
    }
    labels
}

/// The leading values of a label that separate best, if they separate well enough.
fn separation(label: &LabelName, groups: BTreeMap<LabelValue, Counts>, total: &Counts) -> Option<(u64, Factor)> {
    let mut groups: Vec<(LabelValue, Counts)> = groups.into_iter().collect();
    let mut all = Counts::default();
    for (_, counts) in &groups {
        all.merge(counts);
    }
    // By share of bad checks, the greatest first; the sort is stable, so equal ones stay in the order of their names.
    groups.sort_by(|(_, a), (_, b)| {
        (u128::from(b.bad) * u128::from(a.looked)).cmp(&(u128::from(a.bad) * u128::from(b.looked)))
    });
    let mut best: Option<(u64, Factor)> = None;
    let mut taken = Counts::default();
    let mut values = BTreeSet::new();
    let last = groups.len().saturating_sub(1);
    for (value, counts) in groups.into_iter().take(last) {
        // With hundreds of values, some always have a stray failure, and each would separate a little better.
        let falls_off = FALLS_OFF * u128::from(counts.bad) * u128::from(taken.looked)
            < u128::from(taken.bad) * u128::from(counts.looked);
        let is_stray = counts.bad == 1 && counts.looked > 2;
        if !values.is_empty() && (falls_off || is_stray) {
            break;
        }
        taken.merge(&counts);
        values.insert(value);
        let explained = taken.bad * WHOLE / total.bad;
        let covered = taken.good() * WHOLE / total.good();
        let Some(score) = explained.checked_sub(covered) else { continue };
        let outside = (u128::from(total.bad - taken.bad), u128::from(total.looked - taken.looked));
        let stands_out = u128::from(taken.bad) * outside.1 >= STANDS_OUT * outside.0 * u128::from(taken.looked);
        let (explains, separates) = if stands_out { EXPLAINS_STANDING_OUT } else { EXPLAINS };
        if explained >= explains && score >= separates && best.as_ref().is_none_or(|(least, _)| score > *least) {
            let factor = Factor {
                label: label.clone(),
                values: values.clone(),
                and: None,
                bad: narrow(taken.bad),
                looked: narrow(taken.looked),
                bad_elsewhere: narrow(all.bad - taken.bad),
                looked_elsewhere: narrow(all.looked - taken.looked),
            };
            best = Some((score, factor));
        }
    }
    best
}

/// How most of the bad checks failed, and the status number if it was the same for all of those.
fn main_way(hit: &Counts) -> (Option<FailureClass>, Option<u16>) {
    let mut by_class: BTreeMap<FailureClass, u64> = BTreeMap::new();
    for ((class, _), count) in &hit.ways {
        *by_class.entry(*class).or_default() += count;
    }
    let Some((&class, _)) =
        by_class.iter().max_by_key(|(_, count)| **count).filter(|(_, count)| 2 * **count > hit.bad)
    else {
        return (None, None);
    };
    let statuses: BTreeSet<Option<u16>> =
        hit.ways.keys().filter(|(other, _)| *other == class).map(|(_, status)| *status).collect();
    let one = statuses.len() == 1;
    (Some(class), statuses.into_iter().next().flatten().filter(|_| one))
}

fn narrow(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
