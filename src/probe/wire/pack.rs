//! Packs, as Git sends objects: checked as they stream by, and never kept.
//!
//! After [gitformat-pack(5)](https://git-scm.com/docs/gitformat-pack), version 2 and 3. Every object is inflated and held
//! to the size that it declares, and the whole to the checksum at its end. Objects that stand for themselves and are
//! commits or tags are hashed, so that it is known whether the one that was asked for came. Deltas are inflated, not
//! applied: nothing here grows with what a delta would make.

#[cfg(test)]
mod tests;

use aws_lc_rs::digest;
use flate2::{Decompress, FlushDecompress, Status};

use super::git::{Hash, Oid};

/// The largest object that is inflated, in bytes.
pub const LARGEST_OBJECT: u64 = 256 * 1024 * 1024;
/// The most that all objects of a pack may have, in bytes.
pub const MOST_INFLATED: u64 = 1024 * 1024 * 1024;

/// `PACK`, the version and the number of objects.
const HEADER_LENGTH: usize = 12;
/// How much is inflated at a time, in bytes.
const INFLATED_AT_ONCE: usize = 16 * 1024;

/// Why a pack is not sound, in plain words.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct Fault(String);

fn fault<T>(what: impl Into<String>) -> Result<T, Fault> {
    Err(Fault(what.into()))
}

/// What a sound pack has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Summary {
    /// How many objects.
    pub objects: u32,
    /// How many of them are deltas.
    pub deltas: u32,
    /// How many bytes the pack has, its checksum included.
    pub bytes: u64,
    /// Whether the commit or tag that was asked for is among them.
    pub found: bool,
}

/// A check of one pack.
pub struct Check {
    hash: Hash,
    wanted: Oid,
    state: State,
    /// The header or checksum that is coming in.
    head: Vec<u8>,
    whole: digest::Context,
    left: u32,
    object: Object,
    inflate: Decompress,
    out: Box<[u8]>,
    inflated: u64,
    summary: Summary,
}

/// What comes next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Header,
    /// The type and size of an object.
    Entry,
    /// What a delta is based on: an offset of so many bytes at most, or an object's name.
    Offset,
    Base,
    Content,
    Trailer,
    Done,
}

/// The object at hand.
struct Object {
    kind: u8,
    size: u64,
    shift: u32,
    seen: u64,
    name: Option<digest::Context>,
}

impl Check {
    /// A check of a pack of which nothing has come yet, in which this commit or tag should be.
    #[must_use]
    pub fn new(wanted: Oid) -> Self {
        let hash = wanted.hash();
        Self {
            hash,
            wanted,
            state: State::Header,
            head: Vec::new(),
            whole: digest::Context::new(hash.algorithm()),
            left: 0,
            object: Object { kind: 0, size: 0, shift: 0, seen: 0, name: None },
            inflate: Decompress::new(true),
            out: vec![0; INFLATED_AT_ONCE].into(),
            inflated: 0,
            summary: Summary { objects: 0, deltas: 0, bytes: 0, found: false },
        }
    }

    /// How many bytes have come.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.summary.bytes
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// As soon as the pack is known not to be sound.
    pub fn feed(&mut self, mut bytes: &[u8]) -> Result<(), Fault> {
        while !bytes.is_empty() {
            let taken = self.step(bytes)?;
            let (now, rest) = bytes.split_at_checked(taken).unwrap_or((bytes, &[]));
            self.summary.bytes += now.len() as u64;
            bytes = rest;
        }
        Ok(())
    }

    /// Nothing more comes.
    ///
    /// # Errors
    /// When the end is missing.
    pub fn finish(self) -> Result<Summary, Fault> {
        match self.state {
            State::Done => Ok(self.summary),
            _ => fault(format!(
                "the pack ends early: after {} bytes, with {} of {} objects to come",
                self.summary.bytes, self.left, self.summary.objects
            )),
        }
    }

    /// Takes some of the bytes, of which there is at least one, and tells how many.
    fn step(&mut self, bytes: &[u8]) -> Result<usize, Fault> {
        let taken = match self.state {
            State::Header => self.gather(bytes, HEADER_LENGTH, Self::header)?,
            State::Entry => self.entry(bytes)?,
            State::Offset => self.offset(bytes)?,
            State::Base => {
                let (length, begin): (_, fn(&mut Self) -> _) = (self.hash.bytes(), |check| {
                    check.begin_content();
                    Ok(())
                });
                self.gather(bytes, length, begin)?
            }
            State::Content => self.content(bytes)?,
            State::Trailer => return self.gather(bytes, self.hash.bytes(), Self::trailer),
            State::Done => return fault("something follows the end of the pack"),
        };
        self.whole.update(bytes.get(..taken).unwrap_or_default());
        // The last of these bytes may have been those before the checksum, so it is entered once they are counted.
        if self.state == State::Entry && self.left == 0 {
            self.state = State::Trailer;
        }
        Ok(taken)
    }

    /// Gathers so many bytes in `head`, then goes on with them.
    fn gather(
        &mut self,
        bytes: &[u8],
        length: usize,
        then: fn(&mut Self) -> Result<(), Fault>,
    ) -> Result<usize, Fault> {
        let taken = bytes.len().min(length - self.head.len().min(length));
        self.head.extend_from_slice(bytes.get(..taken).unwrap_or_default());
        if self.head.len() == length {
            then(self)?;
            self.head.clear();
        }
        Ok(taken)
    }

    fn header(&mut self) -> Result<(), Fault> {
        let number =
            |at: usize| self.head.get(at..at + 4).and_then(|four| four.try_into().ok()).map(u32::from_be_bytes);
        if !self.head.starts_with(b"PACK") {
            let shown = self.head.get(..4).unwrap_or_default().escape_ascii().to_string();
            return fault(format!("`{shown}` where a pack should begin with `PACK`"));
        }
        match (number(4), number(8)) {
            (Some(2 | 3), Some(objects)) => {
                (self.summary.objects, self.left) = (objects, objects);
                self.state = State::Entry;
                self.begin_entry();
                Ok(())
            }
            (version, _) => fault(format!("a pack of version {}", version.unwrap_or_default())),
        }
    }

    fn begin_entry(&mut self) {
        self.object = Object { kind: 0, size: 0, shift: 0, seen: 0, name: None };
    }

    /// One byte of type and size: three bits of type and four of size in the first, seven of size in each that follows.
    fn entry(&mut self, bytes: &[u8]) -> Result<usize, Fault> {
        let Some(&byte) = bytes.first() else { return Ok(0) };
        let object = &mut self.object;
        let (bits, more) = if object.shift == 0 {
            object.kind = (byte >> 4) & 7;
            (byte & 0x0f, 4)
        } else {
            (byte & 0x7f, 7)
        };
        if object.shift > 56 {
            return fault("an object whose size has too many digits");
        }
        object.size |= u64::from(bits) << object.shift;
        object.shift += more;
        if byte & 0x80 == 0 {
            self.sized()?;
        }
        Ok(1)
    }

    fn sized(&mut self) -> Result<(), Fault> {
        let size = self.object.size;
        if size > LARGEST_OBJECT {
            return fault(format!("an object of {size} bytes is announced; up to {LARGEST_OBJECT} are inflated"));
        }
        self.inflated += size;
        if self.inflated > MOST_INFLATED {
            return fault(format!("more than {MOST_INFLATED} bytes of objects are announced"));
        }
        match self.object.kind {
            1..=4 => self.begin_content(),
            6 => self.state = State::Offset,
            7 => self.state = State::Base,
            kind => return fault(format!("an object of the type {kind}, which does not exist")),
        }
        Ok(())
    }

    /// The bytes of an offset have their highest bit set, but for the last.
    fn offset(&mut self, bytes: &[u8]) -> Result<usize, Fault> {
        let Some(&byte) = bytes.first() else { return Ok(0) };
        self.head.push(byte);
        if byte & 0x80 == 0 {
            self.head.clear();
            self.begin_content();
        } else if self.head.len() > 9 {
            return fault("a delta whose offset has too many digits");
        }
        Ok(1)
    }

    fn begin_content(&mut self) {
        self.state = State::Content;
        self.inflate.reset(true);
        let name = match self.object.kind {
            1 => "commit",
            4 => "tag",
            kind => {
                self.summary.deltas += u32::from(kind > 4);
                return;
            }
        };
        let mut context = digest::Context::new(self.hash.algorithm());
        context.update(format!("{name} {}\0", self.object.size).as_bytes());
        self.object.name = Some(context);
    }

    fn content(&mut self, bytes: &[u8]) -> Result<usize, Fault> {
        let (read, written) = (self.inflate.total_in(), self.inflate.total_out());
        let status = self.inflate.decompress(bytes, &mut self.out, FlushDecompress::None);
        let status = status.map_err(|error| Fault(format!("an object cannot be inflated: {error}")))?;
        let taken = usize::try_from(self.inflate.total_in() - read).unwrap_or(bytes.len());
        let count = usize::try_from(self.inflate.total_out() - written).unwrap_or_default();
        self.object.seen += count as u64;
        let (seen, size) = (self.object.seen, self.object.size);
        if seen > size || (status == Status::StreamEnd && seen < size) {
            let seen = if seen > size { "more".to_owned() } else { seen.to_string() };
            return fault(format!("an object of {size} bytes is announced, and {seen} came"));
        }
        if let Some(name) = &mut self.object.name {
            name.update(self.out.get(..count).unwrap_or_default());
        }
        if status == Status::StreamEnd {
            let found = self.object.name.take().map(digest::Context::finish);
            self.summary.found |= found.is_some_and(|found| self.wanted.is(found.as_ref()));
            self.left = self.left.saturating_sub(1);
            self.state = State::Entry;
            self.begin_entry();
        } else if taken == 0 && count == 0 {
            return fault("an object cannot be inflated: it is stuck");
        }
        Ok(taken)
    }

    fn trailer(&mut self) -> Result<(), Fault> {
        let fresh = digest::Context::new(self.hash.algorithm());
        let sum = std::mem::replace(&mut self.whole, fresh).finish();
        if sum.as_ref() != self.head {
            return fault(format!(
                "the checksum at its end is {}, and that of what came is {}",
                Oid::show(&self.head),
                Oid::show(sum.as_ref())
            ));
        }
        self.state = State::Done;
        Ok(())
    }
}

/// An empty pack, as a push of objects that the server has sends it.
#[must_use]
pub fn empty(hash: Hash) -> Vec<u8> {
    let mut pack = b"PACK\0\0\0\x02\0\0\0\0".to_vec();
    let sum = digest::digest(hash.algorithm(), &pack);
    pack.extend_from_slice(sum.as_ref());
    pack
}
