//! `url`, `auth`, `tls` and `ssh` of the kinds that speak to a forge.

use std::sync::Arc;

use ::http::HeaderValue;
use bytes::Bytes;
use data_encoding::BASE64;
use url::Url;

use super::http::parse_url;
use super::ssh::{self, SshTrust};
use super::{Around, given_or};
use crate::config::problem::Place;
use crate::config::raw::keyed::keyed;
use crate::config::raw::word::Word;
use crate::config::reader::{Entry, Reader, Table};
use crate::config::text::{Given, Template, Values, as_it_is, for_url, percent_decoded};
use crate::model::secret::REDACTED;
use crate::model::{HostTrust, HttpRemote, Remote, SshLogin, SshRemote, TlsOptions};

keyed! {
    /// How a forge lets us in. `{{label}}` in it is filled in for each probe.
    pub struct Auth {
        /// Who asks, with `password`: HTTP Basic.
        pub user: Option<Word>,
        /// The password of `user`, or a token that the forge takes in its place.
        pub password: Option<Word>,
        /// A token that is sent as it is: HTTP Bearer.
        pub token: Option<Word>,
        /// A file with a private key for SSH, without a passphrase. Its content is secret.
        pub key_file: Option<String>,
        /// The keys of the ssh-agent that `SSH_AUTH_SOCK` names. Default: false.
        pub agent: Option<bool>,
    }
}

const HTTP_AUTH: &str = "write `auth: {user: canary, password: \"${env:FORGE_PASSWORD}\"}`, or `auth: {token: …}`";
const SSH_AUTH: &str = "write `auth: {key_file: canary.key}`, or `auth: {agent: true}`";

/// A repository whose labels are still open.
pub(in crate::config) struct RemoteShape {
    url: Template,
    auth: AuthShape,
    /// Where `auth` stands, or the whole.
    auth_at: Place,
    pub(super) tls: Arc<TlsOptions>,
    tls_at: Option<Place>,
    trust: Option<HostTrust>,
    ssh_at: Option<Place>,
    at: Place,
}

enum AuthShape {
    Anyone,
    Basic { user: Template, password: Template },
    Bearer(Template),
    Key(Bytes),
    Agent,
}

/// Reads what the table of a kind says of its repository.
pub(super) fn read(reader: &mut Reader<'_>, table: &Table<'_>, around: &mut Around<'_>) -> Option<RemoteShape> {
    let given = around.given;
    let url = reader
        .need(table, "url", "say which: `url: https://forge.example/acme/demo.git`")
        .and_then(|entry| reader.template(entry, given));
    if let Some(url) = url.as_ref().filter(|_| given.all) {
        // One combination is tried now, so that the URL is judged even where other things are wrong.
        filled_url(reader, url, &given.labels);
    }
    let at = |name| table.get(name).map(|entry| entry.at);
    let auth = table.get("auth").map(|entry| auth(reader, entry, given));
    let options = around.tls(reader, table);
    let trust = table.get("ssh").map(|entry| {
        let table = reader.table(entry, SshTrust::KEYS, "write `ssh: {fingerprint: \"SHA256:…\"}`")?;
        ssh::trust(reader, &table).map(Some)
    });
    Some(RemoteShape {
        url: url?,
        auth: given_or(auth, AuthShape::Anyone)?,
        auth_at: at("auth").unwrap_or(table.at),
        tls: options?,
        tls_at: at("tls"),
        trust: given_or(trust, None)?,
        ssh_at: at("ssh"),
        at: table.at,
    })
}

fn auth(reader: &mut Reader<'_>, entry: Entry<'_>, given: &Given<'_>) -> Option<AuthShape> {
    let table = reader.table(entry, Auth::KEYS, HTTP_AUTH)?;
    let mut template = |name| table.get(name).map(|entry| reader.template(entry, given));
    let (user, password, token) = (template("user"), template("password"), template("token"));
    let key = table.get("key_file").map(|entry| key(reader, entry));
    let agent = table.get("agent").map(|entry| reader.flag(entry)).unwrap_or(Some(false))?;
    match (user, password, token, key, agent) {
        (Some(user), Some(password), None, None, false) => {
            Some(AuthShape::Basic { user: user?, password: password? })
        }
        (None, None, Some(token), None, false) => Some(AuthShape::Bearer(token?)),
        (None, None, None, Some(key), false) => Some(AuthShape::Key(key?)),
        (None, None, None, None, true) => Some(AuthShape::Agent),
        _ => {
            let fault = "`auth` is one of: `user` and `password`, `token`, `key_file`, `agent: true`";
            reader.fault(table.at, fault, HTTP_AUTH);
            None
        }
    }
}

/// A file with a private key, whose content is secret.
fn key(reader: &mut Reader<'_>, entry: Entry<'_>) -> Option<Bytes> {
    let (bytes, place) = reader.file(entry)?;
    let text = String::from_utf8_lossy(&bytes).trim().to_owned();
    let sound = text.contains("PRIVATE KEY-----");
    reader.hide(text);
    if !sound {
        let remedy = "it starts with `-----BEGIN OPENSSH PRIVATE KEY-----`, and has no passphrase";
        reader.fault(place, "the file of `key_file` holds no private key", remedy);
        return None;
    }
    Some(bytes.into())
}

/// Where a URL leads.
enum Way {
    Http(Url),
    Ssh { host: String, port: u16, user: String, path: String },
}

/// `ssh://git@host:22/path`, or as scp has it: `git@host:path`.
fn ssh_way(text: &str) -> Option<Way> {
    let scp = text.split_once(':').filter(|(host, _)| !text.contains("://") && !host.contains('/'));
    if let Some((host, path)) = scp {
        let (user, host) = host.split_once('@').unwrap_or(("git", host));
        let sound = !user.is_empty() && !host.is_empty() && !path.is_empty() && !text.chars().any(char::is_control);
        let (user, host, path) = (user.to_owned(), host.to_owned(), path.to_owned());
        return sound.then_some(Way::Ssh { host, port: 22, user, path });
    }
    let url = Url::parse(text).ok().filter(|url| url.scheme() == "ssh" && url.password().is_none())?;
    let path = decoded(url.path())?;
    // As git has it, `/~user/…` starts at the user's own folder.
    let path = path.strip_prefix("/~").map_or(path.clone(), |rest| format!("~{rest}"));
    let bare = url.query().is_none() && url.fragment().is_none() && path.len() > 1;
    let host = url.host_str().filter(|host| !host.is_empty() && bare)?.trim_matches(['[', ']']).to_owned();
    let user = if url.username().is_empty() { "git".to_owned() } else { decoded(url.username())? };
    Some(Way::Ssh { host, port: url.port().unwrap_or(22), user, path })
}

fn decoded(text: &str) -> Option<String> {
    percent_decoded(text).filter(|text| !text.chars().any(char::is_control))
}

fn filled_url(reader: &mut Reader<'_>, template: &Template, labels: &Values<'_>) -> Option<Way> {
    let text = template.fill(labels, for_url);
    let over_http = text.starts_with("http://") || text.starts_with("https://");
    let found = if over_http {
        parse_url(&text).and_then(|url| {
            let bare = url.query().is_none() && url.fragment().is_none();
            let fault = || (format!("`{text}` is no repository's URL"), "remove what begins with `?` or `#`".into());
            if bare { Ok(Way::Http(url)) } else { Err(fault()) }
        })
    } else {
        ssh_way(&text).ok_or_else(|| {
            let example =
                "write it like `https://forge.example/acme/demo.git` or `ssh://git@forge.example/acme/demo.git`";
            (format!("`{text}` is no repository's URL"), example.into())
        })
    };
    let report = |(fault, remedy): (String, String)| {
        let fault = if template.secret { fault.replace(&text, REDACTED) } else { fault };
        let remedy = if remedy.contains("authorization") {
            "give them under `auth`: `auth: {user: …, password: \"${env:FORGE_PASSWORD}\"}`".into()
        } else {
            remedy
        };
        reader.fault(template.place, fault, remedy);
    };
    found.map_err(report).ok()
}

impl RemoteShape {
    /// `tls` means something over SSH too: what the SSH server names is behind web servers.
    pub(super) fn with_web_servers_behind_ssh(self) -> Self {
        Self { tls_at: None, ..self }
    }

    pub(super) fn skips_verification(&self) -> bool {
        self.tls.skip_verify || self.trust == Some(HostTrust::Anyone)
    }

    /// The repository for these labels.
    pub(super) fn fill(&self, reader: &mut Reader<'_>, values: &Values<'_>) -> Option<Remote> {
        let way = filled_url(reader, &self.url, values)?;
        match way {
            Way::Http(url) => {
                if let Some(at) = self.ssh_at {
                    reader.fault(at, "`ssh` means nothing to a web server", "remove it, or give an ssh:// URL");
                    return None;
                }
                let authorization = self.authorization(reader, values)?;
                Some(Remote::Http(HttpRemote { url, authorization, tls: self.tls.clone() }))
            }
            Way::Ssh { host, port, user, path } => {
                if let Some(at) = self.tls_at {
                    reader.fault(at, "`tls` means nothing to an SSH server", "remove it: its key is judged by `ssh`");
                    return None;
                }
                let login = match &self.auth {
                    AuthShape::Key(key) => SshLogin::Key(key.clone()),
                    AuthShape::Agent => SshLogin::Agent,
                    _ => {
                        reader.fault(self.auth_at, "an SSH server wants a key", SSH_AUTH);
                        return None;
                    }
                };
                let Some(trust) = self.trust.clone() else {
                    let remedy = "add `ssh: {fingerprint: \"SHA256:…\"}`, or `ssh: {known_hosts: FILE}`";
                    reader.fault(self.at, "nothing says which key the server must have", remedy);
                    return None;
                };
                Some(Remote::Ssh(SshRemote { host, port, user, path, login, trust }))
            }
        }
    }

    fn authorization(&self, reader: &mut Reader<'_>, values: &Values<'_>) -> Option<Option<HeaderValue>> {
        let (text, place) = match &self.auth {
            AuthShape::Anyone => return Some(None),
            AuthShape::Basic { user, password } => {
                let name = user.fill(values, as_it_is);
                if name.contains(':') {
                    reader.fault(user.place, "a user of HTTP Basic has no colon (RFC 7617)", "give the name alone");
                    return None;
                }
                let encoded = BASE64.encode(format!("{name}:{}", password.fill(values, as_it_is)).as_bytes());
                // A server may say the header back.
                reader.hide(encoded.clone());
                (format!("Basic {encoded}"), password.place)
            }
            AuthShape::Bearer(token) => (format!("Bearer {}", token.fill(values, as_it_is)), token.place),
            AuthShape::Key(_) | AuthShape::Agent => {
                reader.fault(self.auth_at, "a web server takes no SSH key", HTTP_AUTH);
                return None;
            }
        };
        let Ok(mut authorization) = HeaderValue::from_bytes(text.as_bytes()) else {
            reader.fault(place, "it would have a line break or control character", "a token is one line");
            return None;
        };
        authorization.set_sensitive(true);
        Some(Some(authorization))
    }
}
