//! Values of probes.yaml that may be written in several ways, for editors.

use schemars::JsonSchema;

/// A text, or a number taken as a text.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub enum Word {
    /// A text.
    Text(String),
    /// A number, as it was written.
    Number(f64),
}

/// A list of at least one value.
#[derive(JsonSchema)]
#[schemars(transparent)]
pub struct Words(#[schemars(length(min = 1))] pub Vec<Word>);

/// One text, or a list of texts.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub enum WordOrWords {
    /// One.
    One(Word),
    /// Several.
    Several(Words),
}
