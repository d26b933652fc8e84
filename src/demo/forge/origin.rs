//! The origin under which a visitor knows the forge.

use axum::http::HeaderMap;
use axum::http::header::HOST;

/// Where the forge is for whoever sent these headers: links lead back there.
pub(super) fn origin(headers: &HeaderMap) -> String {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or(super::HOST);
    let sound = host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte));
    format!("https://{}", if sound { host } else { super::HOST })
}
