//! Values that nobody may see: what a flow has captured, and its cookies.

use url::{Position, Url};

use crate::config::encodings;
use crate::model::Secrets;
use crate::probe::cookies::Jar;

/// The shortest cookie that is taken for a secret, in bytes; a shorter one says `1` or `en`.
const SHORTEST_SECRET_COOKIE: usize = 8;
/// The shortest path of a captured URL that is a secret without its host, in bytes; a shorter one says `/login`.
const SHORTEST_SECRET_PATH: usize = 8;

/// What must not be shown of one check, each value in all its encodings.
#[derive(Default)]
pub(super) struct Hidden(Vec<String>);

impl Hidden {
    pub(super) fn add(&mut self, value: &str) {
        // Headers and error pages name a URL without its host.
        let url = Url::parse(value).ok().filter(Url::has_host);
        let path = url.as_ref().map(|url| &url[Position::BeforePath..Position::AfterQuery]);
        let path = path.filter(|path| path.len() >= SHORTEST_SECRET_PATH);
        for value in [Some(value), path].into_iter().flatten() {
            if !self.0.iter().any(|hidden| hidden == value) {
                self.0.push(value.to_owned());
                self.0.extend(encodings(value));
            }
        }
    }

    /// What is secret of the configuration, what has become so, and the cookies.
    pub(super) fn and(&self, secrets: &Secrets, cookies: Option<&Jar>) -> Secrets {
        let long_enough = |value: &&str| value.len() >= SHORTEST_SECRET_COOKIE;
        let cookies = cookies.into_iter().flat_map(Jar::values).filter(long_enough);
        secrets.and(&Secrets::new(self.0.iter().cloned().chain(cookies.map(ToOwned::to_owned))))
    }
}
