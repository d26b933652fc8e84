//! Phrases: texts with holes that are filled in while a check is made, with what it has captured.

/// A text with holes.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Phrase {
    /// Its pieces, in order.
    pub pieces: Vec<Piece>,
    /// Whether a part of it is a secret of the configuration.
    pub secret: bool,
}

/// A piece of a phrase.
#[derive(Clone, PartialEq, Eq)]
pub enum Piece {
    /// As it is.
    Plain(String),
    /// What goes by this name.
    Hole(String),
}

/// How a value is written where it stands: what stands before it, and the value.
pub type Encoding = fn(&str, &str) -> String;

impl Phrase {
    /// Whether it has holes.
    #[must_use]
    pub fn has_holes(&self) -> bool {
        self.pieces.iter().any(|piece| matches!(piece, Piece::Hole(_)))
    }

    /// What stands before the first hole.
    #[must_use]
    pub fn beginning(&self) -> String {
        let plain = self.pieces.iter().map_while(|piece| match piece {
            Piece::Plain(plain) => Some(plain.as_str()),
            Piece::Hole(_) => None,
        });
        plain.collect()
    }

    /// The text with its holes filled.
    ///
    /// # Errors
    /// The name of the first hole that has no value.
    pub fn fill(&self, mut value: impl FnMut(&str) -> Option<String>, encoding: Encoding) -> Result<String, &str> {
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Plain(plain) => text.push_str(plain),
                Piece::Hole(name) => {
                    let value = value(name).ok_or(name.as_str())?;
                    let written = encoding(&text, &value);
                    text.push_str(&written);
                }
            }
        }
        Ok(text)
    }
}

/// As it was written, secrets included.
impl std::fmt::Display for Phrase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.pieces.iter().try_for_each(|piece| match piece {
            Piece::Plain(plain) => f.write_str(plain),
            Piece::Hole(name) => write!(f, "{{{{{name}}}}}"),
        })
    }
}

/// Shows nothing of a phrase that is secret.
impl std::fmt::Debug for Phrase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.secret { f.write_str(super::secret::REDACTED) } else { write!(f, "\"{self}\"") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hole_is_filled_and_one_without_a_value_is_named() {
        let pieces = vec![Piece::Plain("/jobs/".into()), Piece::Hole("id".into()), Piece::Plain("?full".into())];
        let phrase = Phrase { pieces, secret: false };
        let plain: Encoding = |_, value| value.into();
        assert_eq!(phrase.fill(|name| (name == "id").then(|| "7".into()), plain), Ok("/jobs/7?full".into()));
        assert_eq!(phrase.fill(|_| None, plain), Err("id"));
        assert_eq!((phrase.beginning().as_str(), phrase.to_string().as_str()), ("/jobs/", "/jobs/{{id}}?full"));
    }
}
