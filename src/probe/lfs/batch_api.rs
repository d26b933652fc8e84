//! Where batches are asked for: beside the repository, or where its SSH server says.

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

use super::super::broken::Broken;
use super::super::git::quoted;
use super::super::question::Seen;
use super::super::shared::Shared;
use super::super::ssh::{Login, Way};
use super::super::stopwatch::{Phase, Trace};
use super::super::wire::lfs::{self, Action};
use super::Operation;
use crate::model::{FailureClass, Remote, Resolve};

/// What `git-lfs-authenticate` may print, in bytes.
const LONGEST_LOGIN_ANSWER: usize = 64 * 1024;

/// A way to where batches are asked for.
pub(super) enum BatchApi {
    Beside(Access),
    Ssh(Box<SshBatchApi>),
}

/// The way over an SSH server.
pub(super) struct SshBatchApi {
    way: Way,
    login: Login,
    host: String,
    path: String,
}

/// Where batches are asked for, and with what.
#[derive(Clone)]
pub(super) struct Access {
    pub(super) base: Url,
    pub(super) headers: HeaderMap,
    /// Whether connections go to the address that the probe names.
    pub(super) direct: bool,
}

/// Where the batches of a repository are asked for, by convention
/// ([server discovery](https://github.com/git-lfs/git-lfs/blob/main/docs/api/server-discovery.md)).
fn beside(url: &Url) -> Url {
    let mut base = url.clone();
    let path = url.path().trim_end_matches('/');
    let path = match path {
        path if path.ends_with("/info/lfs") => path.to_owned(),
        path if path.ends_with(".git") => format!("{path}/info/lfs"),
        path => format!("{path}.git/info/lfs"),
    };
    base.set_path(&path);
    base
}

impl BatchApi {
    pub(super) fn new(remote: &Remote, resolve: Resolve, shared: &mut Shared) -> Result<Self, String> {
        Ok(match remote {
            Remote::Http(remote) => {
                let mut headers = HeaderMap::new();
                headers.extend(remote.authorization.clone().map(|value| (AUTHORIZATION, value)));
                Self::Beside(Access { base: beside(&remote.url), headers, direct: true })
            }
            Remote::Ssh(remote) => Self::Ssh(Box::new(SshBatchApi {
                way: Way::new(&remote.host, remote.port, &remote.trust, resolve, shared)?,
                login: Login::new(&remote.user, &remote.login)?,
                host: remote.host.clone(),
                path: remote.path.clone(),
            })),
        })
    }

    /// Whether it is opened for one operation at a time.
    pub(super) fn knows_operations(&self) -> bool {
        matches!(self, Self::Ssh(_))
    }

    /// Where batches are asked for; over SSH the server is asked that first.
    pub(super) async fn open(&self, operation: Operation, trace: &Trace, seen: &mut Seen) -> Result<Access, Broken> {
        match self {
            Self::Beside(access) => Ok(access.clone()),
            Self::Ssh(batch_api) => batch_api.open(operation, trace, seen).await,
        }
    }
}

impl SshBatchApi {
    async fn open(&self, operation: Operation, trace: &Trace, seen: &mut Seen) -> Result<Access, Broken> {
        let session = self.way.enter(&self.login, trace, seen).await?;
        trace.enter(Phase::FirstByte);
        let command = format!("git-lfs-authenticate {} {}", quoted(&self.path), operation.name());
        let printed = session.output(&command, LONGEST_LOGIN_ANSWER, seen).await?;
        trace.close();
        seen.handshake = None;
        let protocol = |what: &str| Broken::failed(FailureClass::Protocol, format!("git-lfs-authenticate: {what}"));
        let said = lfs::authenticated(&printed).map_err(|fault| protocol(&fault.to_string()))?;
        let href = if said.href.is_empty() {
            // Without a place of its own, it is that of the web server of the same name.
            format!("https://{}/{}", self.host, self.path.trim_start_matches('/'))
        } else {
            said.href.clone()
        };
        let mut base = web(&href).ok_or_else(|| protocol("its `href` is no http or https URL"))?;
        if said.href.is_empty() {
            base = beside(&base);
        }
        let headers = headers(&said, seen).ok_or_else(|| protocol("a header that cannot be sent"))?;
        Ok(Access { base, headers, direct: false })
    }
}

/// A URL of HTTP without user and password.
pub(super) fn web(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())?;
    (url.username().is_empty() && url.password().is_none()).then_some(url)
}

/// The headers of an action, which are secret from here on, as is what its URL asks with.
pub(super) fn headers(action: &Action, seen: &mut Seen) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    if let Ok(url) = Url::parse(&action.href) {
        seen.secrets.extend(url.query().map(str::to_owned));
        seen.secrets.extend(url.query_pairs().map(|(_, value)| value.into_owned()).filter(|value| value.len() >= 8));
    }
    for (name, value) in &action.headers {
        seen.secrets.push(value.clone());
        // `Bearer TOKEN` is two words, of which the second is the secret.
        seen.secrets.extend(value.split_once(' ').map(|(_, token)| token.to_owned()));
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        let mut value = HeaderValue::from_bytes(value.as_bytes()).ok()?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Some(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_are_asked_for_beside_the_repository() {
        let at = |url: &str| beside(&url.parse().unwrap()).to_string();
        let want = "https://forge.example/acme/demo.git/info/lfs";
        assert_eq!(at("https://forge.example/acme/demo.git"), want);
        assert_eq!(at("https://forge.example/acme/demo"), want);
        assert_eq!(at("https://forge.example/acme/demo.git/info/lfs/"), want);
    }
}
