//! Secrets: the values of `${env:…}` and `${file:…}`, and how they are kept out of everything that is shown.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// What stands in place of a secret.
pub const REDACTED: &str = "[secret]";

/// All secret values of one config. Cloning shares them; `Debug` does not print them.
#[derive(Clone, Default)]
pub struct Secrets(Arc<[Box<str>]>);

impl Secrets {
    /// Takes the values to hide. Empty ones hide nothing; longer ones win over those they contain.
    #[must_use]
    pub fn new(values: impl IntoIterator<Item = String>) -> Self {
        let mut values: Vec<Box<str>> =
            values.into_iter().filter(|value| !value.is_empty()).map(String::into_boxed_str).collect();
        values.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        values.dedup();
        Self(values.into())
    }

    /// The text with every secret value in it replaced by `[secret]`.
    #[must_use]
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut text = Cow::Borrowed(text);
        for value in self.0.iter() {
            if text.contains(&**value) {
                text = Cow::Owned(text.replace(&**value, REDACTED));
            }
        }
        text
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets({} values)", self.0.len())
    }
}
