//! `lfs`: a large file that is kept beside a repository.

use super::download::sha256;
use super::remote::Auth;
use super::remote::{self, RemoteShape};
use super::ssh::SshTrust;
use super::{Around, Kind, Open, Reach, given_or};
use crate::config::raw::keyed::keyed;
use crate::config::raw::word::Word;
use crate::config::reader::{Entry, Reader};
use crate::config::text::Values;
use crate::config::tls::Tls;
use crate::config::words::size;
use crate::model::{LfsTarget, ProbeKind, kind};

keyed! {
    /// A large file that is kept beside a repository: it is found, received and compared. `{{label}}` in `url` and `auth` is
    /// filled in for each probe.
    pub struct Lfs {
        /// The repository, as for git; or where its batches are asked for, when that ends with `/info/lfs`.
        pub url: String,
        /// The file's SHA-256, in 64 hexadecimal digits, as its pointer has it; put it in quotes.
        pub oid: Word,
        /// How many bytes the file has, as its pointer has it: a number, or one with KiB, MiB, GiB or TiB; up to 1TiB.
        pub size: Word,
        /// A file of about 80 bytes is uploaded too, another one each hour. Default: false.
        pub upload: Option<bool>,
        /// How the server lets us in; see Access to a forge. Default: as anyone.
        pub auth: Option<Auth>,
        /// How certificates of web servers are judged and shown; see TLS options. Default: the system's roots.
        pub tls: Option<Tls>,
        /// Over SSH, where it is required: which key the server must have; see Access to a forge. Default: none.
        pub ssh: Option<SshTrust>,
    }
}

const MOST_SIZE: u64 = 1 << 40;

pub(super) const KIND: Kind = Kind { variables: |_| kind::lfs::VARIABLES, reach: Reach::Server, read };

/// A file whose labels are still open.
struct LfsShape {
    remote: RemoteShape,
    oid: [u8; 32],
    size: u64,
    upload: bool,
}

fn read(reader: &mut Reader<'_>, entry: Entry<'_>, around: &mut Around<'_>) -> Option<Box<dyn Open>> {
    let table = reader.table(
        entry,
        Lfs::KEYS,
        "write `lfs: {url: \"https://forge.example/acme/demo.git\", oid: …, size: …}`",
    )?;
    let remote = remote::read(reader, &table, around);
    let pointer = "it stands in the pointer that `git lfs pointer --file=FILE` prints";
    let oid = reader.need(&table, "oid", pointer).and_then(|entry| sha256(reader, entry));
    let size = reader.need(&table, "size", pointer).and_then(|entry| size(reader, entry, MOST_SIZE));
    let upload = table.get("upload").map(|entry| reader.flag(entry));
    Some(Box::new(LfsShape {
        remote: remote?.with_web_servers_behind_ssh(),
        oid: oid?,
        size: size?,
        upload: given_or(upload, false)?,
    }))
}

impl Open for LfsShape {
    fn fill(&self, reader: &mut Reader<'_>, values: &Values<'_>) -> Option<ProbeKind> {
        let remote = self.remote.fill(reader, values)?;
        Some(ProbeKind::Lfs(LfsTarget {
            remote,
            tls: self.remote.tls.clone(),
            oid: self.oid,
            size: self.size,
            upload: self.upload,
        }))
    }

    fn skips_verification(&self) -> bool {
        self.remote.skips_verification()
    }
}
