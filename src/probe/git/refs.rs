//! The refs that a server lists, in any version of the protocol.

use std::collections::BTreeMap;

use super::super::broken::Broken;
use super::super::question::Seen;
use super::super::refused::refused;
use super::super::wire::git::{Advertisement, Capabilities, Hash, Line, Oid, Ref, listed};
use super::super::wire::pktline;
use super::answer::{Answer, Frame, protocol};
use super::{AGENT, Plan, Program, Transport};
use crate::model::FailureClass;

/// A longer list of refs has no end, in bytes.
const LONGEST_REF_LIST: u64 = 64 * 1024 * 1024;
/// So many refs are kept for expectations.
const MOST_REFS_KEPT: usize = 100_000;

/// What a server said of its repository.
pub(super) struct Known {
    pub(super) version: u8,
    pub(super) capabilities: Capabilities,
    pub(super) hash: Hash,
    pub(super) head: Option<Oid>,
    /// The branch that HEAD stands for.
    pub(super) branch: Option<String>,
    /// All refs, where they are wanted.
    pub(super) all: BTreeMap<String, Oid>,
    wanted: Option<Oid>,
    count: usize,
}

impl Known {
    /// What the ref that was asked for points to.
    pub(super) fn commit(&self, reference: &str) -> Result<Oid, Broken> {
        self.wanted.ok_or_else(|| {
            let fault = match (&self.branch, reference) {
                (Some(branch), "HEAD") => format!("HEAD stands for {branch}, which has no commit"),
                _ => format!("{reference} is not among the {} refs that the server lists", self.count),
            };
            Broken::failed(FailureClass::NotFound, fault)
        })
    }

    fn note(&mut self, found: Ref, plan: &Plan) -> Result<(), Broken> {
        self.count += usize::from(found.oid.is_some());
        if found.name == "HEAD" {
            self.head = found.oid;
            self.branch = found.target.clone().or(self.branch.take());
        }
        if found.name == plan.reference {
            self.wanted = found.oid;
        }
        if plan.keep_refs
            && let Some(oid) = found.oid
        {
            self.all.insert(found.name, oid);
            if self.all.len() > MOST_REFS_KEPT {
                return Err(protocol(format!(
                    "more than {MOST_REFS_KEPT} refs, which is more than can be looked at"
                )));
            }
        }
        Ok(())
    }
}

/// Begins the service and reads what the server says first; each ref goes to `note`.
pub(super) async fn advertised<T: Transport>(
    transport: &mut T,
    program: Program,
    seen: &mut Seen,
    mut note: impl FnMut(Ref) -> Result<(), Broken> + Send,
) -> Result<Advertisement, Broken> {
    transport.open(program, seen).await?;
    let mut answer = Answer::new(transport, "the server's greeting", LONGEST_REF_LIST);
    let mut said = Advertisement::default();
    let mut lines = 0_u32;
    loop {
        match answer.next(seen).await? {
            Frame::Data(line) => {
                match said.take(&line).map_err(|fault| protocol(format!("the server's greeting: {fault}")))? {
                    // Its flush follows, and then all else.
                    Line::Service => match answer.next(seen).await? {
                        Frame::Flush => continue,
                        _ => return Err(protocol("no flush follows the name of the service")),
                    },
                    Line::Ref(found) => note(found)?,
                    Line::Refused(words) => return Err(refused(&words)),
                    Line::Version(_) | Line::Capability | Line::Nothing => {}
                }
                lines = lines.saturating_add(1);
            }
            Frame::Flush if lines > 0 => break,
            Frame::Flush => return Err(protocol("the server's greeting says nothing")),
            Frame::Delimiter | Frame::ResponseEnd => {
                return Err(protocol("the server's greeting has a frame of another message"));
            }
        }
    }
    answer.end()?;
    Ok(said)
}

/// Lists the refs, as far as they are wanted.
pub(super) async fn list<T: Transport>(transport: &mut T, plan: &Plan, seen: &mut Seen) -> Result<Known, Broken> {
    let mut known = Known {
        version: 0,
        capabilities: Capabilities::default(),
        hash: Hash::Sha1,
        head: None,
        branch: None,
        all: BTreeMap::new(),
        wanted: None,
        count: 0,
    };
    let said = advertised(transport, Program::UploadPack, seen, |found| known.note(found, plan)).await?;
    known.hash = said.capabilities.hash().map_err(|fault| protocol(fault.to_string()))?;
    known.version = said.version;
    seen.headers.push(("git-protocol".into(), format!("version {}", said.version)));
    if let Some(agent) = said.capabilities.value("agent") {
        seen.headers.push(("agent".into(), agent.to_owned()));
    }
    known.capabilities = said.capabilities;
    if known.version == 2 {
        if !known.capabilities.has("ls-refs") {
            return Err(protocol("the server speaks version 2 and cannot list its refs"));
        }
        transport.send(question(&known, plan), seen).await?;
        let mut answer = Answer::new(transport, "the list of refs", LONGEST_REF_LIST);
        loop {
            match answer.next(seen).await? {
                Frame::Data(line) => {
                    let found = listed(&line).map_err(|fault| protocol(format!("the list of refs: {fault}")))?;
                    known.note(found, plan)?;
                }
                Frame::Flush => break,
                _ => return Err(protocol("the list of refs has a frame of another message")),
            }
        }
        answer.end()?;
    }
    Ok(known)
}

/// `ls-refs`, for no more than is wanted.
fn question(known: &Known, plan: &Plan) -> Vec<u8> {
    let mut message = command("ls-refs", &known.capabilities);
    pktline::push(&mut message, "symrefs\n");
    if known.capabilities.offers("ls-refs", "unborn") {
        pktline::push(&mut message, "unborn\n");
    }
    let mut prefixes = vec!["HEAD"];
    if plan.keep_refs {
        prefixes.extend(["refs/heads/", "refs/tags/"]);
    }
    if plan.reference != "HEAD" {
        prefixes.push(&plan.reference);
    }
    for prefix in prefixes {
        pktline::push(&mut message, &format!("ref-prefix {prefix}\n"));
    }
    pktline::flush(&mut message);
    message
}

/// The beginning of a message of version 2, up to its own arguments.
pub(super) fn command(name: &str, capabilities: &Capabilities) -> Vec<u8> {
    let mut message = Vec::new();
    pktline::push(&mut message, &format!("command={name}\n"));
    if capabilities.has("agent") {
        pktline::push(&mut message, AGENT);
    }
    if let Some(hash) = capabilities.value("object-format") {
        pktline::push(&mut message, &format!("object-format={hash}\n"));
    }
    pktline::delimiter(&mut message);
    message
}
