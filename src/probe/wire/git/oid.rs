//! Names of objects: hashes of what they hold.

use std::fmt;

use aws_lc_rs::digest;
use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};

/// How a repository names its objects.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hash {
    /// By SHA-1, as nearly all do.
    Sha1,
    /// By SHA-256.
    Sha256,
}

impl Hash {
    /// How many bytes a name has.
    #[must_use]
    pub fn bytes(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }

    pub(crate) fn algorithm(self) -> &'static digest::Algorithm {
        match self {
            // Names and checksums of Git are SHA-1; nothing here trusts them to be unforgeable.
            Self::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => &digest::SHA256,
        }
    }

    /// The word for it in requests.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
        }
    }

    /// The name of nothing: what a ref that does not exist points to.
    #[must_use]
    pub fn none(self) -> Oid {
        Oid { hash: self, bytes: [0; 32] }
    }
}

/// The name of an object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Oid {
    hash: Hash,
    bytes: [u8; 32],
}

impl Oid {
    /// Reads a name of 40 or 64 hexadecimal digits.
    #[must_use]
    pub fn parse(digits: &[u8]) -> Option<Self> {
        let hash = match digits.len() {
            40 => Hash::Sha1,
            64 => Hash::Sha256,
            _ => return None,
        };
        let mut bytes = [0; 32];
        HEXLOWER_PERMISSIVE.decode_mut(digits, bytes.get_mut(..hash.bytes())?).ok()?;
        Some(Self { hash, bytes })
    }

    /// How it was made.
    #[must_use]
    pub fn hash(&self) -> Hash {
        self.hash
    }

    /// Whether it is this hash.
    #[must_use]
    pub fn is(&self, hash: &[u8]) -> bool {
        self.bytes.get(..self.hash.bytes()) == Some(hash)
    }

    /// Whether it is the name of nothing.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.bytes == [0; 32]
    }

    /// Bytes as hexadecimal digits.
    #[must_use]
    pub fn show(bytes: &[u8]) -> String {
        HEXLOWER.encode(bytes)
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&Self::show(self.bytes.get(..self.hash.bytes()).unwrap_or_default()))
    }
}
