//! One-time codes: TOTP (RFC 6238), which is HOTP (RFC 4226) over the time.

use aws_lc_rs::hmac;
use secrecy::ExposeSecret;

use crate::model::Timestamp;
use crate::model::kind::flow::{Totp, TotpHash};

/// The code at this time.
pub(crate) fn code(totp: &Totp, now: Timestamp) -> String {
    let period = i64::try_from(totp.period.as_millis()).unwrap_or(i64::MAX).max(1);
    let counter = now.as_millis().div_euclid(period);
    let algorithm = match totp.hash {
        TotpHash::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        TotpHash::Sha256 => hmac::HMAC_SHA256,
        TotpHash::Sha512 => hmac::HMAC_SHA512,
    };
    let key = hmac::Key::new(algorithm, totp.secret.expose_secret());
    let hash = hmac::sign(&key, &counter.to_be_bytes());
    let number = truncated(hash.as_ref()) % 10_u32.pow(totp.digits.min(9));
    format!("{number:0width$}", width = totp.digits as usize)
}

/// Four bytes of the hash, from where its last one says, without the sign (RFC 4226, section 5.3).
fn truncated(hash: &[u8]) -> u32 {
    let offset = usize::from(hash.last().copied().unwrap_or_default() & 0xf);
    let four = hash.get(offset..offset + 4).and_then(|four| <[u8; 4]>::try_from(four).ok()).unwrap_or_default();
    u32::from_be_bytes(four) & 0x7fff_ffff
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_codes_are_those_of_the_rfc() {
        // RFC 6238, appendix B; the seeds are those of its erratum 2866.
        let seed = |length: usize| b"1234567890".iter().copied().cycle().take(length).collect::<Vec<u8>>();
        let hashes = [(TotpHash::Sha1, 20), (TotpHash::Sha256, 32), (TotpHash::Sha512, 64)];
        let rows = [
            (59, ["94287082", "46119246", "90693936"]),
            (1_111_111_109, ["07081804", "68084774", "25091201"]),
            (1_111_111_111, ["14050471", "67062674", "99943326"]),
            (1_234_567_890, ["89005924", "91819424", "93441116"]),
            (2_000_000_000, ["69279037", "90698825", "38618901"]),
            (20_000_000_000, ["65353130", "77737706", "47863826"]),
        ];
        for (seconds, codes) in rows {
            for ((hash, length), expected) in hashes.iter().zip(codes) {
                let secret = seed(*length).into();
                let totp = Totp { secret, hash: *hash, digits: 8, period: Duration::from_secs(30) };
                assert_eq!(code(&totp, Timestamp::from_millis(seconds * 1000)), expected, "{hash:?} at {seconds}");
            }
        }
    }
}
