//! What must hold of each parser, whatever bytes it is given. The fuzz targets call these, and so does the test that
//! replays their corpus.

use tripline::config::{Outside, load};
use tripline::probe::wire;

/// An outside that has one variable and one file.
struct Little;

impl Outside for Little {
    fn env(&self, name: &str) -> Option<String> {
        (name == "TOKEN").then(|| "s3cr3t".into())
    }

    fn file(&self, path: &str) -> Result<Vec<u8>, String> {
        if path == "a.pem" { Ok(b"-----BEGIN CERTIFICATE-----\n".to_vec()) } else { Err("no such file".into()) }
    }
}

/// Any text as probes.yaml is taken, or its problems are told, each at a place that is in the text.
pub(crate) fn probes_yaml(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match load("probes.yaml", text, &Little) {
        Ok(config) => assert!(!config.probes.is_empty(), "a configuration without probes was taken"),
        Err(problems) => {
            assert!(problems.count() > 0);
            assert!(!problems.to_string().contains("s3cr3t"), "a secret is shown");
        }
    }
}

/// Whatever a plugin prints is text and numbers, and no more than it printed.
pub(crate) fn perfdata(data: &[u8]) {
    let printed = wire::perfdata::parse(data);
    assert!(printed.text.len() <= 3 * data.len() + 1);
    assert!(printed.perf.len() <= data.len());
}

/// Whatever is fed as a ZIP archive, the verdict does not hang on how it is cut.
pub(crate) fn zip(data: &[u8]) {
    let verdict = |step: usize| {
        let mut check = wire::zip::Check::new();
        data.chunks(step).try_for_each(|part| check.feed(part))?;
        check.finish()
    };
    assert_eq!(verdict(data.len().max(1)).is_ok(), verdict(7).is_ok());
}

/// A check of one parser.
pub(crate) type Check = fn(&[u8]);

/// Whatever bytes come, and however they are cut, frames are found or a fault is told, and no more is kept than one.
pub(crate) fn pkt_line(data: &[u8]) {
    let mut decoder = wire::pktline::Decoder::default();
    let mut said = wire::git::Advertisement::default();
    let piece = usize::from(data.first().copied().unwrap_or(1)).max(1);
    for piece in data.chunks(piece) {
        decoder.feed(piece);
        loop {
            match decoder.frame() {
                Ok(Some(wire::pktline::Packet::Data(line))) => {
                    let _ = (said.take(line), wire::git::listed(line), wire::git::report(line));
                }
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(_) => return,
            }
        }
        assert!(decoder.left() <= wire::pktline::LONGEST + 4);
    }
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
    // Which fault is told may depend on it: an inflater that is given more at once stumbles earlier.
    assert_eq!(check(7).ok(), check(data.len().max(1)).ok());
}

/// Whatever a server of Git LFS says, and whatever is printed over SSH, is understood or its fault is told.
pub(crate) fn lfs(data: &[u8]) {
    let oid = "1".repeat(64);
    for operation in ["download", "upload"] {
        if let Ok(wire::lfs::Offer::Open { transfer: Some(action), .. }) = wire::lfs::batch(data, operation, &oid) {
            assert!(action.headers.len() <= 64);
        }
    }
    let _ = wire::lfs::authenticated(data);
    assert!(wire::lfs::message(data).is_none_or(|words| words.len() <= 1_024));
}

/// Whatever a mail server says is a reply, the beginning of one, or none; and its words can be shown.
pub(crate) fn smtp(data: &[u8]) {
    if let Ok(wire::step::Step::Whole(reply, taken)) = wire::smtp::reply(data) {
        assert!(taken <= data.len());
        let _ = (reply.text(), reply.enhanced(), reply.refusal());
    }
}

/// Whatever an IMAP server says is a response, the beginning of one, or none.
pub(crate) fn imap(data: &[u8]) {
    if let Ok(wire::step::Step::Whole(_, taken)) = wire::imap::response(data, 1024) {
        assert!(taken > 0 && taken <= data.len());
    }
}

/// Whatever arrives as a mail is read within bounds, or is none.
pub(crate) fn letter(data: &[u8]) {
    if let Some(letter) = wire::letter::letter(data) {
        assert!(letter.headers.len() <= 200 && letter.text.len() <= 512 * 1024);
        letter.header("authentication-results").map(wire::letter::authentication);
    }
}

/// Whatever a gRPC server says of its health is a state, or its fault is told.
pub(crate) fn grpc(data: &[u8]) {
    let _ = wire::grpc::response(data);
}

/// Whatever is stapled is a status, or none.
pub(crate) fn ocsp(data: &[u8]) {
    let _ = wire::ocsp::read(data);
}

/// Whatever a file of known hosts holds, no more keys are read than it has lines.
pub(crate) fn known_hosts(data: &[u8]) {
    let lines = data.split(|byte| *byte == b'\n').count();
    assert!(wire::known_hosts::keys(data, "forge.example", 22).len() <= lines);
}

/// The checks by the names of their targets: what the replay runs.
#[allow(dead_code, reason = "each fuzz target calls one of them only")]
pub(crate) const ALL: &[(&str, Check)] = &[
    ("probes_yaml", probes_yaml),
    ("perfdata", perfdata),
    ("zip", zip),
    ("pkt_line", pkt_line),
    ("pack", pack),
    ("lfs", lfs),
    ("smtp", smtp),
    ("imap", imap),
    ("letter", letter),
    ("grpc", grpc),
    ("ocsp", ocsp),
    ("known_hosts", known_hosts),
];
