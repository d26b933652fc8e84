//! The factor: what the failing checks have in common that the others do not.
//!
//! Every label that the probes bear is tried. For one label, its values are ordered by their share of bad checks, and
//! the leading ones are taken together as long as that separates better. How well a set of values separates is
//! Youden's J (W. J. Youden, "Index for rating diagnostic tests", Cancer 3, 1950): the share of the bad checks that it
//! explains less the share of the good checks that it covers. One stray failure elsewhere costs little, so it cannot
//! hide a factor. Two labels together are named where they separate better than one.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Factor, FailureClass, Finding, Place, ProbeIndex};

use super::columns::{Column, Columns};
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
pub(super) fn find(tally: &Tally, places: &[Place], columns: &Columns) -> Finding {
    let labels = columns.at(places);
    let all: Vec<Group<'_>> = tally
        .iter()
        .map(|((probe, place), counts)| Group {
            probe,
            place: usize::from(place),
            sum: Sum { looked: counts.looked, bad: counts.bad },
            counts,
        })
        .collect();
    let total = sum(&all);
    let best = strongest(&labels, columns.definitions(), &all, total);
    let mut hit = Counts::default();
    let inside: Vec<Group<'_>> =
        all.into_iter().filter(|group| best.as_ref().is_none_or(|best| best.bears(group))).collect();
    inside.iter().for_each(|group| hit.merge(group.counts));
    let by_component = columns.components().values.iter().zip(sums(columns.components(), &inside));
    // A component is hit when its share of bad checks is at least half of that of all that are hit: a stray failure
    // beside an outage does not draw its component in.
    let components = by_component.filter(|(_, sum)| {
        sum.bad > 0
            && 2 * u128::from(sum.bad) * u128::from(hit.looked) >= u128::from(hit.bad) * u128::from(sum.looked)
    });
    let (failure, status) = main_way(&hit);
    Finding {
        bad: narrow(total.bad),
        looked: narrow(total.looked),
        failure,
        status,
        components: components.map(|(component, _)| component.as_str().into()).collect(),
        factor: best.map(|best| best.factor()),
        example: None,
        parts: Vec::new(),
        earlier: Vec::new(),
        unseen: None,
        what: None,
    }
}

/// The checks of one probe from and to one place.
#[derive(Clone, Copy)]
struct Group<'a> {
    probe: ProbeIndex,
    place: usize,
    sum: Sum,
    counts: &'a Counts,
}

/// Checks, and the bad ones of them.
#[derive(Clone, Copy, Default)]
struct Sum {
    looked: u64,
    bad: u64,
}

impl Sum {
    fn add(&mut self, other: Self) {
        self.looked += other.looked;
        self.bad += other.bad;
    }

    fn good(self) -> u64 {
        self.looked - self.bad
    }
}

/// Values of a label, and how well they separate.
struct Separation<'a> {
    score: u64,
    column: &'a Column,
    /// For each value of the label whether it is one of them.
    taken: Vec<bool>,
    /// A value of another label that is to be borne as well.
    and: Option<(&'a Column, usize)>,
    /// The checks that bear them, and those that bear another value.
    inside: Sum,
    outside: Sum,
}

impl Separation<'_> {
    fn bears(&self, group: &Group<'_>) -> bool {
        self.column.of(group.probe, group.place).is_some_and(|value| self.taken[value])
            && self.and.is_none_or(|(column, value)| column.of(group.probe, group.place) == Some(value))
    }

    fn factor(self) -> Factor {
        let values = self.column.values.iter().zip(&self.taken).filter(|(_, taken)| **taken);
        Factor {
            label: self.column.label.clone(),
            values: values.map(|(value, _)| value.clone()).collect(),
            and: self.and.map(|(column, value)| (column.label.clone(), column.values[value].clone())),
            bad: narrow(self.inside.bad),
            looked: narrow(self.inside.looked),
            bad_elsewhere: narrow(self.outside.bad),
            looked_elsewhere: narrow(self.outside.looked),
        }
    }
}

fn sum(groups: &[Group<'_>]) -> Sum {
    let mut total = Sum::default();
    groups.iter().for_each(|group| total.add(group.sum));
    total
}

fn strongest<'a>(
    labels: &'a [Cow<'_, Column>],
    definitions: &'a Column,
    all: &[Group<'_>],
    total: Sum,
) -> Option<Separation<'a>> {
    if total.bad == 0 || total.good() == 0 {
        return None;
    }
    let single = best_of(labels, all, total);
    let least = single.as_ref().map_or(0, |single| single.score + WORTH_A_PAIR);
    let pair = if least > WHOLE { None } else { best_pair(labels, all, total, least) };
    // Where no label separates, it may be one definition that fails by itself: better its name than nothing.
    pair.or(single).or_else(|| separation(definitions, all, total))
}

/// The label that separates best, the first of equals.
fn best_of<'a>(labels: &'a [Cow<'_, Column>], among: &[Group<'_>], total: Sum) -> Option<Separation<'a>> {
    let each = labels.iter().filter_map(|column| separation(column, among, total));
    // Only a strictly better one replaces: labels that name customers come first, and win ties.
    each.reduce(|best, other| if other.score > best.score { other } else { best })
}

/// The best separation, `least` at the least, among the checks that share a value of another label which most of the bad
/// checks have.
fn best_pair<'a>(labels: &'a [Cow<'_, Column>], all: &[Group<'_>], total: Sum, least: u64) -> Option<Separation<'a>> {
    let mut best: Option<Separation<'a>> = None;
    for (index, second) in labels.iter().enumerate() {
        for (value, sum) in sums(second, all).into_iter().enumerate() {
            // No part of them explains more than all of them do; and all checks together were tried with one label.
            let most = sum.bad * WHOLE / total.bad;
            let beaten = most < least || best.as_ref().is_some_and(|best| most <= best.score);
            if sum.bad * WHOLE < HALF * total.bad || beaten || sum.looked == total.looked {
                continue;
            }
            let shares = |group: &&Group<'_>| second.of(group.probe, group.place) == Some(value);
            let inside: Vec<Group<'_>> = all.iter().filter(shares).copied().collect();
            // Each pair is tried once, its more telling label first.
            let Some(mut found) = best_of(&labels[..index], &inside, total) else { continue };
            if found.score >= least && best.as_ref().is_none_or(|best| found.score > best.score) {
                found.and = Some((second, value));
                found.outside = Sum { looked: total.looked - found.inside.looked, bad: total.bad - found.inside.bad };
                best = Some(found);
            }
        }
    }
    best
}

/// The checks of each value of a label.
fn sums(column: &Column, among: &[Group<'_>]) -> Vec<Sum> {
    let mut sums = vec![Sum::default(); column.values.len()];
    for group in among {
        if let Some(value) = column.of(group.probe, group.place) {
            sums[value].add(group.sum);
        }
    }
    sums
}

/// The leading values of a label that separate best, if they separate well enough.
fn separation<'a>(column: &'a Column, among: &[Group<'_>], total: Sum) -> Option<Separation<'a>> {
    let mut groups: Vec<(usize, Sum)> =
        sums(column, among).into_iter().enumerate().filter(|(_, sum)| sum.looked > 0).collect();
    let mut all = Sum::default();
    groups.iter().for_each(|(_, sum)| all.add(*sum));
    // By share of bad checks, the greatest first; the sort is stable, so equal ones stay in the order of their names.
    groups.sort_by(|(_, a), (_, b)| {
        (u128::from(b.bad) * u128::from(a.looked)).cmp(&(u128::from(a.bad) * u128::from(b.looked)))
    });
    // How many of them, how well they separate, and their checks.
    let mut best: Option<(usize, u64, Sum)> = None;
    let mut taken = Sum::default();
    let last = groups.len().saturating_sub(1);
    for (count, (_, sum)) in groups.iter().take(last).enumerate() {
        // With hundreds of values, some always have a stray failure, and each would separate a little better.
        let falls_off = FALLS_OFF * u128::from(sum.bad) * u128::from(taken.looked)
            < u128::from(taken.bad) * u128::from(sum.looked);
        let is_stray = sum.bad == 1 && sum.looked > 2;
        if count > 0 && (falls_off || is_stray) {
            break;
        }
        taken.add(*sum);
        let explained = taken.bad * WHOLE / total.bad;
        let covered = taken.good() * WHOLE / total.good();
        let Some(score) = explained.checked_sub(covered) else { continue };
        let outside = (u128::from(total.bad - taken.bad), u128::from(total.looked - taken.looked));
        let stands_out = u128::from(taken.bad) * outside.1 >= STANDS_OUT * outside.0 * u128::from(taken.looked);
        let (explains, separates) = if stands_out { EXPLAINS_STANDING_OUT } else { EXPLAINS };
        if explained >= explains && score >= separates && best.is_none_or(|(_, least, _)| score > least) {
            best = Some((count + 1, score, taken));
        }
    }
    let (count, score, inside) = best?;
    let mut taken = vec![false; column.values.len()];
    groups.iter().take(count).for_each(|(value, _)| taken[*value] = true);
    let outside = Sum { looked: all.looked - inside.looked, bad: all.bad - inside.bad };
    Some(Separation { score, column, taken, and: None, inside, outside })
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
