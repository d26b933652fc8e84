//! Signatures of webhook calls: HMAC-SHA256 of the body, in hexadecimal digits, as GitHub and those after it send it
//! (<https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries>).

use aws_lc_rs::hmac;
use data_encoding::HEXLOWER_PERMISSIVE;

/// Whether this value of a header signs the body: `sha256=` and 64 digits, or the digits alone, in small letters or large.
#[must_use]
pub fn signs(value: &[u8], secret: &[u8], body: &[u8]) -> bool {
    let value = value.trim_ascii();
    let digits = value.strip_prefix(b"sha256=").unwrap_or(value);
    let tag = HEXLOWER_PERMISSIVE.decode(digits).unwrap_or_default();
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    // The comparison takes the same time wherever they differ.
    hmac::verify(&key, body, &tag).is_ok()
}
