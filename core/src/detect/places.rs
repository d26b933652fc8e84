//! The places that checks were made from and went to, by small numbers.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::model::{Location, Place};

/// More places than this share the last number: a name that resolves to another address each time must not fill memory.
const MOST_PLACES: usize = 4_096;

/// Places by the numbers that entries of the history bear.
#[derive(Default)]
pub(super) struct Places {
    all: Vec<Place>,
    numbers: BTreeMap<Place, u16>,
    /// The last answer: most checks go where the one before went.
    last: u16,
}

impl Places {
    /// The number of a place.
    pub(super) fn of(&mut self, location: &Location, address: Option<IpAddr>) -> u16 {
        let last = self.all.get(usize::from(self.last));
        if last.is_some_and(|last| last.address == address && last.location == *location) {
            return self.last;
        }
        let place = Place { location: location.clone(), address };
        let known = self.numbers.get(&place).copied();
        self.last = known.unwrap_or_else(|| {
            let number = u16::try_from(self.all.len().min(MOST_PLACES - 1)).unwrap_or(u16::MAX);
            if self.all.len() < MOST_PLACES {
                self.numbers.insert(place.clone(), number);
                self.all.push(place);
            }
            number
        });
        self.last
    }

    /// All of them, by number.
    pub(super) fn all(&self) -> &[Place] {
        &self.all
    }
}
