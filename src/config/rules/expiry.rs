//! `expires_within`: when a certificate runs out soon.

use crate::config::reader::{Entry, Reader};
use crate::config::words::seconds;
use crate::model::Expiry;

pub(super) fn read(reader: &mut Reader<'_>, entry: Entry<'_>) -> Option<Expiry> {
    Some(Expiry { within: reader.duration(entry, seconds(60), seconds(3_650 * 86_400))? })
}
