//! ZIP archives, checked as they stream by: nothing is kept but the header at hand.
//!
//! After PKWARE's [APPNOTE.TXT](https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT) 6.3. Each entry's content
//! is inflated and held to its CRC-32 and lengths, and the directory at the end to the entries that came: as many, each
//! with the same place, lengths and CRC-32. What cannot be checked in one pass is said to be so ([`Fault::Unsupported`]):
//! an entry that is encrypted or compressed by another method than deflate and does not say how long it is.

mod fields;
mod records;
#[cfg(test)]
mod tests;

use flate2::{Decompress, FlushDecompress, Status};

use fields::{u16_at, u32_at};
use records::{CENTRAL, END, Entry, LOCAL, LONGEST_DESCRIPTOR, Length, length};

/// How much is inflated at a time, in bytes.
const INFLATED_AT_ONCE: usize = 32 * 1024;

/// Why an archive is not known to be sound.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fault {
    /// It is damaged: what is wrong, in plain words.
    Damaged(String),
    /// Nobody can tell in one pass: why.
    Unsupported(String),
}

fn damaged<T>(what: impl Into<String>) -> Result<T, Fault> {
    Err(Fault::Damaged(what.into()))
}

/// A check of one archive.
pub struct Check {
    state: State,
    /// The header that is coming in.
    header: Vec<u8>,
    /// How many bytes have come.
    offset: u64,
    entry: Entry,
    inflate: Decompress,
    out: Box<[u8]>,
    local: Listing,
    central: Listing,
}

/// What comes next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// A header, which says itself what it is of.
    Header,
    /// So many bytes of content that is kept as it is.
    Stored(u64),
    /// So many bytes of content that nobody here can unpack.
    Opaque(u64),
    Deflated,
    Descriptor,
    Comment(u64),
    Done,
}

/// Entries as they were told of: how many, and a sum over all that does not depend on their order.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Listing {
    count: u64,
    sum: u128,
}

impl Listing {
    fn add(&mut self, entry: &Entry) {
        // Two rounds of a multiply and fold each, so that swapped fields do not cancel out.
        let mut mixed: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;
        for part in [entry.offset, u64::from(entry.crc), entry.compressed, entry.size] {
            mixed = (mixed ^ u128::from(part)).wrapping_mul(0xda94_2042_e4dd_58b5_9e37_79b9_7f4a_7c15);
            mixed ^= mixed >> 61;
        }
        self.count += 1;
        self.sum = self.sum.wrapping_add(mixed);
    }
}

impl Default for Check {
    fn default() -> Self {
        Self::new()
    }
}

impl Check {
    /// A check of an archive of which nothing has come yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            state: State::Header,
            header: Vec::new(),
            offset: 0,
            entry: Entry::default(),
            inflate: Decompress::new(false),
            out: vec![0; INFLATED_AT_ONCE].into(),
            local: Listing::default(),
            central: Listing::default(),
        }
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// As soon as the archive is known to be damaged, or not to be checkable.
    pub fn feed(&mut self, mut bytes: &[u8]) -> Result<(), Fault> {
        while !bytes.is_empty() {
            let taken = self.step(bytes)?;
            self.offset += taken as u64;
            bytes = bytes.get(taken..).unwrap_or_default();
        }
        Ok(())
    }

    /// Nothing more comes: tells how many entries there were.
    ///
    /// # Errors
    /// When the end is missing, or the directory does not list what came.
    pub fn finish(self) -> Result<u64, Fault> {
        match self.state {
            State::Done | State::Comment(0) => {}
            State::Header if self.offset == 0 => return damaged("it is empty"),
            _ => return damaged(format!("the archive ends early, after {} bytes", self.offset)),
        }
        if self.local != self.central {
            return damaged(format!(
                "the directory lists {} entries that are not the {} that came",
                self.central.count, self.local.count
            ));
        }
        Ok(self.local.count)
    }

    /// Takes some of the bytes, of which there is at least one, and tells how many.
    fn step(&mut self, bytes: &[u8]) -> Result<usize, Fault> {
        let left = match self.state {
            State::Header => return self.header(bytes),
            State::Descriptor => return self.descriptor(bytes),
            State::Deflated => return self.inflate(bytes),
            State::Done => return damaged("something follows its end"),
            State::Stored(left) | State::Opaque(left) | State::Comment(left) => left,
        };
        let taken = bytes.get(..usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len())).unwrap_or_default();
        let left = left - taken.len() as u64;
        let next = match self.state {
            State::Stored(_) => {
                self.entry.seen.update(taken);
                State::Stored(left)
            }
            State::Opaque(_) => State::Opaque(left),
            _ => State::Comment(left),
        };
        self.go_on(next)?;
        Ok(taken.len())
    }

    /// Content that has come whole is judged at once: nothing more may come.
    fn go_on(&mut self, next: State) -> Result<(), Fault> {
        self.state = match next {
            State::Stored(0) if self.entry.seen.sum() != self.entry.crc => return self.mismatch(),
            State::Stored(0) | State::Opaque(0) => {
                self.list_local();
                State::Header
            }
            State::Comment(0) => State::Done,
            other => other,
        };
        Ok(())
    }

    fn mismatch<T>(&self) -> Result<T, Fault> {
        damaged(format!("the content of entry {} does not match its CRC-32 or length", self.local.count + 1))
    }

    fn list_local(&mut self) {
        self.local.add(&self.entry);
    }

    fn inflate(&mut self, bytes: &[u8]) -> Result<usize, Fault> {
        let (before_in, before_out) = (self.inflate.total_in(), self.inflate.total_out());
        let status = self.inflate.decompress(bytes, &mut self.out, FlushDecompress::None);
        let taken = usize::try_from(self.inflate.total_in() - before_in).unwrap_or(bytes.len());
        let made = usize::try_from(self.inflate.total_out() - before_out).unwrap_or_default();
        self.entry.seen.update(self.out.get(..made).unwrap_or_default());
        match status {
            Ok(Status::StreamEnd) if self.entry.has_descriptor() => {
                self.state = State::Descriptor;
                Ok(taken)
            }
            Ok(Status::StreamEnd) => {
                let entry = &self.entry;
                let sound = entry.seen.sum() == entry.crc
                    && self.inflate.total_out() == entry.size
                    && self.inflate.total_in() == entry.compressed;
                if !sound {
                    return self.mismatch();
                }
                self.list_local();
                self.state = State::Header;
                Ok(taken)
            }
            Ok(_) if taken == 0 && made == 0 => damaged("a compressed entry does not go on"),
            Ok(_) => Ok(taken),
            Err(_) => damaged(format!("entry {} cannot be inflated", self.local.count + 1)),
        }
    }

    /// Gathers a header, and reads it when it is whole.
    fn header(&mut self, bytes: &[u8]) -> Result<usize, Fault> {
        let mut taken = 0;
        loop {
            let wanted = self.header_length()?;
            if self.header.len() >= wanted {
                break;
            }
            if taken == bytes.len() {
                return Ok(taken);
            }
            let rest = bytes.get(taken..).unwrap_or_default();
            let more = rest.len().min(wanted - self.header.len());
            self.header.extend_from_slice(rest.get(..more).unwrap_or_default());
            taken += more;
        }
        let header = std::mem::take(&mut self.header);
        match u32_at(&header, 0) {
            LOCAL if self.central.count > 0 => return damaged("an entry follows the directory"),
            LOCAL => {
                let next = self.local(&header, self.offset + taken as u64 - header.len() as u64)?;
                self.go_on(next)?;
            }
            CENTRAL => self.central(&header)?,
            END => {
                let listed = u64::from(u16_at(&header, 10));
                if listed != u64::from(u16::MAX) && listed != self.central.count {
                    return damaged(format!("its end tells of {listed} entries, not of {}", self.central.count));
                }
                self.go_on(State::Comment(u16_at(&header, 20).into()))?;
            }
            // What these two say, the entries and the directory have shown.
            _ => {}
        }
        Ok(taken)
    }

    /// How long the header is, as far as what has come of it tells.
    fn header_length(&self) -> Result<usize, Fault> {
        match length(&self.header) {
            Length::Bytes(length) => Ok(length),
            Length::Unsound => damaged("its end record has no sound length"),
            Length::Unknown if self.local == Listing::default() => damaged("it is no ZIP archive"),
            Length::Unknown => damaged(format!("after entry {} comes no header", self.local.count)),
        }
    }

    /// An entry's header, at this place: what follows it.
    fn local(&mut self, header: &[u8], offset: u64) -> Result<State, Fault> {
        let entry = Entry::local(header, offset);
        let encrypted = entry.is_encrypted();
        let number = self.local.count + 1;
        let state = match entry.method {
            8 if !encrypted => {
                self.inflate.reset(false);
                State::Deflated
            }
            _ if entry.has_descriptor() => {
                let how = if encrypted { "is encrypted".into() } else { format!("has method {}", entry.method) };
                let why = format!("entry {number} {how} and does not say how long it is");
                return Err(Fault::Unsupported(why));
            }
            0 if !encrypted => {
                if entry.size != entry.compressed {
                    return damaged(format!("entry {number} is stored as it is, and has two lengths"));
                }
                State::Stored(entry.compressed)
            }
            _ => State::Opaque(entry.compressed),
        };
        self.entry = entry;
        Ok(state)
    }

    fn central(&mut self, header: &[u8]) -> Result<(), Fault> {
        self.central.add(&Entry::central(header));
        if self.central.count > self.local.count {
            return damaged(format!("its directory lists more than the {} entries that came", self.local.count));
        }
        Ok(())
    }

    /// What follows an entry that did not know its length beforehand: with a signature or without, and with lengths of
    /// four or eight bytes. More than the longest form has always follows it, so that it can be waited for.
    fn descriptor(&mut self, bytes: &[u8]) -> Result<usize, Fault> {
        let taken = bytes.len().min(LONGEST_DESCRIPTOR - self.header.len());
        self.header.extend_from_slice(bytes.get(..taken).unwrap_or_default());
        if self.header.len() < LONGEST_DESCRIPTOR {
            return Ok(taken);
        }
        let mut header = std::mem::take(&mut self.header);
        let entry = &mut self.entry;
        (entry.crc, entry.compressed, entry.size) =
            (entry.seen.sum(), self.inflate.total_in(), self.inflate.total_out());
        let Some(length) = entry.descriptor(&header) else { return self.mismatch() };
        self.list_local();
        self.state = State::Header;
        // What has come beyond it is the beginning of the next header, all of which are longer.
        self.header = header.split_off(length);
        Ok(taken)
    }
}
