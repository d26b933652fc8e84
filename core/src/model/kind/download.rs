//! What is asked of content that is received whole, however large.

/// How a download is judged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Download {
    /// What its bytes hash to by SHA-256 (FIPS 180-4).
    pub sha256: Option<[u8; 32]>,
    /// It has at least so many bytes.
    pub min_size: u64,
    /// It has at most so many bytes; more are not read.
    pub max_size: u64,
    /// What it must be a sound file of.
    pub integrity: Option<Integrity>,
    /// So many bytes a second arrive at least, from the first byte to the last.
    pub min_throughput: Option<u64>,
}

/// A format that shows by itself whether its content is whole.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Integrity {
    /// RFC 1952: one member or several, each with a CRC-32 and its length.
    Gzip,
    /// PKWARE's APPNOTE: each entry with a CRC-32, and the directory at the end.
    Zip,
}
