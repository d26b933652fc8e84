//! Pairs: as many of what was expected as can be, each with one of what was found.

use std::collections::{BTreeMap, VecDeque};

/// For as many of so many wanted as can be, the place of a found one that fits; no place twice. Which of two equally
/// large sets of pairs it is depends on nothing but their order.
///
/// A maximum bipartite matching by augmenting paths (Kuhn 1955): one that finds all its places taken has one of them
/// given up by an owner that fits elsewhere.
pub(super) fn pairs(wanted: usize, found: usize, fits: impl Fn(usize, usize) -> bool) -> BTreeMap<usize, usize> {
    let mut places = BTreeMap::new();
    let mut owners: BTreeMap<usize, usize> = BTreeMap::new();
    for one in 0..wanted {
        // By whom each place was reached.
        let mut reached: BTreeMap<usize, usize> = BTreeMap::new();
        let mut asking = VecDeque::from([one]);
        while let Some(who) = asking.pop_front() {
            let open = (0..found).filter(|place| !reached.contains_key(place) && fits(who, *place));
            let open: Vec<usize> = open.collect();
            reached.extend(open.iter().map(|place| (*place, who)));
            if let Some(free) = open.iter().find(|place| !owners.contains_key(place)) {
                // Each on the way back takes the place that it reached, and leaves its own to the one before.
                let mut left = Some(*free);
                while let Some((place, who)) = left.and_then(|place| Some((place, *reached.get(&place)?))) {
                    owners.insert(place, who);
                    left = places.insert(who, place);
                }
                break;
            }
            asking.extend(open.iter().filter_map(|place| owners.get(place)));
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Dice;

    fn of(fits: &[&[usize]], found: usize) -> Vec<(usize, usize)> {
        pairs(fits.len(), found, |wanted, place| fits[wanted].contains(&place)).into_iter().collect()
    }

    #[test]
    fn one_that_fits_all_leaves_its_place_to_one_that_fits_nowhere_else() {
        assert_eq!(of(&[&[0, 1], &[0]], 2), [(0, 1), (1, 0)]);
        assert_eq!(of(&[&[0, 1], &[1, 2], &[0, 1], &[0]], 4), [(0, 0), (1, 2), (2, 1)]);
        assert_eq!(of(&[&[0, 1], &[1, 2], &[2, 3], &[0]], 4), [(0, 1), (1, 2), (2, 3), (3, 0)]);
        assert_eq!(of(&[&[], &[0], &[0]], 1), [(1, 0)]);
    }

    /// The most that can be paired, by trying everything.
    fn most(fits: &[Vec<bool>], taken: &mut Vec<bool>) -> usize {
        let Some((first, rest)) = fits.split_first() else { return 0 };
        let mut best = most(rest, taken);
        for place in 0..taken.len() {
            if first[place] && !taken[place] {
                taken[place] = true;
                best = best.max(1 + most(rest, taken));
                taken[place] = false;
            }
        }
        best
    }

    #[test]
    fn no_other_choice_pairs_more() {
        for seed in 0..500 {
            let mut dice = Dice::of(seed, 0, 0);
            let (wanted, found) = (dice.below(5) + 1, dice.below(5) + 1);
            let fits: Vec<Vec<bool>> =
                (0..wanted).map(|_| (0..found).map(|_| dice.below(3) == 0).collect()).collect();
            let paired = pairs(fits.len(), fits[0].len(), |wanted, place| fits[wanted][place]);
            let mut places: Vec<usize> = paired.values().copied().collect();
            places.sort_unstable();
            places.dedup();
            assert_eq!(places.len(), paired.len(), "seed {seed}: no place twice");
            assert!(paired.iter().all(|(wanted, place)| fits[*wanted][*place]), "seed {seed}");
            assert_eq!(paired.len(), most(&fits, &mut vec![false; fits[0].len()]), "seed {seed}: {fits:?}");
        }
    }
}
