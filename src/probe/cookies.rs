//! Cookies: those of one check, as a browser that was just started would keep them (RFC 6265).
//!
//! No list of public suffixes is asked: who is watched sets cookies for its own domains only.

use std::collections::VecDeque;

use cookie_store::{Cookie, CookieStore, RawCookie};
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue};
use url::Url;

/// How many cookies of one answer are looked at, and how many are kept altogether.
const MOST_COOKIES: usize = 64;
/// The longest cookie that is kept, with its attributes, in bytes: what browsers keep, RFC 6265, section 6.1.
const LONGEST_COOKIE: usize = 4_096;
/// The most that names, values and paths of all cookies take, in bytes: servers take no more than that in one request.
const MOST_COOKIE_BYTES: usize = 64 * 1024;

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
        for value in headers.get_all(SET_COOKIE).iter().take(MOST_COOKIES) {
            let Some(text) = value.to_str().ok().filter(|text| text.len() <= LONGEST_COOKIE) else { continue };
            let Ok(cookie) = RawCookie::parse(text) else { continue };
            if !self.seen.iter().any(|seen| seen == cookie.value()) {
                self.seen.truncate(MOST_COOKIES - 1);
                self.seen.push_front(cookie.value().to_owned());
            }
            // Why one is refused is the site's business; a flow that needs it will fail and say so.
            let Ok(cookie) = Cookie::try_from_raw_cookie(&cookie, url) else { continue };
            if self.has_room_for(&cookie) {
                let _ = self.kept.insert(cookie.into_owned(), url);
            }
        }
    }

    /// Whether this cookie may be kept beside all those whose place it does not take (RFC 6265, section 5.3, step 11).
    fn has_room_for(&self, cookie: &Cookie<'_>) -> bool {
        let size = |cookie: &Cookie<'_>| cookie.name().len() + cookie.value().len() + cookie.path.len();
        let replaced = |kept: &Cookie<'_>| {
            kept.name() == cookie.name() && kept.domain == cookie.domain && kept.path == cookie.path
        };
        let (mut count, mut bytes) = (1, size(cookie));
        for kept in self.kept.iter_any().filter(|kept| !replaced(kept)) {
            count += 1;
            bytes += size(kept);
        }
        count <= MOST_COOKIES && bytes <= MOST_COOKIE_BYTES
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The jar after these answers, one cookie each.
    fn jar(cookies: impl IntoIterator<Item = String>) -> Jar {
        let mut jar = Jar::default();
        let url = Url::parse("http://example.com/").unwrap();
        for cookie in cookies {
            let headers = HeaderMap::from_iter([(SET_COOKIE, HeaderValue::from_str(&cookie).unwrap())]);
            jar.take_from(&headers, &url);
        }
        jar
    }

    #[test]
    fn one_name_with_ever_new_paths_fills_the_jar_as_many_names_do() {
        let paths = jar((0..1_000).map(|path| format!("a=b; Path=/{path}")));
        assert_eq!(paths.kept.iter_any().count(), MOST_COOKIES);
        let names = jar((0..1_000).map(|name| format!("{name}=b")));
        assert_eq!(names.kept.iter_any().count(), MOST_COOKIES);
    }

    #[test]
    fn a_full_jar_still_takes_a_new_value_of_a_cookie_that_it_has() {
        let jar = jar((0..MOST_COOKIES).map(|path| format!("a=b; Path=/{path}")).chain(["a=new; Path=/7".into()]));
        let url = Url::parse("http://example.com/7").unwrap();
        assert_eq!(jar.value("a", &url).as_deref(), Some("new"));
        assert_eq!(jar.kept.iter_any().count(), MOST_COOKIES);
    }

    #[test]
    fn a_jar_has_no_more_bytes_than_a_request_may_have() {
        let jar = jar((0..MOST_COOKIES).map(|name| format!("{name}={}", "x".repeat(4_000))));
        let kept = jar.kept.iter_any().map(|cookie| cookie.value().len()).sum::<usize>();
        assert!((MOST_COOKIE_BYTES - 8_000..=MOST_COOKIE_BYTES).contains(&kept), "{kept}");
    }
}
