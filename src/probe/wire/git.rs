//! What Git servers say in their pkt-lines: what they can do, which refs they have, what became of a push.
//!
//! After [gitprotocol-v2(5)](https://git-scm.com/docs/gitprotocol-v2) and, for version 0 and 1,
//! [gitprotocol-pack(5)](https://git-scm.com/docs/gitprotocol-pack).

mod oid;
#[cfg(test)]
mod tests;

pub use oid::{Hash, Oid};

/// What is not of the protocol, in plain words.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct Fault(String);

/// A line of the protocol as a fault shows it: its beginning, harmless.
fn shown(line: &[u8]) -> String {
    let beginning = line.get(..80).unwrap_or(line);
    format!("`{}{}`", beginning.escape_ascii(), if line.len() > 80 { "…" } else { "" })
}

/// The line without the end that is optional for text.
#[must_use]
pub fn text(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\n").unwrap_or(line)
}

/// What a server can do: names, most with a value behind `=`.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Capabilities(Vec<(String, String)>);

/// A server that has more has lost its way.
const MOST_CAPABILITIES: usize = 512;

impl Capabilities {
    /// As version 0 has them: behind the first ref, by spaces.
    fn of_version_0(words: &[u8]) -> Self {
        let words = String::from_utf8_lossy(words);
        let mut found = Self::default();
        words.split(' ').filter(|word| !word.is_empty()).for_each(|word| found.add(word));
        found
    }

    fn add(&mut self, word: &str) {
        let (name, value) = word.split_once('=').unwrap_or((word, ""));
        if self.0.len() < MOST_CAPABILITIES {
            self.0.push((name.to_owned(), value.to_owned()));
        }
    }

    /// Whether it can do this.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known == name)
    }

    /// The value of the first of this name.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Whether the value of this name has this word, as `fetch=shallow filter` has `filter`.
    #[must_use]
    pub fn offers(&self, name: &str, word: &str) -> bool {
        self.value(name).is_some_and(|value| value.split(' ').any(|known| known == word))
    }

    /// How the repository names objects.
    ///
    /// # Errors
    /// When it is a way that nobody knows yet.
    pub fn hash(&self) -> Result<Hash, Fault> {
        match self.value("object-format") {
            None | Some("sha1") => Ok(Hash::Sha1),
            Some("sha256") => Ok(Hash::Sha256),
            Some(other) => {
                Err(Fault(format!("objects are named by {}, which is not known", shown(other.as_bytes()))))
            }
        }
    }

    /// Where HEAD points to, as version 0 tells it.
    #[must_use]
    pub fn head(&self) -> Option<&str> {
        let symrefs = self.0.iter().filter(|(name, _)| name == "symref");
        symrefs.filter_map(|(_, value)| value.strip_prefix("HEAD:")).next()
    }
}

/// A ref of a repository.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ref {
    /// `HEAD`, `refs/heads/main`.
    pub name: String,
    /// What it points to; nothing where it is a branch that has no commit yet.
    pub oid: Option<Oid>,
    /// The ref that it stands for, as `HEAD` stands for a branch.
    pub target: Option<String>,
}

/// The longest name of a ref that is taken, in bytes. Names are paths to servers, which rarely may have more than 4,096.
const LONGEST_REF_NAME: usize = 8 * 1024;

fn name(bytes: &[u8]) -> Option<String> {
    let sound = !bytes.is_empty() && bytes.len() <= LONGEST_REF_NAME && !bytes.iter().any(|byte| *byte <= b' ');
    // git itself takes names of any encoding; they are shown and compared as text here.
    sound.then(|| String::from_utf8_lossy(bytes).into_owned())
}

/// What an advertisement is made of, line by line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Line {
    /// The version that is spoken from here on.
    Version(u8),
    /// `# service=git-upload-pack`, which smart HTTP puts before all.
    Service,
    /// A capability of version 2 has been added.
    Capability,
    /// A ref, of version 0 and 1.
    Ref(Ref),
    /// There are no refs, or it is a line that says nothing of them.
    Nothing,
    /// The server's own words on why it will not.
    Refused(String),
}

/// What a server says first.
#[derive(Default, Debug)]
pub struct Advertisement {
    /// 2, or 0 as long as nothing else was said. 1 is as 0 in all that follows.
    pub version: u8,
    /// What it can do.
    pub capabilities: Capabilities,
    begun: bool,
}

impl Advertisement {
    /// Takes the next line.
    ///
    /// # Errors
    /// When it is no line of an advertisement.
    pub fn take(&mut self, line: &[u8]) -> Result<Line, Fault> {
        let line = text(line);
        if let Some(words) = refusal(line) {
            return Ok(Line::Refused(words));
        }
        if line.starts_with(b"# service=") {
            return Ok(Line::Service);
        }
        if !self.begun
            && let Some(version) = line.strip_prefix(b"version ")
        {
            self.version = match version {
                b"1" => 1,
                b"2" => 2,
                _ => return Err(Fault(format!("{} is no version that is known", shown(version)))),
            };
            // Version 1 goes on as version 0, whose first ref is still to come.
            self.begun = self.version == 2;
            return Ok(Line::Version(self.version));
        }
        if self.version == 2 {
            self.capabilities.add(&String::from_utf8_lossy(line));
            return Ok(Line::Capability);
        }
        let first = !std::mem::replace(&mut self.begun, true);
        self.ref_of_version_0(line, first)
    }

    fn ref_of_version_0(&mut self, line: &[u8], first: bool) -> Result<Line, Fault> {
        let no_ref = || Fault(format!("{} is no ref", shown(line)));
        let (line, words) = match line.iter().position(|byte| *byte == 0).filter(|_| first) {
            Some(end) => (line.get(..end).unwrap_or_default(), line.get(end + 1..).unwrap_or_default()),
            None => (line, &b""[..]),
        };
        if first {
            self.capabilities = Capabilities::of_version_0(words);
        }
        if line.starts_with(b"shallow ") {
            return Ok(Line::Nothing);
        }
        let space = line.iter().position(|byte| *byte == b' ').ok_or_else(no_ref)?;
        let (oid, rest) = line.split_at_checked(space).ok_or_else(no_ref)?;
        let oid = Oid::parse(oid).ok_or_else(no_ref)?;
        let name = name(rest.get(1..).unwrap_or_default()).ok_or_else(no_ref)?;
        // An empty repository has a line for its capabilities only; `^{}` is what the tag before points to.
        if name == "capabilities^{}" || name.ends_with("^{}") {
            return Ok(Line::Nothing);
        }
        let target = if name == "HEAD" { self.capabilities.head().map(str::to_owned) } else { None };
        Ok(Line::Ref(Ref { name, oid: Some(oid), target }))
    }
}

/// The words of a line in which a server says why it will not go on.
#[must_use]
pub fn refusal(line: &[u8]) -> Option<String> {
    line.strip_prefix(b"ERR ").map(|words| String::from_utf8_lossy(text(words)).into_owned())
}

/// Reads a line of the answer to `ls-refs` of version 2: `OID NAME [symref-target:NAME] [peeled:OID]`.
///
/// # Errors
/// When it is none.
pub fn listed(line: &[u8]) -> Result<Ref, Fault> {
    let no_ref = || Fault(format!("{} is no ref", shown(line)));
    let mut words = text(line).split(|byte| *byte == b' ');
    let oid = match words.next() {
        Some(b"unborn") => None,
        Some(word) => Some(Oid::parse(word).ok_or_else(no_ref)?),
        None => return Err(no_ref()),
    };
    let name = words.next().and_then(name).ok_or_else(no_ref)?;
    let target = words.find_map(|word| word.strip_prefix(b"symref-target:")).and_then(self::name);
    Ok(Ref { name, oid, target })
}

/// What a server says of a push, line by line (`report-status`).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Report {
    /// The pack was taken.
    Unpacked,
    /// The pack was not taken, and why.
    NotUnpacked(String),
    /// This ref was changed.
    Done(String),
    /// This ref was not changed, and why.
    Refused(String, String),
    /// A line that belongs to one of those before.
    More,
}

/// Reads a line of a report.
///
/// # Errors
/// When it is none.
pub fn report(line: &[u8]) -> Result<Report, Fault> {
    let line = text(line);
    let words = String::from_utf8_lossy(line);
    Ok(match words.split_once(' ') {
        Some(("unpack", "ok")) => Report::Unpacked,
        Some(("unpack", why)) => Report::NotUnpacked(why.into()),
        Some(("ok", name)) => Report::Done(name.into()),
        Some(("ng", rest)) => {
            let (name, why) = rest.split_once(' ').unwrap_or((rest, "no reason was given"));
            Report::Refused(name.into(), why.into())
        }
        Some(("option", _)) => Report::More,
        _ => return Err(Fault(format!("{} is no line of a report", shown(line)))),
    })
}
