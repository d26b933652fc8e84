//! `expires_within`: when a certificate expires soon.

use super::{Kind, Part, Surroundings};
use crate::config::reader::{Entry, Reader, Table};
use crate::config::words::seconds;
use crate::model::{Expiry, RuleKind};

pub(super) const KIND: Kind = Kind { companions: &[], read, suits: None };

fn read(reader: &mut Reader<'_>, _: &Table<'_>, entry: Entry<'_>, _: &Surroundings<'_>) -> Option<Vec<Part>> {
    let within = reader.duration(entry, seconds(60), seconds(3_650 * 86_400))?;
    Some(Part::whole(RuleKind::Expiry(Expiry { within })))
}
