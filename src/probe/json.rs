//! JSON of anyone: read only once it is known how much memory its values will take.
//!
//! A value of one or two bytes becomes a node of a tree, and an object with one name a node for eleven; so values are
//! counted in the text before any of them is made.

use serde_json::Value;

/// The most values that a text may have, each element of a list and each member of an object one of them.
const MOST_VALUES: usize = 200_000;
/// The most objects among them.
const MOST_OBJECTS: usize = 30_000;

/// How large a text in JSON is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    /// The most values that it can have.
    pub(super) values: usize,
    /// How deeply its lists and objects are nested.
    pub(super) depth: usize,
    objects: usize,
}

impl Size {
    /// Counts what begins and what separates values; of a text that is no JSON it says nothing that is of use.
    pub(super) fn of(text: &[u8]) -> Self {
        let mut size = Self { values: 1, depth: 0, objects: 0 };
        let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
        for byte in text {
            match byte {
                _ if escaped => escaped = false,
                b'\\' if in_string => escaped = true,
                b'"' => in_string = !in_string,
                _ if in_string => (),
                b',' => size.values += 1,
                b'[' | b'{' => {
                    size.values += 1;
                    size.objects += usize::from(*byte == b'{');
                    depth += 1;
                    size.depth = size.depth.max(depth);
                }
                b']' | b'}' => depth = depth.saturating_sub(1),
                _ => (),
            }
        }
        size
    }
}

/// The text as a tree, or why there is none, in words that never are those of the text.
pub(super) fn tree(text: &[u8]) -> Result<(Value, Size), String> {
    let size = Size::of(text);
    for (has, most, what) in [(size.values, MOST_VALUES, "values"), (size.objects, MOST_OBJECTS, "objects")] {
        if has > most {
            return Err(format!("body has more than {most} {what} of JSON"));
        }
    }
    let value = serde_json::from_slice(text)
        .map_err(|error| format!("body is no JSON (line {}, column {})", error.line(), error.column()))?;
    Ok((value, size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_counted_outside_of_strings() {
        let size = |text: &str| {
            let size = Size::of(text.as_bytes());
            (size.values, size.objects, size.depth)
        };
        assert_eq!(size("7"), (1, 0, 0));
        assert_eq!(size("[1,2,[3]]"), (5, 0, 2));
        assert_eq!(size(r#"{"a,[{": "\",{", "b\\": {}}"#), (4, 2, 2));
    }

    #[test]
    fn a_text_with_too_many_values_is_not_read() {
        let list = |what: &str, times: usize| format!("[{}]", vec![what; times].join(","));
        assert!(tree(list("1", MOST_VALUES - 2).as_bytes()).is_ok());
        let fault = tree(list("1", MOST_VALUES).as_bytes()).unwrap_err();
        assert_eq!(fault, "body has more than 200000 values of JSON");
        let fault = tree(list("{}", MOST_OBJECTS + 1).as_bytes()).unwrap_err();
        assert_eq!(fault, "body has more than 30000 objects of JSON");
        assert_eq!(tree(b"{").unwrap_err(), "body is no JSON (line 1, column 1)");
    }
}
