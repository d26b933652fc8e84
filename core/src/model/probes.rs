//! The probes of one config, which of them is meant, and what is kept for each.

use std::collections::HashMap;
use std::ops::{Deref, Index, IndexMut};

use super::id::ProbeId;
use super::probe::Probe;

/// Which of a config's probes. Only [`Probes`] and what was made of them hand it out, and it is good for those and for
/// what was made of the same config.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ProbeIndex(u32);

impl ProbeIndex {
    /// Its number, from 0 on, for what is to differ from probe to probe.
    #[must_use]
    pub fn number(self) -> u32 {
        self.0
    }

    fn place(self) -> usize {
        self.0 as usize
    }
}

/// The probes of one config, in their order.
#[derive(Clone, Debug, Default)]
pub struct Probes {
    all: Vec<Probe>,
    by_id: HashMap<ProbeId, ProbeIndex>,
}

impl Probes {
    /// The probe of this index; `None` when the index is that of a larger config.
    #[must_use]
    pub fn get(&self, index: ProbeIndex) -> Option<&Probe> {
        self.all.get(index.place())
    }

    /// All of them, each with its index.
    pub fn indexed(&self) -> impl Iterator<Item = (ProbeIndex, &Probe)> + Clone {
        indices().zip(&self.all)
    }

    /// The index of the probe with this id, found at once.
    #[must_use]
    pub fn index_of(&self, id: &ProbeId) -> Option<ProbeIndex> {
        self.by_id.get(id).copied()
    }

    /// Keeps those of which this holds. The others' indices pass to those that follow them.
    pub fn retain(&mut self, keep: impl FnMut(&Probe) -> bool) {
        self.all.retain(keep);
        *self = std::mem::take(&mut self.all).into();
    }
}

impl From<Vec<Probe>> for Probes {
    fn from(all: Vec<Probe>) -> Self {
        let mut by_id = HashMap::with_capacity(all.len());
        for (index, probe) in indices().zip(&all) {
            by_id.entry(probe.id.clone()).or_insert(index);
        }
        Self { all, by_id }
    }
}

impl FromIterator<Probe> for Probes {
    fn from_iter<I: IntoIterator<Item = Probe>>(probes: I) -> Self {
        Vec::from_iter(probes).into()
    }
}

impl Extend<Probe> for Probes {
    fn extend<I: IntoIterator<Item = Probe>>(&mut self, probes: I) {
        self.all.extend(probes);
        *self = std::mem::take(&mut self.all).into();
    }
}

impl Deref for Probes {
    type Target = [Probe];

    fn deref(&self) -> &[Probe] {
        &self.all
    }
}

impl IntoIterator for Probes {
    type Item = Probe;
    type IntoIter = std::vec::IntoIter<Probe>;

    fn into_iter(self) -> Self::IntoIter {
        self.all.into_iter()
    }
}

impl<'a> IntoIterator for &'a Probes {
    type Item = &'a Probe;
    type IntoIter = std::slice::Iter<'a, Probe>;

    fn into_iter(self) -> Self::IntoIter {
        self.all.iter()
    }
}

/// By an index of the same config there always is one.
impl Index<ProbeIndex> for Probes {
    type Output = Probe;

    fn index(&self, index: ProbeIndex) -> &Probe {
        &self.all[index.place()]
    }
}

/// By its place, like those of any list.
impl Index<usize> for Probes {
    type Output = Probe;

    fn index(&self, place: usize) -> &Probe {
        &self.all[place]
    }
}

/// One value for each probe of a config. It is collected from them in their order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PerProbe<T>(Box<[T]>);

impl<T> PerProbe<T> {
    /// The value of this probe; `None` when the index is that of a larger config.
    #[must_use]
    pub fn get(&self, index: ProbeIndex) -> Option<&T> {
        self.0.get(index.place())
    }

    /// All values, each with its probe's index.
    pub fn indexed(&self) -> impl Iterator<Item = (ProbeIndex, &T)> {
        indices().zip(&self.0)
    }

    /// All values, each with its probe's index, to be changed.
    pub fn indexed_mut(&mut self) -> impl Iterator<Item = (ProbeIndex, &mut T)> {
        indices().zip(&mut self.0)
    }

    /// All values, in the order of the probes.
    pub fn values(&self) -> std::slice::Iter<'_, T> {
        self.0.iter()
    }

    /// All values, in the order of the probes, to be changed.
    pub fn values_mut(&mut self) -> std::slice::IterMut<'_, T> {
        self.0.iter_mut()
    }
}

impl<T> FromIterator<T> for PerProbe<T> {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        Self(values.into_iter().collect())
    }
}

/// By an index of the same config there always is one.
impl<T> Index<ProbeIndex> for PerProbe<T> {
    type Output = T;

    fn index(&self, index: ProbeIndex) -> &T {
        &self.0[index.place()]
    }
}

impl<T> IndexMut<ProbeIndex> for PerProbe<T> {
    fn index_mut(&mut self, index: ProbeIndex) -> &mut T {
        &mut self.0[index.place()]
    }
}

/// All that there can be.
fn indices() -> impl Iterator<Item = ProbeIndex> + Clone {
    (0..u32::MAX).map(ProbeIndex)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::tests::probe;

    impl ProbeIndex {
        /// The index with this number, for tests that drive a part by hand.
        pub(crate) fn nth(number: usize) -> Self {
            Self(u32::try_from(number).unwrap())
        }
    }

    #[test]
    fn every_probe_is_found_by_its_index_and_by_its_id_and_its_values_too() {
        let mut probes: Probes = ["a", "b", "c"].into_iter().map(probe).collect();
        let lengths: PerProbe<String> = probes.iter().map(|probe| probe.id.to_string()).collect();
        for (index, probe) in probes.indexed() {
            assert_eq!(probes.index_of(&probe.id), Some(index));
            assert_eq!(probes[index].id, probe.id);
            assert_eq!(lengths[index], probe.id.as_str());
        }
        let last = probes.index_of(&"c".into()).unwrap();
        probes.retain(|probe| probe.id.as_str() != "b");
        assert!(probes.get(last).is_none());
        assert_eq!(probes.index_of(&"c".into()), probes.indexed().last().map(|(index, _)| index));
    }
}
