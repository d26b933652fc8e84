//! Evidence: what is kept of a failed check, without its secrets and within bounds.

use std::net::IpAddr;

use http::HeaderMap;
use http::header::{AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION, SET_COOKIE};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::stopwatch::Peer;
use crate::model::result::EVIDENCE_BODY_CAP;
use crate::model::secret::REDACTED;
use crate::model::{Evidence, PeerCertificate, Secrets, Timestamp};

/// How much of a body is looked at for evidence: a secret that begins within the cap is seen whole.
pub(super) const BODY_SEEN: usize = EVIDENCE_BODY_CAP + 4 * 1024;
/// The most headers that are kept.
const MOST_HEADERS_KEPT: usize = 64;
/// The longest header value, fault or URL that is kept, in bytes.
const LONGEST_TEXT_KEPT: usize = 1_024;

/// What a check gathered until it failed.
pub(super) struct Gathered<'a> {
    /// The question in one line.
    pub(super) request: &'a str,
    pub(super) address: Option<IpAddr>,
    /// What the other side said of itself and its answer, by name.
    pub(super) headers: Vec<(String, String)>,
    /// What it answered.
    pub(super) body: &'a [u8],
    pub(super) peer: Option<Peer>,
    pub(super) redirects: &'a [String],
}

/// The headers of an HTTP answer, without those that are secret by their nature.
pub(super) fn headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let shown = headers.iter().take(MOST_HEADERS_KEPT).map(|(name, value)| {
        let secret = [SET_COOKIE, COOKIE, AUTHORIZATION, PROXY_AUTHORIZATION].contains(name);
        let value = if secret { REDACTED.into() } else { String::from_utf8_lossy(value.as_bytes()).into_owned() };
        (name.as_str().to_owned(), value)
    });
    shown.collect()
}

/// Makes the evidence, with every secret hidden.
pub(super) fn evidence(fault: &str, gathered: Gathered<'_>, secrets: &Secrets) -> Box<Evidence> {
    let hide = |text: &str| cut(harmless(&hide(secrets, text), false), LONGEST_TEXT_KEPT);
    let headers = gathered.headers.into_iter().take(MOST_HEADERS_KEPT).map(|(name, value)| (name, hide(&value)));
    let seen = String::from_utf8_lossy(gathered.body.get(..BODY_SEEN).unwrap_or(gathered.body));
    // Where the body was cut within a letter, a mark stands for it; a secret that was cut there ends before it.
    let seen = seen.strip_suffix('\u{fffd}').unwrap_or(&seen);
    Box::new(Evidence {
        fault: hide(fault),
        request: hide(gathered.request),
        address: gathered.address,
        headers: headers.collect(),
        body: cut(harmless(&self::hide(secrets, seen), true), EVIDENCE_BODY_CAP),
        certificate: gathered.peer.as_ref().map(certificate),
        redirects: gathered.redirects.iter().map(|url| hide(url)).collect(),
    })
}

/// The evidence of a check that could not be made.
pub(super) fn unmade(fault: &str, request: &str, secrets: &Secrets) -> Box<Evidence> {
    let gathered = Gathered { request, address: None, headers: Vec::new(), body: &[], peer: None, redirects: &[] };
    evidence(fault, gathered, secrets)
}

fn certificate(peer: &Peer) -> PeerCertificate {
    match X509Certificate::from_der(&peer.leaf) {
        Ok((_, parsed)) => PeerCertificate {
            subject: cut(harmless(&parsed.subject().to_string(), false), LONGEST_TEXT_KEPT),
            issuer: cut(harmless(&parsed.issuer().to_string(), false), LONGEST_TEXT_KEPT),
            expires: Timestamp::from_millis(parsed.validity().not_after.timestamp().saturating_mul(1_000)),
            fault: peer.fault.as_ref().map(|fault| cut(harmless(fault, false), LONGEST_TEXT_KEPT)),
        },
        Err(_) => PeerCertificate {
            subject: "unreadable".into(),
            issuer: "unreadable".into(),
            expires: Timestamp::default(),
            fault: Some(peer.fault.clone().unwrap_or_else(|| "certificate cannot be read".into())),
        },
    }
}

/// The text without secrets, neither as they are nor percent-encoded as URLs have them, nor the beginning of one where the
/// text was cut.
pub(super) fn hide(secrets: &Secrets, text: &str) -> String {
    if text.contains('%') {
        // An escape that was cut is none.
        let whole = text.rfind('%').filter(|at| text.len() - at < 3).and_then(|at| text.get(..at)).unwrap_or(text);
        let decoded = percent_decoded(whole);
        let hidden = secrets.redact_cut(&decoded);
        if *hidden != *decoded {
            return hidden.into_owned();
        }
    }
    secrets.redact_cut(text).into_owned()
}

pub(super) fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let encoded = (byte == b'%').then(|| tail.get(..2)).flatten();
        let decoded = encoded.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        match decoded {
            Some(decoded) => {
                bytes.push(decoded);
                rest = tail.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(byte);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The text as it can be put on a terminal, into a mail or a log: what would move the cursor, change colours or turn
/// the order of letters around (Unicode's bidirectional controls) is replaced. A body keeps its lines.
fn harmless(text: &str, lines: bool) -> String {
    let replace = |c: char| match c {
        '\n' | '\t' if lines => c,
        '\r' if lines => '\n',
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        c if c.is_control() => '\u{fffd}',
        c => c,
    };
    let text = if lines { text.replace("\r\n", "\n") } else { text.to_owned() };
    text.chars().map(replace).collect()
}

/// The text's beginning, of at most so many bytes.
fn cut(mut text: String, most: usize) -> String {
    text.truncate(text.floor_char_boundary(most));
    text
}
