//! When certificates expire: read once for each, however often it is shown.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use x509_parser::prelude::{FromDer, X509Certificate};

use crate::model::Timestamp;

/// The certificates that were seen, as they came, and when each runs out; nothing for one that cannot be read.
#[derive(Default)]
pub(super) struct Expiries(Mutex<BTreeMap<Box<[u8]>, Option<Timestamp>>>);

/// So many are remembered. A server that shows a new one to every check must not fill memory.
const MOST_LEAVES: usize = 256;

impl Expiries {
    /// When this certificate, in DER, runs out.
    pub(super) fn of(&self, leaf: &[u8]) -> Option<Timestamp> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(expires) = known.get(leaf) {
            return *expires;
        }
        let expires = read(leaf);
        if known.len() >= MOST_LEAVES {
            known.clear();
        }
        known.insert(leaf.into(), expires);
        expires
    }
}

/// When this certificate, in DER, runs out; nothing when it cannot be read.
pub(super) fn read(leaf: &[u8]) -> Option<Timestamp> {
    let (_, certificate) = X509Certificate::from_der(leaf).ok()?;
    Some(Timestamp::from_millis(certificate.validity().not_after.timestamp().saturating_mul(1_000)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_certificate_never_runs_out_and_many_are_not_all_kept() {
        let expiries = Expiries::default();
        for number in 0_u32..1_000 {
            assert_eq!(expiries.of(&number.to_be_bytes()), None);
        }
        assert!(expiries.0.lock().unwrap().len() <= MOST_LEAVES);
    }
}
