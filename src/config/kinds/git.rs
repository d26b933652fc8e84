//! `git`: a repository whose refs are listed, and from which a commit is fetched.

use super::remote::{self, RemoteShape};
use super::{Around, given_or};
use crate::config::problem::Place;
use crate::config::reader::{Entry, Reader};
use crate::config::text::{Template, Values, as_it_is};
use crate::config::words::size;
use crate::model::{GitDepth, GitTarget};

pub(in crate::config) const KEYS: &[&str] = &["url", "depth", "ref", "push", "pack_cap", "auth", "tls", "ssh"];

const PACK_CAP: u64 = 64 * 1024 * 1024;
const MOST_PACK_CAP: u64 = 1024 * 1024 * 1024;

/// A repository whose labels are still open.
pub(in crate::config) struct GitShape {
    pub(super) remote: RemoteShape,
    depth: GitDepth,
    reference: Option<Template>,
    push: Option<Template>,
    pack_cap: u64,
}

pub(super) fn read(reader: &mut Reader<'_>, entry: Entry<'_>, around: &mut Around<'_>) -> Option<GitShape> {
    let table = reader.table(entry, KEYS, "write `git: {url: \"https://forge.example/acme/demo.git\"}`")?;
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
    Some(GitShape {
        remote: remote?,
        depth: given_or(depth, GitDepth::default())?,
        reference: given_or(reference, None)?,
        push: given_or(push, None)?,
        pack_cap: given_or(pack_cap, PACK_CAP)?,
    })
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

impl GitShape {
    /// The repository for these labels.
    pub(super) fn fill(&self, reader: &mut Reader<'_>, values: &Values<'_>) -> Option<GitTarget> {
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
        Some(GitTarget { remote, depth: self.depth, reference, push, pack_cap: self.pack_cap })
    }
}
