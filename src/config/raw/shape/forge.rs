//! The shapes of the kinds that speak to a forge.

use schemars::JsonSchema;

use super::{Tls, Word};

/// A Git repository: the server lists its refs, and gives a commit. `{{label}}` in `url`, `ref`, `push` and `auth` is
/// filled in for each probe.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Git {
    /// The repository: `https://forge.example/acme/demo.git`, `ssh://git@forge.example/acme/demo.git`, or
    /// `git@forge.example:acme/demo.git`; without a password.
    pub url: String,
    /// `refs`: the server lists its refs. `fetch`: then it gives one commit, in a pack that is checked. Default: refs.
    pub depth: Option<String>,
    /// What must be there: `HEAD`, or a whole name such as `refs/heads/main`. Default: HEAD.
    #[schemars(rename = "ref")]
    pub reference: Option<String>,
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

/// A large file that is kept beside a repository: it is found, received and compared. `{{label}}` in `url` and `auth` is
/// filled in for each probe.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
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

/// How a forge lets us in. `{{label}}` in it is filled in for each probe.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
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

/// Which key an SSH server must have: exactly one of these is given.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct SshTrust {
    /// A file of OpenSSH's `known_hosts` form that lists the server's keys.
    pub known_hosts: Option<String>,
    /// The fingerprint of its key: `SHA256:…`, as `ssh-keygen -l` prints it.
    pub fingerprint: Option<Word>,
    /// Accepts any key, and says so loudly. Default: false.
    pub skip_verify: Option<bool>,
}

/// An SSH server is greeted, keys are exchanged, and its own key is verified. Nobody logs in. `{{label}}` in `to` is
/// filled in for each probe.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
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
