//! Mails as they arrived.

use tripline::demo::sink::headers;
use tripline::probe::wire;

/// Whatever arrives as a mail is read within bounds, or is none.
pub(crate) fn mail(data: &[u8]) {
    let Some(mail) = wire::mail::read(data) else { return };
    assert!(!mail.headers.is_empty() && mail.headers.len() <= 200);
    assert!(mail.text.len() <= 512 * 1024 && mail.html.as_ref().is_none_or(|html| html.len() <= 512 * 1024));
    assert!(mail.headers.iter().all(|(_, value)| !value.contains(['\r', '\n'])));
    if let Some(value) = mail.header("authentication-results") {
        let found = wire::mail::authentication(value);
        assert!(found.values().all(|result| result.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')));
    }
}

/// Whatever mail the sink takes, its headers are on one line each, and its subject names a file and no other folder. A
/// subject that was encoded is read back.
pub(crate) fn mail_headers(data: &[u8]) {
    let subject = headers::subject(data);
    assert!(subject.len() <= 3 * data.len());
    let slug = headers::slug(&subject);
    assert!((1..=60).contains(&slug.len()) && !slug.starts_with('-') && !slug.ends_with('-'));
    assert!(slug.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'), "{slug}");
    for name in ["message-id", "in-reply-to"] {
        assert!(headers::header(data, name).is_none_or(|value| !value.contains("\r\n")));
    }
    if let Ok(text) = std::str::from_utf8(data) {
        let quoted: String = text.bytes().map(|byte| format!("={byte:02X}")).collect();
        let encoded = [format!("=?utf-8?B?{}?=", base64(data)), format!("=?UTF-8?q?{quoted}?=")];
        for encoded in encoded {
            let mail = format!("From: a@example.com\r\nSubject: {encoded}\r\n\r\nSubject: no\r\n");
            assert_eq!(headers::subject(mail.as_bytes()), text);
        }
    }
}

/// Base64 with its padding (RFC 4648, section 4).
fn base64(data: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in data.chunks(3) {
        let number =
            (0..3).fold(0, |number, at| number << 8 | usize::from(three.get(at).copied().unwrap_or_default()));
        for at in 0..4 {
            let letter = LETTERS[number >> (18 - 6 * at) & 63];
            text.push(if at <= three.len() { char::from(letter) } else { '=' });
        }
    }
    text
}
