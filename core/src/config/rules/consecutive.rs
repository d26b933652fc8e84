//! `consecutive`: so many failures of one probe in a row.

use std::time::Duration;

use super::companions::hold;
use super::{Kind, Part, Surroundings};
use crate::config::reader::{Entry, Reader, Table};
use crate::config::words::seconds;
use crate::model::{Consecutive, RuleKind};

pub(super) const KIND: Kind = Kind { companions: &["clear"], read, suits: None };

/// For how long the probe must not fail unless the rule says.
pub(super) const CLEAR_AFTER: Duration = seconds(60);

fn read(reader: &mut Reader<'_>, rule: &Table<'_>, entry: Entry<'_>, _: &Surroundings<'_>) -> Option<Vec<Part>> {
    let count = reader.whole(entry, 1, 1_000);
    let clear_after = hold(reader, rule).map(|given| given.unwrap_or(CLEAR_AFTER));
    let run = Consecutive { count: u32::try_from(count?).unwrap_or(u32::MAX), clear_after: clear_after? };
    Some(Part::whole(RuleKind::Consecutive(run)))
}
