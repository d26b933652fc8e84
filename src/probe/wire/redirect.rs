//! Redirects: what is asked next, and when following ends (RFC 9110, section 15.4).

use std::net::SocketAddr;

use bytes::Bytes;
use http::header::{
    AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST, PROXY_AUTHORIZATION,
};
use http::{HeaderMap, Method, StatusCode};
use url::Url;

/// One request, as it is meant.
#[derive(Clone)]
pub struct Ask {
    /// Its method.
    pub method: Method,
    /// Where to.
    pub url: Url,
    /// Its headers; those whose values are secret are marked as sensitive.
    pub headers: HeaderMap,
    /// Its body, whole.
    pub body: Bytes,
    /// Connects here instead of where the name points.
    pub address: Option<SocketAddr>,
}

/// Whether the answer sends us on, and the place that it names.
#[must_use]
pub fn location(status: StatusCode, headers: &HeaderMap) -> Option<&[u8]> {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
        .then(|| headers.get(http::header::LOCATION).map(http::HeaderValue::as_bytes))
        .flatten()
}

/// The longest place that is followed, in bytes. RFC 9110, section 4.1, asks for 8,000; clients know no more than 65,534.
const LONGEST_LOCATION: usize = 16 * 1024;

/// The request that follows from the answer.
///
/// # Errors
/// Why there is none, in plain words: the place is no URL of HTTP, is less safe, holds a password, or would get the body
/// of a request that was meant for another origin.
pub fn next(ask: &Ask, status: StatusCode, location: &[u8]) -> Result<Ask, String> {
    if location.len() > LONGEST_LOCATION {
        return Err(format!("redirected to a URL of {} bytes", location.len()));
    }
    let text = String::from_utf8_lossy(location);
    let mut url = ask.url.join(&text).map_err(|error| format!("redirected to `{text}`, which is no URL: {error}"))?;
    match (ask.url.scheme(), url.scheme()) {
        ("https", "http") => return Err(format!("redirected from https to http: {url}")),
        (_, "http" | "https") if url.has_host() => {}
        (_, scheme) => return Err(format!("redirected to another scheme: {scheme}")),
    }
    // A fragment is carried on and never sent; a name and password from a server are not ours to use.
    url.set_fragment(None);
    if !url.username().is_empty() || url.password().is_some() {
        return Err("redirected to a URL with a password in it".into());
    }
    let mut next = Ask { url, ..ask.clone() };
    let becomes_get = match status.as_u16() {
        303 => next.method != Method::HEAD,
        301 | 302 => next.method == Method::POST,
        _ => false,
    };
    if becomes_get {
        next.method = Method::GET;
        next.body = Bytes::new();
        for name in [CONTENT_TYPE, CONTENT_LENGTH, CONTENT_ENCODING] {
            next.headers.remove(name);
        }
    }
    if next.url.origin() != ask.url.origin() {
        if !next.body.is_empty() {
            // RFC 9110, section 15.4, lets a client choose; a body holds passwords as headers do.
            let (status, url) = (status.as_u16(), next.url);
            return Err(format!(
                "redirected by {status} to another origin, which would get the body of the request: {url}; ask that URL itself, if it may have it"
            ));
        }
        next.address = None;
        for name in [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION, HOST] {
            next.headers.remove(name);
        }
        let sensitive: Vec<_> =
            next.headers.iter().filter(|(_, value)| value.is_sensitive()).map(|(name, _)| name.clone()).collect();
        for name in sensitive {
            next.headers.remove(name);
        }
    }
    Ok(next)
}
