//! The shapes of the kinds that speak to a forge.

use schemars::JsonSchema;

use super::{Tls, Word};

/// A Git repository: the server lists its refs, and gives a commit. `{{label}}` in `url`, `ref`, `push` and `auth` is
/// filled in for each probe.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Git {
    /// The repository: `https://forge.example/acme/demo.git`, without user and password.
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
    /// How certificates are judged and shown; see TLS options. Default: the system's roots.
    pub tls: Option<Tls>,
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
}
