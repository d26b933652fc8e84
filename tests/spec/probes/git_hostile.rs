//! Git servers that misbehave: each gives its class in time, and no more is read than is bounded.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tripline::model::{CheckResult, FailureClass, GitTarget, Outcome, Secrets};

use super::git::{asking, fetch, refs};
use super::{check_with, class_and_fault};
use crate::servers::Server;

pub(crate) const OID: &str = "7217a7c7e582c46cec22a130adf4b9d7d950fba0";

pub(crate) fn line(payload: &[u8]) -> Vec<u8> {
    [format!("{:04x}", payload.len() + 4).as_bytes(), payload].concat()
}

/// What a server of version 0 says first, of a repository whose only commit is this.
pub(crate) fn greeting(commit: &str) -> Vec<u8> {
    let first = format!("{commit} HEAD\0shallow side-band-64k ofs-delta symref=HEAD:refs/heads/main\n");
    [line(first.as_bytes()), line(format!("{commit} refs/heads/main\n").as_bytes()), b"0000".to_vec()].concat()
}

/// The answer to a fetch, with this as the pack.
pub(crate) fn fetched(pack: &[u8]) -> Vec<u8> {
    let mut answer = [line(format!("shallow {OID}").as_bytes()), b"0000".to_vec(), line(b"NAK\n")].concat();
    for part in pack.chunks(1_000) {
        answer.extend(line(&[&[1], part].concat()));
    }
    answer.extend(b"0000");
    answer
}

/// A pack with one entry of these first bytes and this content, deflated.
pub(crate) fn pack(entry: &[u8], content: &[u8]) -> Vec<u8> {
    let mut deflated = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    deflated.write_all(content).unwrap();
    [&b"PACK\0\0\0\x02\0\0\0\x01"[..], entry, &deflated.finish().unwrap(), &[7; 20]].concat()
}

fn head(service: &str, length: Option<usize>) -> Vec<u8> {
    let length = length.map(|length| format!("content-length: {length}\r\n")).unwrap_or_default();
    format!("HTTP/1.1 200 OK\r\ncontent-type: application/x-git-upload-pack-{service}\r\n{length}\r\n").into()
}

/// A server that greets so, and answers whatever else so.
pub(crate) async fn serving(greeting: Vec<u8>, answer: Vec<u8>) -> Server {
    let (greeting, answer): (Arc<[u8]>, Arc<[u8]>) = (greeting.into(), answer.into());
    Server::answering(None, Duration::ZERO, move |mut stream, request| {
        let (greeting, answer) = (greeting.clone(), answer.clone());
        Box::pin(async move {
            let (what, said) =
                if request.starts_with("GET ") { ("advertisement", greeting) } else { ("result", answer) };
            let length = request.lines().find_map(|line| line.strip_prefix("content-length: "));
            let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
            stream.read_exact(&mut body).await.unwrap();
            let _ = stream.write_all(&[&head(what, Some(said.len()))[..], &said].concat()).await;
            let _ = stream.shutdown().await;
        })
    })
    .await
}

async fn within(target: GitTarget, timeout: Duration) -> CheckResult {
    let began = Instant::now();
    let result = check_with(asking(target, timeout, &[]), Secrets::default()).await;
    assert!(began.elapsed() < timeout + Duration::from_millis(500), "{:?}", began.elapsed());
    result
}

const LIMIT: Duration = Duration::from_secs(5);

#[tokio::test]
async fn a_greeting_that_is_no_pkt_lines_is_told_as_what_it_is() {
    let cases: [(&[u8], FailureClass, &str); 6] = [
        (b"0003", FailureClass::Protocol, "the server's greeting: a pkt-line of the length 0003, which cannot be"),
        (b"ffffabc", FailureClass::Protocol, "the server's greeting: a pkt-line of 65535 bytes; 65520 are the most"),
        (
            b"<!DOCTYPE html>",
            FailureClass::Protocol,
            "the server's greeting: `<!DO` where the four digits of a pkt-line should be",
        ),
        (b"000bnot a ref", FailureClass::Protocol, "the server's greeting: `not a r` is no ref"),
        (b"0000", FailureClass::Protocol, "the server's greeting says nothing"),
        (b"00ffshort", FailureClass::Corrupt, "the server's greeting was cut short after 9 bytes"),
    ];
    for (greeting, class, fault) in cases {
        let server = serving(greeting.to_vec(), Vec::new()).await;
        // A second check of the same kind is not disturbed by the first.
        for _ in 0..2 {
            let result = within(refs(&server.url("/demo.git")), LIMIT).await;
            assert_eq!(class_and_fault(&result), (class, fault));
        }
    }
}

#[tokio::test]
async fn a_server_that_refuses_in_words_is_understood() {
    let server = serving(line(b"ERR Repository not found.\n"), Vec::new()).await;
    let result = within(refs(&server.url("/demo.git")), LIMIT).await;
    assert_eq!(class_and_fault(&result), (FailureClass::NotFound, "the server refused: Repository not found."));
}

#[tokio::test]
async fn packs_that_are_damaged_or_lie_are_corrupt() {
    let commit = b"tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n\nBegin\n";
    let entry = [0x90 | u8::try_from(commit.len() & 15).unwrap(), u8::try_from(commit.len() >> 4).unwrap()];
    let cases = [
        (pack(&entry, commit), "the pack is damaged: the checksum at its end is 0707070707"),
        // A delta of 16 TiB, and one that says ten bytes and becomes 32 MiB.
        (
            pack(&[0xe0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20, 0x05], b"delta"),
            "the pack is damaged: an object of 17592186044416 bytes is announced",
        ),
        (
            pack(&[0x6a, 0x05], &vec![0; 32 << 20]),
            "the pack is damaged: an object of 10 bytes is announced, and more came",
        ),
        (b"PACK\0\0\0\x02\0\0\0\x05".to_vec(), "the pack is damaged: the pack ends early: after 12 bytes"),
        (b"<html><body>".to_vec(), "the pack is damaged: `<htm` where a pack should begin"),
        (empty(), "the pack of 0 objects does not have 7217a7c7e582c46cec22a130adf4b9d7d950fba0"),
    ];
    for (pack, fault) in cases {
        let server = serving(greeting(OID), fetched(&pack)).await;
        let result = within(fetch(&server.url("/demo.git")), LIMIT).await;
        let (class, said) = class_and_fault(&result);
        assert_eq!(class, FailureClass::Corrupt, "{said}");
        assert!(said.starts_with(fault), "{said}");
    }
    let server = serving(greeting(OID), [line(b"NAK\n"), line(b"\x03fatal: out of memory")].concat()).await;
    let result = within(fetch(&server.url("/demo.git")), LIMIT).await;
    assert_eq!(class_and_fault(&result), (FailureClass::ServerError, "the server refused: fatal: out of memory"));
}

fn empty() -> Vec<u8> {
    tripline::probe::wire::pack::empty(tripline::probe::wire::git::Hash::Sha1)
}

/// A server whose answer to the nth request and all after it goes on and on; it counts what it got rid of.
pub(crate) async fn endless(greeting: Vec<u8>, more: Vec<u8>) -> (Server, Arc<AtomicUsize>) {
    let sent: Arc<AtomicUsize> = Arc::default();
    let (count, greeting, more): (_, Arc<[u8]>, Arc<[u8]>) = (sent.clone(), greeting.into(), more.into());
    let server = Server::answering(None, Duration::ZERO, move |mut stream, request| {
        let (count, greeting, more) = (count.clone(), greeting.clone(), more.clone());
        Box::pin(async move {
            if request.starts_with("GET ") && greeting.ends_with(b"0000") {
                let head = head("advertisement", Some(greeting.len()));
                let _ = stream.write_all(&[&head[..], &greeting].concat()).await;
                return;
            }
            let what = if request.starts_with("GET ") { "advertisement" } else { "result" };
            let _ = stream.write_all(&[&head(what, None)[..], &greeting[..0]].concat()).await;
            let _ = stream.write_all(if what == "result" { b"0008NAK\n" } else { &greeting }).await;
            while stream.write_all(&more).await.is_ok() {
                count.fetch_add(more.len(), Ordering::Relaxed);
            }
        })
    })
    .await;
    (server, sent)
}

#[tokio::test]
async fn a_list_of_refs_or_a_pack_without_end_is_cut_off() {
    let long = line(format!("{OID} refs/heads/{}\n", "a".repeat(8_000)).as_bytes());
    let (server, sent) = endless(line(format!("{OID} HEAD\0shallow\n").as_bytes()), long.repeat(8)).await;
    let result = within(refs(&server.url("/demo.git")), Duration::from_secs(20)).await;
    let said = "the server's greeting has more than 67108864 bytes";
    assert_eq!(class_and_fault(&result), (FailureClass::Protocol, said));
    assert!(sent.load(Ordering::Relaxed) < 80 << 20, "{sent:?}");

    // Progress without end, and a pack that goes on beyond what is received: stored blocks of an object of 200 MiB.
    let progress = line(&[b"\x02", &[b'.'; 60_000][..]].concat());
    let (server, _) = endless(greeting(OID), progress).await;
    let result = within(fetch(&server.url("/demo.git")), Duration::from_secs(20)).await;
    assert_eq!(
        class_and_fault(&result),
        (FailureClass::Protocol, "the answer to the fetch has more than 17825792 bytes")
    );
}

#[tokio::test]
async fn a_pack_longer_than_its_cap_is_corrupt() {
    let content: Vec<u8> = (0..200_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()).collect();
    let size = content.len();
    let mut entry = vec![0xb0 | u8::try_from(size & 15).unwrap()];
    let mut rest = size >> 4;
    while rest > 0 {
        entry.push(u8::try_from(rest & 0x7f).unwrap() | if rest > 0x7f { 0x80 } else { 0 });
        rest >>= 7;
    }
    let server = serving(greeting(OID), fetched(&pack(&entry, &content))).await;
    let target = GitTarget { pack_cap: 100_000, ..fetch(&server.url("/demo.git")) };
    let result = within(target, LIMIT).await;
    let said = "the pack has more than the 100000 bytes of `pack_cap`";
    assert_eq!(class_and_fault(&result), (FailureClass::Corrupt, said));
}

#[tokio::test]
async fn a_server_that_says_nothing_or_drips_is_a_timeout_and_one_that_resets_is_no_connection() {
    let limit = Duration::from_millis(600);
    let silent = Server::raw(|stream| {
        Box::pin(async move {
            let _stream = stream;
            std::future::pending::<()>().await;
        })
    })
    .await;
    let result = within(refs(&silent.url("/demo.git")), limit).await;
    assert_eq!(class_and_fault(&result).0, FailureClass::Timeout);
    let dripping = Server::answering(None, Duration::ZERO, |mut stream, _| {
        Box::pin(async move {
            let _ = stream.write_all(&head("advertisement", None)).await;
            for byte in greeting(OID) {
                let _ = stream.write_all(&[byte]).await;
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        })
    })
    .await;
    let result = within(refs(&dripping.url("/demo.git")), limit).await;
    let (class, fault) = class_and_fault(&result);
    assert_eq!(class, FailureClass::Timeout);
    assert!(fault.starts_with("no whole answer within 600ms: reading the body for "), "{fault}");
    let reset = Server::raw(|stream| {
        Box::pin(async move {
            let _ = stream.set_zero_linger();
        })
    })
    .await;
    let result = within(refs(&reset.url("/demo.git")), limit).await;
    assert_eq!(class_and_fault(&result).0, FailureClass::Connect);
    let good = serving(greeting(OID), Vec::new()).await;
    let result = within(refs(&good.url("/demo.git")), limit).await;
    assert_eq!(result.outcome, Outcome::Success, "the next check is not disturbed: {result:?}");
}
