//! What Git servers, servers of Git LFS and archives say, and which keys are known.

use tripline::probe::wire;

/// Whatever bytes come, and however they are cut, the same frames are found or a fault is told, and no more is kept than
/// one; each line of them is understood or its fault is told. What is written as a frame is read back.
pub(crate) fn pkt_line(data: &[u8]) {
    let piece = usize::from(data.first().copied().unwrap_or(1)).max(1);
    let whole = frames(data, data.len().max(1));
    assert_eq!(whole, frames(data, piece));
    let mut said = wire::git::Advertisement::default();
    for line in whole.0.iter().flatten() {
        let _ = (said.take(line), wire::git::report(line), wire::git::refusal(line));
        if let Ok(found) = wire::git::listed(line) {
            assert!(!found.name.is_empty() && !found.name.contains([' ', '\0', '\n']));
            if let Some(oid) = found.oid {
                assert_eq!(wire::git::Oid::parse(oid.to_string().as_bytes()), Some(oid));
            }
        }
    }
    let _ = (said.capabilities.hash(), said.capabilities.head());
    if let Ok(text) = std::str::from_utf8(data.get(..wire::pktline::LONGEST_PAYLOAD).unwrap_or(data)) {
        let mut written = Vec::new();
        wire::pktline::push(&mut written, text);
        wire::pktline::flush(&mut written);
        assert_eq!(frames(&written, piece), (vec![Some(text.as_bytes().to_vec()), None], None));
    }
}

/// The frames up to the first fault, and that fault.
fn frames(data: &[u8], piece: usize) -> (Vec<Option<Vec<u8>>>, Option<String>) {
    let mut decoder = wire::pktline::Decoder::default();
    let mut found = Vec::new();
    for piece in data.chunks(piece) {
        decoder.feed(piece);
        loop {
            match decoder.frame() {
                Ok(Some(wire::pktline::Packet::Data(line))) => found.push(Some(line.to_vec())),
                Ok(Some(_)) => found.push(None),
                Ok(None) => break,
                Err(fault) => return (found, Some(fault.to_string())),
            }
        }
        assert!(decoder.left() <= wire::pktline::LONGEST_PAYLOAD + 4);
    }
    (found, None)
}

/// Whatever is fed, a pack is sound or its fault is told, however it is cut.
pub(crate) fn pack(data: &[u8]) {
    let Some(wanted) = wire::git::Oid::parse(&[b'a'; 40]) else { return };
    let check = |piece: usize| {
        let mut check = wire::pack::Check::new(wanted);
        for piece in data.chunks(piece) {
            check.feed(piece)?;
        }
        check.finish()
    };
    let whole = check(data.len().max(1));
    // Which fault is told may depend on it: an inflater that is given more at once stumbles earlier.
    assert_eq!(check(7).ok(), whole.clone().ok());
    if let Ok(summary) = whole {
        assert_eq!(summary.bytes, data.len() as u64);
        assert!(summary.deltas <= summary.objects);
    }
}

/// Whatever is fed as a ZIP archive, how many entries are sound does not hang on how it is cut.
pub(crate) fn zip(data: &[u8]) {
    let verdict = |step: usize| {
        let mut check = wire::zip::Check::new();
        data.chunks(step).try_for_each(|part| check.feed(part))?;
        check.finish()
    };
    let whole = verdict(data.len().max(1)).ok();
    assert_eq!(whole, verdict(7).ok());
    // An entry takes 76 bytes at least: a header, and a line of the directory.
    assert!(whole.is_none_or(|entries| entries <= data.len() as u64 / 76));
}

/// Whatever a server of Git LFS says, and whatever is printed over SSH, is understood or its fault is told.
pub(crate) fn lfs(data: &[u8]) {
    let oid = "1".repeat(64);
    for operation in ["download", "upload"] {
        match wire::lfs::batch(data, operation, &oid) {
            Ok(wire::lfs::Offer::Open { transfer, verify, .. }) => {
                assert!([transfer, verify].iter().flatten().all(|action| action.headers.len() <= 64));
            }
            Ok(wire::lfs::Offer::Refused { message, .. }) => assert!(message.len() <= 1_024),
            Err(_) => {}
        }
    }
    assert!(wire::lfs::authenticated(data).map_or(0, |action| action.headers.len()) <= 64);
    assert!(wire::lfs::message(data).is_none_or(|words| words.len() <= 1_024));
}

/// Whatever a file of known hosts holds, no more keys are read than it has lines, and none is longer than its line.
pub(crate) fn known_hosts(data: &[u8]) {
    let lines = data.split(|byte| *byte == b'\n').count();
    for (host, port) in [("forge.example", 22), ("Forge.example", 7999)] {
        let keys = wire::known_hosts::keys(data, host, port);
        assert!(keys.len() <= lines);
        assert!(keys.iter().map(|key| key.blob.len()).sum::<usize>() <= data.len());
    }
}
