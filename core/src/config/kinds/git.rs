//! `git`: a repository whose refs are listed, and from which a commit is fetched.

use super::remote::Auth;
use super::remote::{self, RemoteShape};
use super::ssh::SshTrust;
use super::{Around, Kind, Open, Reach, given_or};
use crate::config::problem::Place;
use crate::config::raw::keyed::keyed;
use crate::config::raw::word::Word;
use crate::config::reader::{Entry, Reader};
use crate::config::text::{Template, Values, as_it_is};
use crate::config::tls::Tls;
use crate::config::words::size;
use crate::model::{GitDepth, GitTarget, ProbeKind, kind};

keyed! {
    /// A Git repository: the server lists its refs, and gives a commit. `{{label}}` in `url`, `ref`, `push` and `auth` is
    /// filled in for each probe.
    pub struct Git {
        /// The repository: `https://forge.example/acme/demo.git`, `ssh://git@forge.example/acme/demo.git`, or
        /// `git@forge.example:acme/demo.git`; without a password.
        pub url: String,
        /// `refs`: the server lists its refs. `fetch`: then it gives one commit, in a pack that is checked. Default: refs.
        pub depth: Option<String>,
        /// What must be there: `HEAD`, or a whole name such as `refs/heads/main`. Default: HEAD.
        pub r#ref: Option<String>,
        /// A branch for this probe alone that is made at the commit of `ref` and deleted again; its name begins with
        /// `refs/heads/tripline`. Default: nothing is pushed.
        pub push: Option<String>,
        /// The longest pack that is received: bytes, or with KiB or MiB, up to 1GiB. Default: 64MiB.
        pub pack_cap: Option<Word>,
        /// How the server lets us in; see Access to a forge. Default: as anyone.
        pub auth: Option<Auth>,
        /// Over HTTPS: how certificates are judged and shown; see TLS options. Default: the system's roots.
        pub tls: Option<Tls>,
        /// Over SSH, where it is required: which key the server must have; see Access to a forge. Default: none.
        pub ssh: Option<SshTrust>,
    }
}

const PACK_CAP: u64 = 64 * 1024 * 1024;
const MOST_PACK_CAP: u64 = 1024 * 1024 * 1024;

pub(super) const KIND: Kind = Kind { variables: |_| kind::git::VARIABLES, reach: Reach::Server, read };

/// A repository whose labels are still open.
struct GitShape {
    remote: RemoteShape,
    depth: GitDepth,
    reference: Option<Template>,
    push: Option<Template>,
    pack_cap: u64,
}

fn read(reader: &mut Reader<'_>, entry: Entry<'_>, around: &mut Around<'_>) -> Option<Box<dyn Open>> {
    let table = reader.table(entry, Git::KEYS, "write `git: {url: \"https://forge.example/acme/demo.git\"}`")?;
    let remote = remote::read(reader, &table, around);
    let depths = [("refs", GitDepth::Refs), ("fetch", GitDepth::Fetch)];
    let depth = table.get("depth").map(|entry| reader.choice(entry, &depths));
    let mut named = |name, sound: fn(&mut Reader<'_>, Place, &str) -> bool| {
        table.get(name).map(|entry| {
            let template = reader.template(entry, around.given)?;
            let tried = around.given.all.then(|| template.fill(&around.given.labels, as_it_is));
            tried.is_none_or(|text| sound(reader, template.place, &text)).then_some(Some(template))
        })
    };
    let (reference, push) = (named("ref", is_ref), named("push", is_branch));
    let pack_cap = table.get("pack_cap").map(|entry| size(reader, entry, MOST_PACK_CAP));
    Some(Box::new(GitShape {
        remote: remote?,
        depth: given_or(depth, GitDepth::default())?,
        reference: given_or(reference, None)?,
        push: given_or(push, None)?,
        pack_cap: given_or(pack_cap, PACK_CAP)?,
    }))
}

/// A name as git-check-ref-format(1) has it, as far as a server's pkt-line could be broken by another.
fn sound(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 4_096
        && !name.contains("..")
        && !name.contains("@{")
        && !name.chars().any(|c| c <= ' ' || c == '\u{7f}' || "~^:?*[\\".contains(c))
        && name.split('/').all(|part| !part.is_empty() && !part.starts_with('.') && !part.ends_with(".lock"))
        && !name.ends_with('.')
}

fn is_ref(reader: &mut Reader<'_>, place: Place, text: &str) -> bool {
    let is = sound(text) && (text == "HEAD" || text.starts_with("refs/"));
    if !is {
        reader.fault(place, format!("`{text}` is no ref"), "write `HEAD`, or the whole name: `refs/heads/main`");
    }
    is
}

fn is_branch(reader: &mut Reader<'_>, place: Place, text: &str) -> bool {
    let is = sound(text) && text.starts_with("refs/heads/tripline");
    if !is {
        // It is deleted after each check, whoever made it: nobody's work may be lost by a slip of the pen.
        let fault = format!("`{text}` is no branch whose name begins with `tripline`");
        reader.fault(place, fault, "write `refs/heads/tripline-canary`: it is deleted after each check");
    }
    is
}

impl Open for GitShape {
    fn fill(&self, reader: &mut Reader<'_>, values: &Values<'_>) -> Option<ProbeKind> {
        let remote = self.remote.fill(reader, values)?;
        let mut reference = "HEAD".to_owned();
        if let Some(template) = &self.reference {
            reference = template.fill(values, as_it_is);
            is_ref(reader, template.place, &reference).then_some(())?;
        }
        let push = self.push.as_ref().map(|template| (template.place, template.fill(values, as_it_is)));
        if let Some((place, push)) = &push {
            is_branch(reader, *place, push).then_some(())?;
            if *push == reference {
                let fault = "`push` and `ref` are the same branch, which would be deleted";
                reader.fault(*place, fault, "let `ref` be another: `HEAD`");
                return None;
            }
        }
        let push = push.map(|(_, push)| push);
        Some(ProbeKind::Git(GitTarget { remote, depth: self.depth, reference, push, pack_cap: self.pack_cap }))
    }

    fn skips_verification(&self) -> bool {
        self.remote.skips_verification()
    }
}
