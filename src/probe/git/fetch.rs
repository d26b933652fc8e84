//! One commit, fetched: its pack is received within bounds, checked, and looked through for the commit.

use super::super::broken::Broken;
use super::super::question::Seen;
use super::super::refused::refused;
use super::super::wire::git::Oid;
use super::super::wire::pack::{Check, Fault};
use super::super::wire::{git, pktline};
use super::answer::{Answer, Frame, protocol};
use super::refs::{Known, command};
use super::{AGENT, Transport};
use crate::model::FailureClass;

/// So much of a pack is looked at before others get their turn, in bytes: inflated it may be a thousand times as much.
const PACK_SLICE: usize = 4 * 1024;
/// What may come beside the pack, in bytes: frames, progress.
const MOST_BESIDE_PACK: u64 = 16 * 1024 * 1024;

/// Fetches this commit alone, without its history and, where the server offers that, without the content of files.
/// Gives how many bytes its pack has.
pub(super) async fn one<T: Transport>(
    transport: &mut T,
    known: &Known,
    commit: Oid,
    most: u64,
    seen: &mut Seen,
) -> Result<u64, Broken> {
    transport.send(question(known, commit)?, seen).await?;
    let mut answer = Answer::new(transport, "the answer to the fetch", most.saturating_add(MOST_BESIDE_PACK));
    find_pack(&mut answer, known.version, seen).await?;
    let mut check = Check::new(commit);
    let corrupt = |fault: Fault| Broken::failed(FailureClass::Corrupt, format!("the pack is damaged: {fault}"));
    loop {
        let frame = answer.next(seen).await?;
        let Frame::Data(frame) = frame else {
            match frame {
                Frame::Flush => break,
                _ => return Err(protocol("the pack has a frame of another message")),
            }
        };
        // The bands of a frame: the pack, words for people, and why nothing more comes.
        match frame.split_first() {
            Some((1, part)) => {
                for slice in part.chunks(PACK_SLICE) {
                    check.feed(slice).map_err(corrupt)?;
                    tokio::task::yield_now().await;
                }
                if check.bytes() > most {
                    let fault = format!("the pack has more than the {most} bytes of `pack_cap`");
                    return Err(Broken::failed(FailureClass::Corrupt, fault));
                }
            }
            Some((2, _)) | None => {}
            Some((3, words)) => return Err(refused(&String::from_utf8_lossy(words))),
            Some((band, _)) => return Err(protocol(format!("the pack comes on band {band}, which does not exist"))),
        }
    }
    answer.end()?;
    let pack = check.finish().map_err(corrupt)?;
    if !pack.found {
        let fault = format!("the pack of {} objects does not have {commit}", pack.objects);
        return Err(Broken::failed(FailureClass::Corrupt, fault));
    }
    Ok(pack.bytes)
}

fn question(known: &Known, commit: Oid) -> Result<Vec<u8>, Broken> {
    let can = &known.capabilities;
    if known.version == 2 {
        if !can.has("fetch") {
            return Err(protocol("the server speaks version 2 and offers no fetch"));
        }
        if !can.offers("fetch", "shallow") {
            return Err(protocol("the server offers no fetch of a single commit (`shallow`)"));
        }
        let mut message = command("fetch", can);
        let filter = can.offers("fetch", "filter").then_some("filter blob:none\n");
        let want = format!("want {commit}\n");
        let lines =
            [Some("no-progress\n"), Some("ofs-delta\n"), filter, Some("deepen 1\n"), Some(&want), Some("done\n")];
        for line in lines.into_iter().flatten() {
            pktline::push(&mut message, line);
        }
        pktline::flush(&mut message);
        return Ok(message);
    }
    if !can.has("shallow") {
        return Err(protocol("the server offers no fetch of a single commit (`shallow`)"));
    }
    let Some(band) = ["side-band-64k", "side-band"].into_iter().find(|band| can.has(band)) else {
        return Err(protocol("the server offers no bands for its pack (`side-band-64k`)"));
    };
    let mut words = vec![band];
    words.extend(["no-progress", "ofs-delta", "filter"].into_iter().filter(|word| can.has(word)));
    words.push("shallow");
    if can.has("agent") {
        words.push(AGENT);
    }
    let format = can.value("object-format").map(|format| format!("object-format={format}"));
    words.extend(format.as_deref());
    let mut message = Vec::new();
    pktline::push(&mut message, &format!("want {commit} {}\n", words.join(" ")));
    pktline::push(&mut message, "deepen 1\n");
    if can.has("filter") {
        pktline::push(&mut message, "filter blob:none\n");
    }
    pktline::flush(&mut message);
    pktline::push(&mut message, "done\n");
    Ok(message)
}

/// Reads on to where the pack begins.
async fn find_pack<T: Transport>(answer: &mut Answer<'_, T>, version: u8, seen: &mut Seen) -> Result<(), Broken> {
    loop {
        let frame = answer.next(seen).await?;
        match (&frame, version) {
            (Frame::Data(line), 2) if git::text(line) == b"packfile" => return Ok(()),
            // Sections before it tell what is known already: that the history is cut.
            (Frame::Data(_) | Frame::Delimiter, 2) => {}
            (Frame::Data(line), _) if git::text(line) == b"NAK" || line.starts_with(b"ACK ") => return Ok(()),
            (Frame::Data(line), _) if line.starts_with(b"shallow ") || line.starts_with(b"unshallow ") => {}
            (Frame::Flush, 0 | 1) => {}
            (Frame::Data(line), _) => {
                let line = line.get(..80).unwrap_or(line).escape_ascii();
                return Err(protocol(format!("`{line}` where the answer to the fetch should be")));
            }
            _ => return Err(protocol("the answer to the fetch has no pack")),
        }
    }
}
