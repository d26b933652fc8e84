//! `totp`: where one-time codes come from, by name (RFC 6238).

use std::collections::BTreeMap;
use std::time::Duration;

use data_encoding::BASE32_NOPAD;
use secrecy::SecretSlice;

use crate::config::kinds::given_or;
use crate::config::raw::keyed::keyed;
use crate::config::reader::{Entry, Reader};
use crate::config::words::seconds;
use crate::model::kind::flow::{self, TotpHash};

keyed! {
    /// Where one-time codes come from (TOTP, RFC 6238).
    pub struct Totp {
        /// The secret in Base32, as the site shows it beside the QR code.
        pub secret: String,
        /// `sha1`, `sha256` or `sha512`. Default: sha1.
        pub algorithm: Option<String>,
        /// How many digits a code has, 6 to 8. Default: 6.
        #[schemars(range(min = 6, max = 8))]
        pub digits: Option<u8>,
        /// How long a code is good for, 1s to 1h. Default: 30s.
        pub period: Option<String>,
    }
}

const EXAMPLE: &str = "write `totp: {login: {secret: \"${env:TOTP_SECRET}\"}}`";
/// The shortest secret, in bytes: half of what RFC 4226, section 4, demands, as many sites give no more.
const SHORTEST_SECRET: usize = 8;

pub(super) fn read(reader: &mut Reader<'_>, entry: Entry<'_>) -> Option<BTreeMap<String, flow::Totp>> {
    let entries = reader.ids(entry, EXAMPLE)?;
    let count = entries.len();
    let mut codes = BTreeMap::new();
    for entry in entries {
        codes.extend(one(reader, entry).map(|code| (entry.name.to_owned(), code)));
    }
    (codes.len() == count).then_some(codes)
}

fn one(reader: &mut Reader<'_>, entry: Entry<'_>) -> Option<flow::Totp> {
    let table = reader.table(entry, Totp::KEYS, EXAMPLE)?;
    let secret = reader.need(&table, "secret", EXAMPLE).and_then(|entry| secret(reader, entry));
    let hashes = [("sha1", TotpHash::Sha1), ("sha256", TotpHash::Sha256), ("sha512", TotpHash::Sha512)];
    let hash = table.get("algorithm").map(|entry| reader.choice(entry, &hashes));
    let digits = table.get("digits").map(|entry| reader.whole(entry, 6, 8));
    let period = table.get("period").map(|entry| reader.duration(entry, seconds(1), seconds(3_600)));
    let digits = u32::try_from(given_or(digits, 6)?).unwrap_or(6);
    let period: Duration = given_or(period, seconds(30))?;
    Some(flow::Totp { secret: secret?, hash: given_or(hash, TotpHash::Sha1)?, digits, period })
}

/// Base32 (RFC 4648, section 6) as sites show it: spaces and small letters are allowed, padding is not needed.
fn secret(reader: &mut Reader<'_>, entry: Entry<'_>) -> Option<SecretSlice<u8>> {
    let text = reader.text(entry)?;
    // Also where it is written in the file, it is nobody's to see.
    reader.hide(text.value.clone());
    let plain: String = text.value.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
    let decoded = BASE32_NOPAD.decode(plain.trim_end_matches('=').to_ascii_uppercase().as_bytes()).ok();
    let decoded = decoded.filter(|bytes| bytes.len() >= SHORTEST_SECRET);
    if decoded.is_none() {
        let remedy = "give it as the site shows it beside the QR code: letters A to Z and digits 2 to 7";
        reader.fault(text.place, format!("`secret` is no Base32 of at least {SHORTEST_SECRET} bytes"), remedy);
    }
    decoded.map(SecretSlice::from)
}
