//! `download`, a part of `http`: content that is received whole and checked.

use data_encoding::HEXLOWER_PERMISSIVE;

use super::given_or;
use crate::config::reader::{Entry, Reader};
use crate::config::words::{rate, size};
use crate::model::{Download, Integrity};

pub(in crate::config) const KEYS: &[&str] = &["sha256", "min_size", "max_size", "integrity", "min_throughput"];

const MAX_SIZE: u64 = 1 << 30;
const MOST_SIZE: u64 = 1 << 40;

pub(super) fn read(reader: &mut Reader<'_>, entry: Entry<'_>) -> Option<Download> {
    let table = reader.table(entry, KEYS, "write `download: {integrity: gzip}`")?;
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
    Some(Download {
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
