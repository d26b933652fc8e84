//! Problems: a place in the file, what is wrong there, and what to do about it.

use std::collections::BTreeMap;
use std::fmt;

use crate::model::Secrets;

/// Where something stands in the file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Place {
    /// The line, from 1.
    pub(crate) line: usize,
    /// The column in characters, from 1.
    pub(crate) column: usize,
    /// How many characters it is long; at least 1.
    pub(crate) length: usize,
}

/// One thing that is wrong in a config.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Problem {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// How many characters are meant, at least 1.
    pub length: usize,
    /// What is wrong.
    pub fault: String,
    /// What to do: `did you mean `interval`?`.
    pub remedy: String,
}

impl Problem {
    pub(crate) fn new(place: Place, fault: impl Into<String>, remedy: impl Into<String>) -> Self {
        let Place { line, column, length } = place;
        Self { line, column, length, fault: fault.into(), remedy: remedy.into() }
    }
}

/// All that is wrong in a config, in the order of the file. Never empty, and never shows a secret.
///
/// `Display` gives each problem as a block, with an empty line between two of them:
///
/// ```text
/// probes.yaml:4:5: unknown key `intervall`
///   4 |     intervall: 30s
///     |     ^^^^^^^^^
///   help: did you mean `interval`?
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Problems {
    file: String,
    /// The lines that have problems, by number, as characters that can be shown.
    lines: BTreeMap<usize, Vec<char>>,
    problems: Vec<Problem>,
}

/// How wide a shown source line may be, in characters, so that one endless line does not fill the screen.
const WIDEST: usize = 160;

/// So many problems are shown; whoever has more has one mistake that makes them all.
const MOST_SHOWN: usize = 200;

impl Problems {
    pub(crate) fn new(file: &str, text: &str, mut problems: Vec<Problem>, secrets: &Secrets) -> Self {
        for problem in &mut problems {
            problem.fault = secrets.redact(&problem.fault).into_owned();
            problem.remedy = secrets.redact(&problem.remedy).into_owned();
        }
        problems.sort();
        // What stands behind an anchor is read once for each alias.
        problems.dedup();
        let source: Vec<&str> = text.lines().collect();
        let mut lines = BTreeMap::new();
        for problem in problems.iter().take(MOST_SHOWN) {
            lines.entry(problem.line).or_insert_with(|| {
                let line = source.get(problem.line.saturating_sub(1)).copied().unwrap_or_default();
                // Tabs and control characters would move the marker.
                secrets.redact(line).chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
            });
        }
        Self { file: file.into(), lines, problems }
    }

    /// The problems in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.problems.iter()
    }

    /// How many there are; at least one.
    #[must_use]
    pub fn count(&self) -> usize {
        self.problems.len()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().take(MOST_SHOWN).enumerate() {
            let source = self.lines.get(&problem.line).map(Vec::as_slice).unwrap_or_default();
            let Problem { line, column, length, fault, remedy } = problem;
            if index > 0 {
                writeln!(f)?;
            }
            writeln!(f, "{}:{line}:{column}: {fault}", self.file)?;
            let start = column.saturating_sub(1);
            let skipped = if start < WIDEST / 2 { 0 } else { start - WIDEST / 4 };
            let shown: String = source.iter().skip(skipped).take(WIDEST).collect();
            let room = source.len().saturating_sub(start).clamp(1, WIDEST / 2);
            let gutter = line.to_string().len() + 2;
            writeln!(f, "{line:>gutter$} | {}", shown.trim_end())?;
            let blank = start - skipped;
            writeln!(f, "{:gutter$} | {:blank$}{}", "", "", "^".repeat((*length).clamp(1, room)))?;
            writeln!(f, "  help: {remedy}")?;
        }
        match self.problems.len().saturating_sub(MOST_SHOWN) {
            0 => Ok(()),
            rest => writeln!(f, "\n{}: and {rest} problems more", self.file),
        }
    }
}

impl fmt::Debug for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.problems).finish()
    }
}

impl std::error::Error for Problems {}

/// `did you mean `interval`?` when one of the names is close to what was written, otherwise what there is.
pub fn nearest<'a>(written: &str, names: impl IntoIterator<Item = &'a str>, otherwise: &str) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    match closest(written, &names) {
        Some(name) => format!("did you mean `{name}`?"),
        None if names.is_empty() => format!("{otherwise}: there are none"),
        None => format!("{otherwise}: {}", show_some(&names)),
    }
}

/// The name that was probably meant, if one is close.
pub(crate) fn closest<'a>(written: &str, names: &[&'a str]) -> Option<&'a str> {
    // Nobody means one of our names with a whole paragraph.
    let lower: String = written.chars().take(100).collect::<String>().to_lowercase();
    let close = names
        .iter()
        .map(|name| (strsim::damerau_levenshtein(&lower, &name.to_lowercase()), *name))
        .filter(|(distance, name)| *distance <= (name.chars().count().max(lower.chars().count()) / 3).max(1))
        .min();
    close.map(|(_, name)| name)
}

/// At most twelve names, so that a remedy stays one readable line.
fn show_some(names: &[&str]) -> String {
    let shown: Vec<String> = names.iter().take(12).map(|name| format!("`{name}`")).collect();
    let more = if names.len() > shown.len() { ", …" } else { "" };
    format!("{}{more}", shown.join(", "))
}
