//! A stapled OCSP response (RFC 6960, section 4.2.1): what it says of the first certificate, and since when.
//!
//! Only as much of DER (X.690, section 8) is read as that takes. Its signature is not judged.

use crate::model::Timestamp;

/// What an authority said of a certificate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Staple {
    /// Its word.
    pub status: StapleStatus,
    /// Since when it is known to be right.
    pub since: Timestamp,
}

/// The word of an authority.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StapleStatus {
    /// Not revoked.
    Good,
    /// Revoked.
    Revoked,
    /// The authority does not know the certificate.
    Unknown,
}

const SEQUENCE: u8 = 0x30;
const OCTETS: u8 = 0x04;
const ENUMERATED: u8 = 0x0a;
const OID: u8 = 0x06;
const TIME: u8 = 0x18;

/// Reads a response; nothing when it is none, or says nothing of any certificate.
#[must_use]
pub fn read(response: &[u8]) -> Option<Staple> {
    let (mut response, _) = take(response, SEQUENCE)?;
    // 0: successful.
    if next(&mut response, ENUMERATED)? != [0] {
        return None;
    }
    let mut typed = take(next(&mut response, 0xa0)?, SEQUENCE)?.0;
    next(&mut typed, OID)?;
    let (mut basic, _) = take(next(&mut typed, OCTETS)?, SEQUENCE)?;
    let mut data = next(&mut basic, SEQUENCE)?;
    // The version, which is left out when it is the first.
    if data.first() == Some(&0xa0) {
        next(&mut data, 0xa0)?;
    }
    // Who says it: by name or by key.
    let who = *data.first().filter(|tag| matches!(tag, 0xa1 | 0xa2))?;
    next(&mut data, who)?;
    next(&mut data, TIME)?;
    let (mut single, _) = take(next(&mut data, SEQUENCE)?, SEQUENCE)?;
    next(&mut single, SEQUENCE)?;
    let tag = *single.first()?;
    let status = match tag {
        0x80 => StapleStatus::Good,
        0xa1 => StapleStatus::Revoked,
        0x82 => StapleStatus::Unknown,
        _ => return None,
    };
    next(&mut single, tag)?;
    Some(Staple { status, since: time(next(&mut single, TIME)?)? })
}

/// Takes the content of the next element, which must have this tag.
fn next<'a>(bytes: &mut &'a [u8], tag: u8) -> Option<&'a [u8]> {
    let (content, rest) = take(bytes, tag)?;
    *bytes = rest;
    Some(content)
}

/// The content of the first element, which must have this tag, and what follows it.
fn take(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&[found, first], rest) = bytes.split_first_chunk::<2>()?;
    if found != tag {
        return None;
    }
    if first < 0x80 {
        return rest.split_at_checked(usize::from(first));
    }
    // The length of the length: four bytes say more than any staple has.
    let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f)).filter(|(digits, _)| digits.len() <= 4)?;
    let length = digits.iter().fold(0_usize, |length, digit| (length << 8) | usize::from(*digit));
    rest.split_at_checked(length)
}

/// `20250211154100Z`, the only form that RFC 5280, section 4.1.2.5.2, allows.
fn time(text: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(text).ok().filter(|text| text.len() == 15 && text.is_ascii())?;
    let part = |from: usize, to: usize| text.get(from..to);
    let written = format!(
        "{}-{}-{}T{}:{}:{}Z",
        part(0, 4)?,
        part(4, 6)?,
        part(6, 8)?,
        part(8, 10)?,
        part(10, 12)?,
        part(12, 14)?
    );
    (text.ends_with('Z')).then(|| written.parse::<jiff::Timestamp>().ok())?.map(Timestamp::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An element of DER.
    fn der(tag: u8, content: &[&[u8]]) -> Vec<u8> {
        let content = content.concat();
        let length = u16::try_from(content.len()).unwrap();
        [&[tag, 0x82], &length.to_be_bytes()[..], &content].concat()
    }

    fn response(status: &[u8], since: &[u8]) -> Vec<u8> {
        let single = der(SEQUENCE, &[&der(SEQUENCE, &[b"which"]), status, &der(TIME, &[since])]);
        let data =
            der(SEQUENCE, &[&der(0xa2, &[b"who"]), &der(TIME, &[b"20250211160000Z"]), &der(SEQUENCE, &[&single])]);
        let basic = der(SEQUENCE, &[&data, b"signature"]);
        let typed = der(0xa0, &[&der(SEQUENCE, &[&der(OID, &[b"basic"]), &der(OCTETS, &[&basic])])]);
        der(SEQUENCE, &[&der(ENUMERATED, &[&[0]]), &typed])
    }

    #[test]
    fn a_response_tells_the_word_and_since_when() {
        let since = b"20250211154100Z";
        let good = response(&[0x80, 0], since);
        let at = Timestamp::from_millis(1_739_288_460_000);
        assert_eq!(read(&good), Some(Staple { status: StapleStatus::Good, since: at }));
        let revoked = response(&der(0xa1, &[&der(TIME, &[since])]), since);
        assert_eq!(read(&revoked).unwrap().status, StapleStatus::Revoked);
        assert_eq!(read(&response(&[0x82, 0], since)).unwrap().status, StapleStatus::Unknown);
        for no_time in [&b"20250211154100"[..], b"20251311154100Z", b"2025021115410+Z", b"\xff0250211154100Z"] {
            assert_eq!(read(&response(&[0x80, 0], no_time)), None);
        }
    }

    #[test]
    fn what_is_cut_short_or_changed_is_nothing_or_something_but_never_a_panic() {
        let good = response(&[0x80, 0], b"20250211154100Z");
        for end in 0..good.len() - b"signature".len() {
            assert_eq!(read(&good[..end]), None, "cut at {end}");
        }
        for at in 0..good.len() {
            for value in [0, 0x7f, 0x80, 0x84, 0x89, 0xff] {
                let mut changed = good.clone();
                changed[at] = value;
                let _ = read(&changed);
            }
        }
    }
}
