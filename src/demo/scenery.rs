//! The repository's configuration, made to watch the practice forge: the same probes and rules, other addresses.

use std::net::SocketAddr;

use super::forge::{GitBackend, HOST, SshAccess};

/// The repository's own configuration, as it is.
const PROBES: &str = include_str!("../../probes.yaml");
/// What the configuration is called in the demo's folder.
pub const CONFIG: &str = "probes.yaml";
/// The certificate authority of the forge, beside it.
pub const CA: &str = "forge-ca.pem";
/// What stands there for how SSH lets us in.
const AGENT: &str = "{agent: true}                # the keys of the ssh-agent; or `key_file: PATH`";
/// What stands there for the server of alerts.
const SMTP_URL: &str = "${env:SMTP_URL:-smtp://127.0.0.1:25?tls=none}";

/// Where everything is that the configuration names.
#[derive(Clone, Copy, Debug)]
pub struct Scenery<'a> {
    /// The forge.
    pub forge: SocketAddr,
    /// How it serves Git.
    pub git: GitBackend,
    /// How to get in by SSH, where that can be.
    pub ssh: Option<&'a SshAccess>,
    /// The port of the daemon, which hooks call.
    pub web: SocketAddr,
    /// The mail server that takes alerts.
    pub alerts: SocketAddr,
}

/// The configuration for this scenery. What cannot be served for want of git or sshd is left out.
#[must_use]
pub fn config(scenery: Scenery<'_>) -> String {
    let mut text = PROBES
        .replace(&format!("https://tripline.{HOST}"), &format!("http://{}", scenery.web))
        .replace(&format!("https://{HOST}"), &format!("https://{}", scenery.forge))
        .replace("\ndefaults:\n", &format!("\ndefaults:\n  tls: {{ca_file: {CA}}}\n"))
        .replace(SMTP_URL, &format!("smtp://{}?tls=none", scenery.alerts));
    match scenery.ssh {
        Some(access) => {
            text = text
                .replace(&format!("ssh://git@{HOST}/"), &format!("ssh://{}@{}/", access.user, access.address))
                .replace(AGENT, &format!("{{key_file: {:?}}}", access.key_file.display().to_string()));
            text = with_fingerprint(&text, &access.fingerprint);
        }
        None => text = without(&text, "git-ssh"),
    }
    if scenery.git == GitBackend::Missing {
        text = without(&without(&text, "git-https"), "git-fetch");
    }
    text
}

/// The text with this in place of the fingerprint that stands there.
fn with_fingerprint(text: &str, fingerprint: &str) -> String {
    let Some((before, rest)) = text.split_once("fingerprint: \"") else { return text.to_owned() };
    let Some((_, after)) = rest.split_once('"') else { return text.to_owned() };
    format!("{before}fingerprint: \"{fingerprint}\"{after}")
}

/// The text without the definition of this probe, which ends with an empty line.
fn without(text: &str, probe: &str) -> String {
    let start = text.find("\nprobes:\n").and_then(|probes| {
        let definition = text.get(probes..)?.find(&format!("\n  {probe}:"))?;
        Some(probes + definition + 1)
    });
    let Some((before, rest)) = start.and_then(|start| text.split_at_checked(start)) else { return text.to_owned() };
    let after = rest.split_once("\n\n").map_or("", |(_, after)| after);
    format!("{before}{after}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Outside, load};
    use crate::model::{ProbeKind, Remote};

    const FORGE: &str = "127.0.0.1:8443";

    /// Every file is there, and is what is asked for.
    struct Files;

    impl Outside for Files {
        fn env(&self, _: &str) -> Option<String> {
            None
        }

        fn file(&self, path: &str) -> Result<Vec<u8>, String> {
            let key = rcgen::KeyPair::generate().map_err(|error| error.to_string())?;
            let certificate = || rcgen::CertificateParams::default().self_signed(&key).map(|made| made.pem());
            let content = if path == CA { certificate() } else { Ok(key.serialize_pem()) };
            content.map(String::into_bytes).map_err(|error| error.to_string())
        }
    }

    fn made(git: GitBackend, ssh: Option<&SshAccess>) -> Config {
        let (web, alerts) = ("127.0.0.1:8090".parse().unwrap(), "127.0.0.1:2525".parse().unwrap());
        let text = config(Scenery { forge: FORGE.parse().unwrap(), git, ssh, web, alerts });
        assert!(!text.contains("//forge.example") && !text.contains("git@forge.example"), "{text}");
        load(CONFIG, &text, &Files).unwrap_or_else(|problems| panic!("{problems}"))
    }

    fn access() -> SshAccess {
        SshAccess {
            address: "127.0.0.1:2222".parse().unwrap(),
            user: "ada".into(),
            key: String::new(),
            key_file: "/demo/ssh/user".into(),
            fingerprint: "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU".into(),
        }
    }

    #[test]
    fn the_whole_configuration_asks_the_forge_and_nobody_else() {
        let config = made(GitBackend::HttpBackend, Some(&access()));
        assert_eq!(config.probes.len(), 26);
        for probe in &config.probes {
            match &probe.kind {
                ProbeKind::Git(git) if let Remote::Ssh(remote) = &git.remote => {
                    assert_eq!((remote.host.as_str(), remote.port, remote.user.as_str()), ("127.0.0.1", 2222, "ada"));
                }
                kind => assert!(kind.request().contains(FORGE), "{}: {}", probe.id, kind.request()),
            }
        }
    }

    #[test]
    fn what_cannot_be_served_is_left_out() {
        let count = |git, ssh| made(git, ssh).probes.len();
        assert_eq!(count(GitBackend::HttpBackend, None), 22);
        assert_eq!(count(GitBackend::Missing, None), 17);
    }
}
