//! Cookies: those of one check, as a browser that was just started would keep them (RFC 6265).
//!
//! No list of public suffixes is asked: who is watched sets cookies for its own domains only.

use std::collections::VecDeque;

use cookie_store::{CookieStore, RawCookie};
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue};
use url::Url;

/// How many cookies of one answer are looked at, and how many are kept altogether.
const MOST: usize = 64;
/// The longest cookie that is kept, with its attributes, in bytes: what browsers keep, RFC 6265, section 6.1.
const LONGEST: usize = 4_096;

/// The cookies of one check.
#[derive(Default)]
pub(super) struct Jar {
    kept: CookieStore,
    /// The values that came last, taken back by now or not: who signs out may see them again in evidence.
    seen: VecDeque<String>,
}

impl Jar {
    /// Keeps what an answer from this URL sets. What is no cookie, or not for this host, is left out.
    pub(super) fn take_from(&mut self, headers: &HeaderMap, url: &Url) {
        for value in headers.get_all(SET_COOKIE).iter().take(MOST) {
            let Some(text) = value.to_str().ok().filter(|text| text.len() <= LONGEST) else { continue };
            let Ok(cookie) = RawCookie::parse(text) else { continue };
            if !self.seen.iter().any(|seen| seen == cookie.value()) {
                self.seen.truncate(MOST - 1);
                self.seen.push_front(cookie.value().to_owned());
            }
            let full = self.kept.iter_any().count() >= MOST;
            if !full || self.kept.iter_any().any(|kept| kept.name() == cookie.name()) {
                // Why one is refused is the site's business; a flow that needs it will fail and say so.
                let _ = self.kept.insert_raw(&cookie, url);
            }
        }
    }

    /// Adds the cookies that this URL gets to those that the request has already.
    pub(super) fn add_to(&self, headers: &mut HeaderMap, url: &Url) {
        let mut cookies = self.kept.matches(url);
        // Longer paths first (section 5.4); by name, so that a request is the same each time.
        cookies.sort_by_key(|cookie| (std::cmp::Reverse(cookie.path.len()), cookie.name().to_owned()));
        let own = headers.get(COOKIE).and_then(|value| value.to_str().ok()).map(ToOwned::to_owned);
        let pairs = cookies.iter().map(|cookie| format!("{}={}", cookie.name(), cookie.value()));
        let all: Vec<String> = own.into_iter().chain(pairs).collect();
        if all.is_empty() {
            return;
        }
        if let Ok(mut value) = HeaderValue::from_str(&all.join("; ")) {
            value.set_sensitive(true);
            headers.insert(COOKIE, value);
        }
    }

    /// The value of the cookie of this name that this URL gets.
    pub(super) fn value(&self, name: &str, url: &Url) -> Option<String> {
        let found = self.kept.matches(url).into_iter().filter(|cookie| cookie.name() == name);
        found.max_by_key(|cookie| cookie.path.len()).map(|cookie| cookie.value().to_owned())
    }

    /// All values, those of before too.
    pub(super) fn values(&self) -> impl Iterator<Item = &str> {
        self.kept.iter_any().map(|cookie| cookie.value()).chain(self.seen.iter().map(String::as_str))
    }
}
