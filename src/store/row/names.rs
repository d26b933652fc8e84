//! What stands as text in JSON: ids and the names of closed sets.

use crate::model::FailureClass;

pub(super) fn id(text: &str) -> Result<[u8; 16], String> {
    uuid::Uuid::parse_str(text).map(uuid::Uuid::into_bytes).map_err(|_| format!("`{text}` is no id"))
}

pub(super) fn class(name: &str) -> Result<FailureClass, String> {
    FailureClass::from_name(name).ok_or_else(|| format!("`{name}` is not known"))
}

pub(super) fn one_of<T: Copy>(all: &[T], name_of: fn(T) -> &'static str, name: &str) -> Result<T, String> {
    all.iter().copied().find(|value| name_of(*value) == name).ok_or_else(|| format!("`{name}` is not known"))
}
