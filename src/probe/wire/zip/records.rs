//! The records of an archive (APPNOTE, 4.3): what they begin with, how long they are, and what they say.

use flate2::Crc;

use super::fields::{Wide, u16_at, u32_at, u64_at};

/// Each record but the content begins with one of these.
pub(super) const LOCAL: u32 = 0x0403_4b50;
pub(super) const CENTRAL: u32 = 0x0201_4b50;
pub(super) const END: u32 = 0x0605_4b50;
const END64: u32 = 0x0606_4b50;
const LOCATOR64: u32 = 0x0706_4b50;
const DESCRIPTOR: u32 = 0x0807_4b50;
/// A ZIP64 end record that is longer than this has more than there is to say.
const LONGEST_END_RECORD: u64 = 64 * 1024;
/// The longest form of a data descriptor, in bytes.
pub(super) const LONGEST_DESCRIPTOR: usize = 24;

/// How long a record is.
pub(super) enum Length {
    /// At least so many bytes; exactly, once as many have come.
    Bytes(usize),
    /// It is an end record that says nonsense.
    Unsound,
    /// It is no record.
    Unknown,
}

/// How long the record is, as far as what has come of it tells.
pub(super) fn length(header: &[u8]) -> Length {
    let with = |fixed: usize, names: &[usize]| {
        if header.len() < fixed {
            return fixed;
        }
        fixed + names.iter().map(|at| usize::from(u16_at(header, *at))).sum::<usize>()
    };
    Length::Bytes(match u32_at(header, 0) {
        _ if header.len() < 4 => 4,
        LOCAL => with(30, &[26, 28]),
        CENTRAL => with(46, &[28, 30, 32]),
        END => 22,
        LOCATOR64 => 20,
        END64 if header.len() < 12 => 12,
        END64 if u64_at(header, 4) <= LONGEST_END_RECORD => {
            12 + usize::try_from(u64_at(header, 4)).unwrap_or_default()
        }
        END64 => return Length::Unsound,
        _ => return Length::Unknown,
    })
}

/// The entry at hand.
#[derive(Default)]
pub(super) struct Entry {
    pub(super) offset: u64,
    flags: u16,
    pub(super) method: u16,
    pub(super) crc: u32,
    pub(super) compressed: u64,
    pub(super) size: u64,
    /// Of the content that came.
    pub(super) seen: Crc,
}

impl Entry {
    /// An entry's own header, at this place.
    pub(super) fn local(header: &[u8], offset: u64) -> Self {
        let mut entry = Self {
            offset,
            flags: u16_at(header, 6),
            method: u16_at(header, 8),
            crc: u32_at(header, 14),
            compressed: u32_at(header, 18).into(),
            size: u32_at(header, 22).into(),
            ..Self::default()
        };
        let extra = header.get(30 + usize::from(u16_at(header, 26))..).unwrap_or_default();
        let mut wide = Wide::of(extra);
        // Here the size comes before the compressed one.
        wide.replace(&mut entry.size);
        wide.replace(&mut entry.compressed);
        entry
    }

    /// An entry as the directory lists it.
    pub(super) fn central(header: &[u8]) -> Self {
        let mut entry = Self {
            offset: u32_at(header, 42).into(),
            crc: u32_at(header, 16),
            compressed: u32_at(header, 20).into(),
            size: u32_at(header, 24).into(),
            ..Self::default()
        };
        let extra = header.get(46 + usize::from(u16_at(header, 28))..).unwrap_or_default();
        let mut wide = Wide::of(extra.get(..usize::from(u16_at(header, 30))).unwrap_or_default());
        wide.replace(&mut entry.size);
        wide.replace(&mut entry.compressed);
        wide.replace(&mut entry.offset);
        entry
    }

    pub(super) fn is_encrypted(&self) -> bool {
        self.flags & 1 != 0
    }

    /// Whether its lengths and CRC-32 follow its content.
    pub(super) fn has_descriptor(&self) -> bool {
        self.flags & 8 != 0
    }

    /// How long the descriptor is that these bytes begin with and that says the same as this entry, if one does: with a
    /// signature or without, and with lengths of four or eight bytes.
    pub(super) fn descriptor(&self, header: &[u8]) -> Option<usize> {
        let narrow = |at: usize| {
            u32_at(header, at) == self.crc
                && u64::from(u32_at(header, at + 4)) == self.compressed & u64::from(u32::MAX)
                && u64::from(u32_at(header, at + 8)) == self.size & u64::from(u32::MAX)
        };
        let wide = |at: usize| {
            u32_at(header, at) == self.crc
                && u64_at(header, at + 4) == self.compressed
                && u64_at(header, at + 12) == self.size
        };
        // A header follows: of several readings, the one before it is meant.
        let followed = |length: usize| length == LONGEST_DESCRIPTOR || u16_at(header, length) == 0x4b50;
        let signed = u32_at(header, 0) == DESCRIPTOR;
        let readings = [(signed && wide(4), 24), (signed && narrow(4), 16), (wide(0), 20), (narrow(0), 12)];
        readings.into_iter().find(|(sound, length)| *sound && followed(*length)).map(|(_, length)| length)
    }
}
