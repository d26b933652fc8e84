//! `download`, a part of `http`: content that is received whole and checked.

use data_encoding::HEXLOWER_PERMISSIVE;

use super::given_or;
use crate::config::raw::keyed::keyed;
use crate::config::raw::word::Word;
use crate::config::reader::{Entry, Reader};
use crate::config::words::{rate, size};
use crate::model::{self, Integrity};

keyed! {
    /// Content that is received whole and checked as it comes, however large.
    pub struct Download {
        /// Its SHA-256 hash, in 64 hexadecimal digits. Default: not compared.
        pub sha256: Option<Word>,
        /// It has at least so many bytes: a number, or one with KiB, MiB, GiB or TiB. Default: 1.
        pub min_size: Option<Word>,
        /// It has at most so many bytes, up to 1TiB; more are not read. Default: 1GiB.
        pub max_size: Option<Word>,
        /// `gzip` or `zip`: it is a sound file of that format. Default: not looked at.
        pub integrity: Option<String>,
        /// So much arrives in a second at least, from the first byte to the last: `1MiB/s`. Default: any.
        pub min_throughput: Option<Word>,
    }
}

const MAX_SIZE: u64 = 1 << 30;
const MOST_SIZE: u64 = 1 << 40;

pub(super) fn read(reader: &mut Reader<'_>, entry: Entry<'_>) -> Option<model::Download> {
    let table = reader.table(entry, Download::KEYS, "write `download: {integrity: gzip}`")?;
    let sha256 = table.get("sha256").map(|entry| sha256(reader, entry).map(Some));
    let min_size = table.get("min_size").map(|entry| size(reader, entry, MOST_SIZE));
    let max_size = table.get("max_size").map(|entry| size(reader, entry, MOST_SIZE));
    let formats = [("gzip", Integrity::Gzip), ("zip", Integrity::Zip)];
    let integrity = table.get("integrity").map(|entry| reader.choice(entry, &formats).map(Some));
    let throughput = table.get("min_throughput").map(|entry| rate(reader, entry, MOST_SIZE).map(Some));
    let (min_size, max_size) = (given_or(min_size, 1)?, given_or(max_size, MAX_SIZE)?);
    if min_size > max_size {
        let at = table.get("min_size").or_else(|| table.get("max_size")).map_or(entry.at, |entry| entry.at);
        reader.fault(at, "`min_size` is more than `max_size`", "swap them, or raise `max_size` (1GiB unless given)");
        return None;
    }
    Some(model::Download {
        sha256: given_or(sha256, None)?,
        min_size,
        max_size,
        integrity: given_or(integrity, None)?,
        min_throughput: given_or(throughput, None)?,
    })
}

/// A SHA-256 hash, in hexadecimal digits.
pub(super) fn sha256(reader: &mut Reader<'_>, entry: Entry<'_>) -> Option<[u8; 32]> {
    let text = reader.word(entry)?;
    let digits = text.value.trim();
    let hash = HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok());
    if hash.is_none() {
        let fault = format!("`{}` is no SHA-256 hash", text.show());
        reader.fault(
            text.place,
            fault,
            "it has 64 hexadecimal digits, as sha256sum(1) prints them; put it in quotes",
        );
    }
    hash
}
