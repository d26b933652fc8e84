//! `ssh`: an SSH server whose key is verified; and how that is written, the same for every kind that speaks SSH.

use super::Around;
use super::tcp::host_and_port;
use crate::config::reader::{Entry, Reader, Table};
use crate::config::text::{Template, Values};
use crate::model::kind::Fingerprint;
use crate::model::{HostTrust, SshTarget};

pub(in crate::config) const KEYS: &[&str] = &["to", "known_hosts", "fingerprint", "skip_verify"];
pub(in crate::config) const TRUST_KEYS: &[&str] = &["known_hosts", "fingerprint", "skip_verify"];

/// A server whose labels are still open.
pub(in crate::config) struct SshShape {
    to: Template,
    trust: HostTrust,
}

pub(super) fn read(reader: &mut Reader<'_>, entry: Entry<'_>, around: &mut Around<'_>) -> Option<SshShape> {
    let table = reader.table(entry, KEYS, "write `ssh: {to: \"git.example.com:22\", fingerprint: \"SHA256:…\"}`")?;
    let to = reader
        .need(&table, "to", "say where to: `to: git.example.com:22`")
        .and_then(|entry| reader.template(entry, around.given));
    if let Some(to) = to.as_ref().filter(|_| around.given.all) {
        host_and_port(reader, to, &around.given.labels);
    }
    let trust = trust(reader, &table);
    Some(SshShape { to: to?, trust: trust? })
}

/// `known_hosts`, `fingerprint` or `skip_verify`: one of them must be there.
pub(super) fn trust(reader: &mut Reader<'_>, table: &Table<'_>) -> Option<HostTrust> {
    let remedy = "give `fingerprint: \"SHA256:…\"` (`ssh-keyscan HOST | ssh-keygen -lf -`), or `known_hosts: FILE`";
    let known = table.get("known_hosts").map(|entry| Some(HostTrust::KnownHosts(reader.file(entry)?.0.into())));
    let pinned = table.get("fingerprint").map(|entry| {
        let text = reader.text(entry)?;
        let found = Fingerprint::parse(text.value.trim());
        if found.is_none() {
            let fault = format!("`{}` is no fingerprint of a key", text.show());
            reader.fault(text.place, fault, "write what `ssh-keygen -l` prints: `SHA256:` and 43 characters");
        }
        Some(HostTrust::Pinned(found?))
    });
    let anyone = table.get("skip_verify").map(|entry| reader.flag(entry)).unwrap_or(Some(false))?;
    match (known, pinned, anyone) {
        (None, None, true) => Some(HostTrust::Anyone),
        (Some(trust), None, false) | (None, Some(trust), false) => trust,
        (None, None, false) => {
            reader.fault(table.at, "nothing says which key the server must have", remedy);
            None
        }
        _ => {
            reader.fault(table.at, "it is said in several ways which key the server must have", remedy);
            None
        }
    }
}

impl SshShape {
    pub(super) fn skips_verification(&self) -> bool {
        self.trust == HostTrust::Anyone
    }

    /// The server for these labels.
    pub(super) fn fill(&self, reader: &mut Reader<'_>, values: &Values<'_>) -> Option<SshTarget> {
        let (host, port) = host_and_port(reader, &self.to, values)?;
        Some(SshTarget { host, port, trust: self.trust.clone() })
    }
}
