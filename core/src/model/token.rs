//! Tokens: secrets in our own URLs, by which those who call us are known.

use secrecy::{ExposeSecret, SecretString};

/// The shortest token, in characters: 16 of 64 possible ones are 96 bits.
pub const SHORTEST_TOKEN: usize = 16;
/// The longest token, in characters.
pub const LONGEST_TOKEN: usize = 128;

/// A secret part of a URL of ours, `/ping/TOKEN` say: letters, digits, `-` and `_`. `Debug` does not print it.
#[derive(Clone, Debug)]
pub struct Token(SecretString);

impl Token {
    /// The token that this text is; `None` if it is too short, too long, or has other characters.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        (plain && (SHORTEST_TOKEN..=LONGEST_TOKEN).contains(&text.len())).then(|| Self(text.into()))
    }

    /// The token itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}
