//! `ssh`: an SSH server whose key is verified; and how that is written, the same for every kind that speaks SSH.

use super::tcp::host_and_port;
use super::{Around, Kind, Open, Reach};
use crate::config::raw::keyed::keyed;
use crate::config::raw::word::Word;
use crate::config::reader::{Entry, Reader, Table};
use crate::config::text::{Template, Values};
use crate::model::kind::Fingerprint;
use crate::model::{HostTrust, ProbeKind, SshTarget, kind};

keyed! {
    /// An SSH server is greeted, keys are exchanged, and its own key is verified. Nobody logs in. `{{label}}` in `to` is
    /// filled in for each probe.
    pub struct Ssh {
        /// Host and port: `git.example.com:22`.
        pub to: String,
        /// A file of OpenSSH's `known_hosts` form that lists the server's keys. Default: none.
        pub known_hosts: Option<String>,
        /// The fingerprint of its key: `SHA256:…`, as `ssh-keygen -l` prints it. Default: none.
        pub fingerprint: Option<Word>,
        /// Accepts any key, and says so loudly. Default: false.
        pub skip_verify: Option<bool>,
    }
}

keyed! {
    /// Which key an SSH server must have: exactly one of these is given.
    pub struct SshTrust {
        /// A file of OpenSSH's `known_hosts` form that lists the server's keys.
        pub known_hosts: Option<String>,
        /// The fingerprint of its key: `SHA256:…`, as `ssh-keygen -l` prints it.
        pub fingerprint: Option<Word>,
        /// Accepts any key, and says so loudly. Default: false.
        pub skip_verify: Option<bool>,
    }
}

pub(super) const KIND: Kind = Kind { variables: |_| kind::ssh::VARIABLES, reach: Reach::Server, read };

/// A server whose labels are still open.
struct SshShape {
    to: Template,
    trust: HostTrust,
}

fn read(reader: &mut Reader<'_>, entry: Entry<'_>, around: &mut Around<'_>) -> Option<Box<dyn Open>> {
    let table =
        reader.table(entry, Ssh::KEYS, "write `ssh: {to: \"git.example.com:22\", fingerprint: \"SHA256:…\"}`")?;
    let to = reader
        .need(&table, "to", "say where to: `to: git.example.com:22`")
        .and_then(|entry| reader.template(entry, around.given));
    if let Some(to) = to.as_ref().filter(|_| around.given.all) {
        host_and_port(reader, to, &around.given.labels);
    }
    let trust = trust(reader, &table);
    Some(Box::new(SshShape { to: to?, trust: trust? }))
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

impl Open for SshShape {
    fn skips_verification(&self) -> bool {
        self.trust == HostTrust::Anyone
    }

    fn fill(&self, reader: &mut Reader<'_>, values: &Values<'_>) -> Option<ProbeKind> {
        let (host, port) = host_and_port(reader, &self.to, values)?;
        Some(ProbeKind::Ssh(SshTarget { host, port, trust: self.trust.clone() }))
    }
}
