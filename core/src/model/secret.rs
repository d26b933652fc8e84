//! Secrets: the values of `${env:…}` and `${file:…}`, and how they are kept out of everything that is shown.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// What stands in place of a secret.
pub const REDACTED: &str = "[secret]";
/// A shorter beginning of a secret, in characters, gives nothing away, and ends many a text by chance.
const SHORTEST_PART: usize = 4;
/// So many ellipses are looked at: our own, where a fault shows what it was given.
const MOST_ELLIPSES: usize = 8;

/// All secret values of one config. Cloning shares them; `Debug` does not print them.
#[derive(Clone, Default)]
pub struct Secrets(Arc<[Box<str>]>);

impl Secrets {
    /// Takes the values to hide. Empty ones hide nothing.
    #[must_use]
    pub fn new(values: impl IntoIterator<Item = String>) -> Self {
        let mut values: Vec<Box<str>> =
            values.into_iter().filter(|value| !value.is_empty()).map(String::into_boxed_str).collect();
        values.sort();
        values.dedup();
        Self(values.into())
    }

    /// Those of both.
    #[must_use]
    pub fn and(&self, others: &Self) -> Self {
        Self::new(self.0.iter().chain(others.0.iter()).map(|value| value.to_string()))
    }

    /// The text with every secret value in it replaced by `[secret]`; values that overlap or touch become one.
    #[must_use]
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        replaced(text, self.spans(text))
    }

    /// As [`redact`](Self::redact), for a text that may have been cut: at its end, and before an ellipsis, the beginning
    /// of a secret value is replaced as well, from 4 characters on.
    #[must_use]
    pub fn redact_cut<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut spans = self.spans(text);
        let ellipses = text.match_indices('…').map(|(at, _)| at).take(MOST_ELLIPSES);
        for end in ellipses.chain([text.len()]) {
            let before = text.get(..end).unwrap_or_default();
            for value in self.0.iter() {
                let parts = value.char_indices().skip(SHORTEST_PART).filter_map(|(at, _)| value.get(..at));
                let ended = parts.filter(|part| before.ends_with(part));
                spans.extend(ended.map(|part| (end - part.len(), end)));
            }
        }
        replaced(text, spans)
    }

    /// Where secret values stand.
    fn spans(&self, text: &str) -> Vec<(usize, usize)> {
        let found = self.0.iter().flat_map(|value| text.match_indices(&**value));
        found.map(|(start, found)| (start, start + found.len())).collect()
    }
}

/// The text with these parts of it replaced.
fn replaced(text: &str, mut spans: Vec<(usize, usize)>) -> Cow<'_, str> {
    if spans.is_empty() {
        return Cow::Borrowed(text);
    }
    spans.sort_unstable();
    let mut hidden = String::with_capacity(text.len());
    let mut shown_until = 0;
    let mut spans = spans.into_iter().peekable();
    while let Some((start, mut end)) = spans.next() {
        while let Some((_, other)) = spans.next_if(|(other, _)| *other <= end) {
            end = end.max(other);
        }
        hidden.push_str(text.get(shown_until..start).unwrap_or_default());
        hidden.push_str(REDACTED);
        shown_until = end;
    }
    hidden.push_str(text.get(shown_until..).unwrap_or_default());
    Cow::Owned(hidden)
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets({} values)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redacted(secrets: &[&str], text: &str) -> String {
        Secrets::new(secrets.iter().map(|secret| (*secret).to_owned())).redact(text).into_owned()
    }

    #[test]
    fn secrets_that_contain_or_overlap_each_other_leave_nothing_to_see() {
        assert_eq!(redacted(&["hunter", "hunter2"], "a hunter2, a hunter"), "a [secret], a [secret]");
        assert_eq!(redacted(&["abcd", "cdef"], "<abcdef>"), "<[secret]>");
        assert_eq!(redacted(&["", "x"], "no such"), "no such");
    }

    #[test]
    fn the_beginning_of_a_secret_is_hidden_where_a_text_was_cut() {
        let cut =
            |text: &str| Secrets::new(["hunter2".to_owned(), "Grüße an alle".into()]).redact_cut(text).into_owned();
        assert_eq!(cut("a hunter2 and hunte"), "a [secret] and [secret]");
        assert_eq!(cut("`hunter…` and hunter… no more hunters"), "`[secret]…` and [secret]… no more hunters");
        assert_eq!(cut("hunter2hunter2hunt"), "[secret]");
        assert_eq!((cut("Grü"), cut("Grüß")), ("Grü".into(), "[secret]".into()));
        assert_eq!(cut("a hun"), "a hun");
    }

    #[test]
    fn secrets_that_are_letters_of_the_mark_do_not_hide_the_mark_again() {
        assert_eq!(redacted(&["s", "e", "c", "r", "t", "[", "]", "secret"], "my s"), "my [secret]");
        assert_eq!(redacted(&["e"], "see here"), "s[secret] h[secret]r[secret]");
    }
}
