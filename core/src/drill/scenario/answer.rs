//! How a check fails: `failure` and `status`.

use super::Answer;
use crate::config::problem::nearest;
use crate::config::reader::{Entry, Reader, Table};
use crate::model::FailureClass;

/// `failure` or `status`, of which there is one at most.
pub(super) fn failure_or_status(reader: &mut Reader<'_>, table: &Table<'_>, otherwise: Answer) -> Option<Answer> {
    match (table.get("failure"), table.get("status")) {
        (Some(_), Some(status)) => {
            reader.fault(status.at, "`status` does not go with `failure`", "remove one of the two");
            None
        }
        (Some(entry), None) => class(reader, entry).map(Answer::Failure),
        (None, Some(entry)) => status(reader, entry).map(Answer::Status),
        (None, None) => Some(otherwise),
    }
}

/// A failure class by its name.
pub(super) fn class(reader: &mut Reader<'_>, entry: Entry<'_>) -> Option<FailureClass> {
    let text = reader.word(entry)?;
    let class = FailureClass::from_name(&text.value);
    if class.is_none() {
        let remedy = nearest(&text.value, FailureClass::ALL.iter().map(|class| class.as_str()), "it is one of");
        reader.fault(text.place, format!("there is no failure class `{}`", text.show()), remedy);
    }
    class
}

/// An HTTP status.
pub(super) fn status(reader: &mut Reader<'_>, entry: Entry<'_>) -> Option<u16> {
    reader.whole(entry, 100, 599).and_then(|status| u16::try_from(status).ok())
}
