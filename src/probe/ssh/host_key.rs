//! Whether a server's key is the one that it must have.

use aws_lc_rs::digest;
use russh::keys::PublicKey;

use crate::model::HostTrust;
use crate::model::kind::Fingerprint;
use crate::probe::wire::known_hosts::{Known, keys};

/// Which key a server must have.
pub(super) enum Trust {
    Pinned(Fingerprint),
    Listed(Vec<Known>),
    Anyone,
}

/// A key as it is compared and shown.
pub(super) struct Shown {
    kind: String,
    blob: Vec<u8>,
}

impl Shown {
    pub(super) fn of(key: &PublicKey) -> Option<Self> {
        Some(Self { kind: key.algorithm().as_str().to_owned(), blob: key.to_bytes().ok()? })
    }

    pub(super) fn fingerprint(&self) -> Fingerprint {
        fingerprint(&self.blob)
    }

    /// `ssh-ed25519 SHA256:…`
    pub(super) fn show(&self) -> String {
        format!("{} {}", self.kind, self.fingerprint())
    }
}

fn fingerprint(blob: &[u8]) -> Fingerprint {
    let hash = digest::digest(&digest::SHA256, blob);
    let mut bytes = [0; 32];
    bytes.iter_mut().zip(hash.as_ref()).for_each(|(byte, from)| *byte = *from);
    Fingerprint::new(bytes)
}

impl Trust {
    pub(super) fn new(trust: &HostTrust, host: &str, port: u16) -> Result<Self, String> {
        Ok(match trust {
            HostTrust::Pinned(fingerprint) => Self::Pinned(*fingerprint),
            HostTrust::Anyone => Self::Anyone,
            HostTrust::KnownHosts(file) => {
                let listed = keys(file, host, port);
                if listed.iter().all(|known| known.revoked) {
                    return Err(format!("`known_hosts` lists no key of {host} at port {port}"));
                }
                Self::Listed(listed)
            }
        })
    }

    /// The types of keys that are listed: the server is asked for one of these first.
    pub(super) fn kinds(&self) -> Vec<&str> {
        match self {
            Self::Listed(listed) => listed.iter().map(|known| known.kind.as_str()).collect(),
            Self::Pinned(_) | Self::Anyone => Vec::new(),
        }
    }

    /// Why this key is not accepted, if it is not.
    pub(super) fn judge(&self, shown: &Shown) -> Result<(), String> {
        match self {
            Self::Anyone => Ok(()),
            Self::Pinned(pinned) if *pinned == shown.fingerprint() => Ok(()),
            Self::Pinned(pinned) => Err(format!(
                "the host key is not the pinned one: {pinned} is pinned, the server showed {}",
                shown.show()
            )),
            Self::Listed(listed) => {
                let mut same = listed.iter().filter(|known| known.blob == shown.blob).peekable();
                if same.peek().is_some() {
                    let revoked = same.any(|known| known.revoked);
                    return if revoked { Err(format!("the host key is revoked: {}", shown.show())) } else { Ok(()) };
                }
                let known: Vec<String> = listed
                    .iter()
                    .filter(|known| !known.revoked)
                    .map(|known| format!("{} {}", known.kind, fingerprint(&known.blob)))
                    .collect();
                let changed = listed.iter().any(|known| known.kind == shown.kind);
                let what = if changed { "the host key has changed" } else { "the host key is not known" };
                Err(format!("{what}: `known_hosts` lists {}, the server showed {}", known.join(", "), shown.show()))
            }
        }
    }
}
