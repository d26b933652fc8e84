//! `expect`, and conditions wherever they stand.

use std::sync::Arc;

use super::reader::{Entry, Reader};
use crate::model::Condition;

/// The conditions of a list, over these variables.
pub(super) fn expect(reader: &mut Reader<'_>, entry: Entry<'_>, variables: &[&str]) -> Option<Arc<[Condition]>> {
    let items = reader.list(entry, "list conditions like `status == 200`, or remove the key")?;
    let count = items.len();
    let conditions: Vec<Condition> =
        items.into_iter().filter_map(|item| condition(reader, item, variables)).collect();
    (conditions.len() == count).then(|| conditions.into())
}

/// A CEL expression over these variables.
pub(super) fn condition(reader: &mut Reader<'_>, entry: Entry<'_>, variables: &[&str]) -> Option<Condition> {
    let text = reader.text(entry)?;
    match Condition::parse(&text.value, variables) {
        Ok(condition) => Some(condition),
        Err(why) => {
            let place = why.column.map_or(text.place, |column| text.part(column, 1));
            reader.fault(place, why.fault, why.remedy);
            None
        }
    }
}
