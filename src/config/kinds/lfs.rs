//! `lfs`: a large file that is kept beside a repository.

use super::download::sha256;
use super::remote::{self, RemoteShape};
use super::{Around, given_or};
use crate::config::reader::{Entry, Reader};
use crate::config::text::Values;
use crate::config::words::size;
use crate::model::LfsTarget;

pub(in crate::config) const KEYS: &[&str] = &["url", "oid", "size", "upload", "auth", "tls", "ssh"];

const MOST_SIZE: u64 = 1 << 40;

/// A file whose labels are still open.
pub(in crate::config) struct LfsShape {
    pub(super) remote: RemoteShape,
    oid: [u8; 32],
    size: u64,
    upload: bool,
}

pub(super) fn read(reader: &mut Reader<'_>, entry: Entry<'_>, around: &mut Around<'_>) -> Option<LfsShape> {
    let table =
        reader.table(entry, KEYS, "write `lfs: {url: \"https://forge.example/acme/demo.git\", oid: …, size: …}`")?;
    let remote = remote::read(reader, &table, around);
    let pointer = "it stands in the pointer that `git lfs pointer --file=FILE` prints";
    let oid = reader.need(&table, "oid", pointer).and_then(|entry| sha256(reader, entry));
    let size = reader.need(&table, "size", pointer).and_then(|entry| size(reader, entry, MOST_SIZE));
    let upload = table.get("upload").map(|entry| reader.flag(entry));
    Some(LfsShape {
        remote: remote?.with_web_servers_behind_ssh(),
        oid: oid?,
        size: size?,
        upload: given_or(upload, false)?,
    })
}

impl LfsShape {
    /// The file for these labels.
    pub(super) fn fill(&self, reader: &mut Reader<'_>, values: &Values<'_>) -> Option<LfsTarget> {
        let remote = self.remote.fill(reader, values)?;
        Some(LfsTarget { remote, tls: self.remote.tls.clone(), oid: self.oid, size: self.size, upload: self.upload })
    }
}
