//! What web servers answer, and what services call us with.

use std::sync::LazyLock;

use tripline::probe::wire::redirect::{Ask, next};
use tripline::probe::wire::signature::signs;

use aws_lc_rs::hmac;
use http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HOST, HeaderName, HeaderValue};
use http::{HeaderMap, Method, StatusCode};

const TOKEN: HeaderName = HeaderName::from_static("private-token");
const PLAIN: HeaderName = HeaderName::from_static("x-plain");

/// A request with everything that another site must not get.
static ASK: LazyLock<Option<Ask>> = LazyLock::new(|| {
    let mut headers = HeaderMap::new();
    for name in [AUTHORIZATION, COOKIE, HOST, CONTENT_TYPE, PLAIN] {
        headers.insert(name, HeaderValue::from_static("x"));
    }
    let mut token = HeaderValue::from_static("s3cr3t");
    token.set_sensitive(true);
    headers.insert(TOKEN, token);
    let url = "https://forge.example/a/b?c".parse().ok()?;
    let address = "192.0.2.7:443".parse().ok();
    Some(Ask { method: Method::POST, url, headers, body: "body".into(), address })
});

/// The first byte is a status; the rest is the place that a server names. It is followed by HTTPS, without a fragment and
/// without a password, and another site gets nothing that is secret.
pub(crate) fn redirect(data: &[u8]) {
    let (Some((&status, location)), Some(ask)) = (data.split_first(), &*ASK) else { return };
    let status = [301, 302, 303, 307, 308][usize::from(status) % 5];
    let Ok(sent) = StatusCode::from_u16(status) else { return };
    let Ok(asked) = next(ask, sent, location) else { return };
    assert_eq!(asked.url.scheme(), "https");
    assert!(asked.url.has_host() && asked.url.username().is_empty() && asked.url.password().is_none());
    assert_eq!(asked.url.fragment(), None);
    // A byte that is no UTF-8 becomes a mark of three bytes, each of which a URL has as three characters.
    assert!(asked.url.as_str().len() <= 9 * location.len().min(16 * 1024) + ask.url.as_str().len());
    if matches!(status, 307 | 308) {
        assert_eq!((&asked.method, &asked.body), (&ask.method, &ask.body));
    } else {
        assert!(asked.method == Method::GET && asked.body.is_empty() && !asked.headers.contains_key(CONTENT_TYPE));
    }
    let stays = asked.url.host_str() == ask.url.host_str() && asked.url.port_or_known_default() == Some(443);
    for name in [AUTHORIZATION, COOKIE, HOST, TOKEN] {
        assert_eq!(asked.headers.contains_key(&name), stays, "{name}, at {}", asked.url);
    }
    assert_eq!(asked.address.is_some(), stays);
    assert!(asked.headers.contains_key(PLAIN));
}

/// A body, behind the length of a value of the header and that value: it is signed where the digits are those of its HMAC,
/// and nowhere else.
pub(crate) fn signature(data: &[u8]) {
    let Some((&length, rest)) = data.split_first() else { return };
    let (value, body) = rest.split_at(usize::from(length).min(rest.len()));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET), body);
    let digits: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let given = value.trim_ascii();
    let given = given.strip_prefix(b"sha256=").unwrap_or(given);
    assert_eq!(signs(value, SECRET, body), given.eq_ignore_ascii_case(digits.as_bytes()));
    for good in [digits.clone(), digits.to_uppercase(), format!(" sha256={digits}")] {
        assert!(signs(good.as_bytes(), SECRET, body));
        assert!(!signs(good.as_bytes(), SECRET, &[body, b"x"].concat()));
        assert!(!signs(good.as_bytes(), b"another", body));
    }
}

const SECRET: &[u8] = b"It's a Secret to Everybody";
