//! The Git kind: the server lists its refs, gives a commit, takes a branch and lets it be deleted.

mod answer;
mod fetch;
mod http;
mod push;
mod refs;
mod ssh;

pub(super) use ssh::quoted;

use bytes::Bytes;

use self::http::HttpForge;
use self::ssh::SshForge;
use super::broken::Broken;
use super::expect::mentioned;
use super::question::{Question, Seen};
use super::shared::Shared;
use super::stopwatch::Trace;
use super::wire::git::Oid;
use crate::model::condition::Fact;
use crate::model::{GitDepth, GitTarget, Probe, Remote};

/// Names itself to servers.
const AGENT: &str = concat!("agent=tripline/", env!("CARGO_PKG_VERSION"));

/// A repository that can be looked at again and again.
pub(super) struct GitProbe {
    forge: Forge,
    plan: Plan,
}

enum Forge {
    Http(HttpForge),
    Ssh(Box<SshForge>),
}

/// What a check does, whichever way the repository is reached.
struct Plan {
    depth: GitDepth,
    reference: String,
    push: Option<String>,
    pack_cap: u64,
    /// Whether an expectation looks at all refs.
    keep_refs: bool,
}

/// What is asked of a server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Program {
    UploadPack,
    ReceivePack,
}

impl Program {
    fn name(self) -> &'static str {
        match self {
            Self::UploadPack => "git-upload-pack",
            Self::ReceivePack => "git-receive-pack",
        }
    }
}

/// The way to a repository. Messages and answers are the same over all of them.
trait Transport: Send {
    /// Begins a service; what the server says first can then be read.
    fn open(&mut self, program: Program, seen: &mut Seen) -> impl Future<Output = Result<(), Broken>> + Send;

    /// Sends a message to the service that was opened last; its answer can then be read.
    fn send(&mut self, message: Vec<u8>, seen: &mut Seen) -> impl Future<Output = Result<(), Broken>> + Send;

    /// The next bytes that the server says; nothing when it is done.
    fn chunk(&mut self, seen: &mut Seen) -> impl Future<Output = Result<Option<Bytes>, Broken>> + Send;
}

impl GitProbe {
    pub(super) fn new(target: &GitTarget, probe: &Probe, shared: &mut Shared) -> Result<Self, String> {
        let forge = match &target.remote {
            Remote::Http(remote) => Forge::Http(HttpForge::new(remote, probe.resolve, shared)?),
            Remote::Ssh(remote) => Forge::Ssh(Box::new(SshForge::new(remote, probe.resolve, shared)?)),
        };
        let plan = Plan {
            depth: target.depth,
            reference: target.reference.clone(),
            push: target.push.clone(),
            pack_cap: target.pack_cap,
            keep_refs: mentioned(&probe.expect, "refs"),
        };
        Ok(Self { forge, plan })
    }
}

impl Question for GitProbe {
    async fn ask(&self, trace: &Trace, seen: &mut Seen) -> Result<(), Broken> {
        match &self.forge {
            Forge::Http(forge) => self.plan.follow(&mut forge.transport(trace), seen).await,
            Forge::Ssh(forge) => self.plan.follow(&mut forge.transport(trace), seen).await,
        }
    }
}

impl Plan {
    async fn follow<T: Transport>(&self, transport: &mut T, seen: &mut Seen) -> Result<(), Broken> {
        let known = refs::list(transport, self, seen).await?;
        let commit = known.commit(&self.reference)?;
        let mut bytes = 0;
        if self.depth == GitDepth::Fetch {
            bytes = fetch::one(transport, &known, commit, self.pack_cap, seen).await?;
        }
        if let Some(name) = &self.push {
            push::canary(transport, name, commit, seen).await?;
        }
        let text = |text: Option<String>| text.map_or(Fact::Null, |text| Fact::Text(text.into()));
        let oid = |oid: Option<Oid>| text(oid.map(|oid| oid.to_string()));
        seen.facts.extend([
            ("head", oid(known.head)),
            ("branch", text(known.branch)),
            ("commit", oid(Some(commit))),
            ("bytes", Fact::Int(i64::try_from(bytes).unwrap_or(i64::MAX))),
        ]);
        if self.keep_refs {
            let refs = known.all.into_iter().map(|(name, found)| (name, oid(Some(found))));
            seen.facts.push(("refs", Fact::Map(refs.collect())));
        }
        Ok(())
    }
}
