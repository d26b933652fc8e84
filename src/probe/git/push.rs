//! A branch that is made and deleted again: whoever can push can do so.

use super::super::broken::Broken;
use super::super::question::Seen;
use super::super::refused::class;
use super::super::wire::git::{Capabilities, Hash, Oid, Report, report};
use super::super::wire::{pack, pktline};
use super::answer::{Answer, Frame, protocol};
use super::refs::advertised;
use super::{AGENT, Program, Transport};
use crate::model::FailureClass;

/// The longest report on a push, in bytes.
const LONGEST_REPORT: u64 = 1024 * 1024;

/// Makes the branch at this commit, sees that it is there, and deletes it. What an interrupted check left behind is
/// deleted first.
pub(super) async fn canary<T: Transport>(
    transport: &mut T,
    name: &str,
    commit: Oid,
    seen: &mut Seen,
) -> Result<(), Broken> {
    let (mut can, left) = look(transport, name, seen).await?;
    if let Some(left) = left {
        change(transport, &can, name, left, left.hash().none(), seen).await?;
        can = look(transport, name, seen).await?.0;
    }
    change(transport, &can, name, commit.hash().none(), commit, seen).await?;
    let (can, made) = look(transport, name, seen).await?;
    if made != Some(commit) {
        let fault = match made {
            None => format!("{name} was pushed and is not listed"),
            Some(made) => format!("{name} was pushed at {commit}, and is listed at {made}"),
        };
        return Err(Broken::failed(FailureClass::ServerError, fault));
    }
    change(transport, &can, name, commit, commit.hash().none(), seen).await
}

/// What the server can do, and where the branch is, if it is.
async fn look<T: Transport>(
    transport: &mut T,
    name: &str,
    seen: &mut Seen,
) -> Result<(Capabilities, Option<Oid>), Broken> {
    let mut found = None;
    let said = advertised(transport, Program::ReceivePack, seen, |listed| {
        if listed.name == name {
            found = listed.oid;
        }
        Ok(())
    })
    .await?;
    if said.version == 2 {
        return Err(protocol("the server takes no pushes in version 2 of the protocol"));
    }
    for word in ["report-status", "delete-refs"] {
        if !said.capabilities.has(word) {
            return Err(protocol(format!("the server does not offer `{word}`, which the push needs")));
        }
    }
    Ok((said.capabilities, found))
}

/// Moves the branch from one commit to another; the name of nothing stands for a branch that is not there.
async fn change<T: Transport>(
    transport: &mut T,
    can: &Capabilities,
    name: &str,
    from: Oid,
    to: Oid,
    seen: &mut Seen,
) -> Result<(), Broken> {
    let mut words = "report-status".to_owned();
    if can.has("agent") {
        words = format!("{words} {AGENT}");
    }
    if to.hash() != Hash::Sha1 {
        words = format!("{words} object-format={}", to.hash().word());
    }
    let mut message = Vec::new();
    pktline::push(&mut message, &format!("{from} {to} {name}\0 {words}"));
    pktline::flush(&mut message);
    if !to.is_none() {
        // The server has the commit; a pack must come all the same.
        message.extend(pack::empty(to.hash()));
    }
    transport.send(message, seen).await?;
    let what = if to.is_none() { "the branch could not be deleted" } else { "the push was refused" };
    let mut answer = Answer::new(transport, "the report on the push", LONGEST_REPORT);
    let mut done = false;
    loop {
        let line = match answer.next(seen).await? {
            Frame::Data(line) => line,
            Frame::Flush => break,
            _ => return Err(protocol("the report on the push has a frame of another message")),
        };
        match report(&line).map_err(|fault| protocol(format!("the report on the push: {fault}")))? {
            Report::Unpacked | Report::More => {}
            Report::NotUnpacked(why) => return Err(failed(what, &why)),
            Report::Done(changed) => done |= changed == name,
            Report::Refused(refused, why) if refused == name => return Err(failed(what, &why)),
            Report::Refused(..) => {}
        }
    }
    if done { Ok(()) } else { Err(protocol(format!("the report on the push does not speak of {name}"))) }
}

fn failed(what: &str, why: &str) -> Broken {
    Broken::failed(class(why), format!("{what}: {why}"))
}
