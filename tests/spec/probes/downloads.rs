//! Downloads: archives that are sound, damaged, slow, or larger than memory should hold.

use std::process::{Command, Stdio};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tripline::model::kind::http::DOWNLOAD_VARIABLES;
use tripline::model::{CheckResult, Condition, Download, FailureClass, Integrity, Outcome, Probe, Secrets};

use super::measured::peak;
use super::{Asked, check_with, class_and_fault, probe, target};
use crate::servers::{Server, answer};

const ANY: Download =
    Download { sha256: None, min_size: 1, max_size: 1 << 30, integrity: None, min_throughput: None };

fn download(url: &str, wanted: Download) -> Asked {
    let mut asked = target(url);
    asked.download = Some(Arc::new(wanted));
    asked
}

async fn check(asked: Asked, expect: &[&str]) -> CheckResult {
    let expect: Vec<Condition> =
        expect.iter().map(|source| Condition::parse(source, DOWNLOAD_VARIABLES).unwrap()).collect();
    let probe = Probe { expect: expect.into(), ..probe(asked, Duration::from_secs(5), &[]) };
    check_with(probe, Secrets::default()).await
}

fn whole(headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\n{headers}content-length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

/// A program's output.
pub(crate) fn made(program: &str, words: &[&str], input: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut child = Command::new(program).args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut stdin, input) = (child.stdin.take().unwrap(), input.to_vec());
    let feed = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    feed.join().unwrap().unwrap();
    assert!(output.status.success());
    output.stdout
}

/// A gigabyte of zeros, which is a few megabytes of gzip in 64 members; made once.
pub(crate) fn bomb() -> &'static [u8] {
    static BOMB: OnceLock<Vec<u8>> = OnceLock::new();
    BOMB.get_or_init(|| made("/bin/sh", &["-c", "head -c 16777216 /dev/zero | gzip -1c"], b"").repeat(64))
}

fn gzip() -> Vec<u8> {
    let text: String = (0..20_000).map(|line| format!("line {line}\n")).collect();
    // Two members, one after the other, are one file (RFC 1952, section 2.2).
    [made("gzip", &["-c"], text.as_bytes()), made("gzip", &["-c9"], b"the end\n")].concat()
}

fn zip() -> Vec<u8> {
    let script = "import io,sys,zipfile\nfile=io.BytesIO()\narchive=zipfile.ZipFile(file,'w',8)\n\
        [archive.writestr(f'f{n}', sys.stdin.buffer.read(5000)) for n in range(4)]\narchive.close()\n\
        sys.stdout.buffer.write(file.getvalue())";
    let text: String = (0..3_000).map(|line| format!("line {line}\n")).collect();
    made("/usr/bin/python3", &["-c", script], text.as_bytes())
}

#[tokio::test]
async fn a_sound_archive_is_received_whole_and_its_facts_can_be_looked_at() {
    let archive = gzip();
    // As sha256sum(1) has it.
    let digits = String::from_utf8(made("sha256sum", &["-"], &archive)).unwrap()[..64].to_owned();
    let mut hash = [0; 32];
    for (at, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&digits[at * 2..at * 2 + 2], 16).unwrap();
    }
    let server = Server::fixed(None, whole("", &archive)).await;
    let wanted = Download { sha256: Some(hash), integrity: Some(Integrity::Gzip), ..ANY };
    let expect = [format!("sha256 == '{digits}'"), format!("bytes == {}", archive.len()), "throughput > 0".into()];
    let expect: Vec<&str> = expect.iter().map(String::as_str).collect();
    let mut asked = download(&server.url("/"), wanted);
    asked.body_cap = 100;
    let result = check(asked, &[&expect[..], &["size(body) <= 300"]].concat()).await;
    assert_eq!(result.outcome, Outcome::Success, "{result:?}");
    let head = server.requests().remove(0);
    assert!(head.contains("accept-encoding: identity\r\n"), "{head}");
    let result = check(download(&server.url("/"), Download { sha256: Some([7; 32]), ..ANY }), &[]).await;
    let said = format!("expected SHA-256 {}, it was {digits}", "07".repeat(32));
    assert_eq!(class_and_fault(&result), (FailureClass::Corrupt, &*said));
    let server = Server::fixed(None, whole("", &zip())).await;
    let result = check(download(&server.url("/"), Download { integrity: Some(Integrity::Zip), ..ANY }), &[]).await;
    assert_eq!(result.outcome, Outcome::Success, "{result:?}");
}

#[tokio::test]
async fn an_archive_that_is_damaged_or_something_else_is_corrupt() {
    let (gzip, zip) = (gzip(), zip());
    let flipped = |archive: &[u8]| {
        let mut other = archive.to_vec();
        other[archive.len() / 2] ^= 0x10;
        other
    };
    let page = b"<html>Sign in to go on</html>".to_vec();
    let cases = [
        (Integrity::Gzip, flipped(&gzip), "the gzip file is damaged: "),
        (Integrity::Gzip, gzip[..gzip.len() - 30].to_vec(), "the gzip file is damaged: "),
        (Integrity::Gzip, page.clone(), "the gzip file is damaged: it is no gzip file"),
        (Integrity::Zip, flipped(&zip), "the ZIP archive is damaged: "),
        (
            Integrity::Zip,
            zip[..zip.len() - 30].to_vec(),
            "the ZIP archive is damaged: the archive ends early, after ",
        ),
        (Integrity::Zip, page, "the ZIP archive is damaged: it is no ZIP archive"),
    ];
    for (integrity, body, said) in cases {
        let server = Server::fixed(None, whole("", &body)).await;
        let wanted = Download { integrity: Some(integrity), ..ANY };
        let result = check(download(&server.url("/"), wanted), &[]).await;
        let (class, fault) = class_and_fault(&result);
        assert_eq!(class, FailureClass::Corrupt, "{fault}");
        assert!(fault.starts_with(said), "{fault}");
    }
}

#[tokio::test]
async fn sizes_are_bounds_and_what_is_told_to_be_too_large_is_not_read() {
    let server = Server::fixed(None, whole("", &[b'x'; 1_000])).await;
    let asked = |min_size, max_size| download(&server.url("/"), Download { min_size, max_size, ..ANY });
    assert_eq!(check(asked(1_000, 1_000), &[]).await.outcome, Outcome::Success);
    let result = check(asked(1_001, 2_000), &[]).await;
    assert_eq!(class_and_fault(&result), (FailureClass::Corrupt, "expected at least 1001 bytes, it has 1000"));
    let result = check(asked(1, 999), &[]).await;
    assert_eq!(class_and_fault(&result), (FailureClass::Corrupt, "expected at most 999 bytes, it is to have 1000"));
    let endless = Server::answering(None, Duration::ZERO, |mut stream, _| {
        Box::pin(async move {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
            while stream.write_all(&[b'x'; 4096]).await.is_ok() {}
        })
    })
    .await;
    let result = check(download(&endless.url("/"), Download { max_size: 100_000, ..ANY }), &[]).await;
    assert_eq!(class_and_fault(&result), (FailureClass::Corrupt, "expected at most 100000 bytes, it has more"));
    let empty = Server::fixed(None, answer("200 OK", "", "")).await;
    let result = check(download(&empty.url("/"), ANY), &[]).await;
    assert_eq!(class_and_fault(&result), (FailureClass::Corrupt, "expected at least 1 bytes, it has 0"));
}

#[tokio::test]
async fn a_status_of_failure_comes_first_and_an_unasked_encoding_is_not_undone() {
    let gone = Server::fixed(None, answer("404 Not Found", "", "gone")).await;
    let result = check(download(&gone.url("/"), ANY), &["timing.total < duration('5s')"]).await;
    let said = "expected a 2xx status to download, status was 404 Not Found";
    assert_eq!(class_and_fault(&result), (FailureClass::NotFound, said));
    let archive = gzip();
    let server = Server::fixed(None, whole("content-encoding: gzip\r\n", &archive)).await;
    let wanted = Download { integrity: Some(Integrity::Gzip), ..ANY };
    let result = check(download(&server.url("/"), wanted), &[&format!("bytes == {}", archive.len())]).await;
    assert_eq!(result.outcome, Outcome::Success, "{result:?}");
}

/// Sends so many bytes in each tenth of a second.
async fn slow(each: usize, times: usize) -> Server {
    Server::answering(None, Duration::ZERO, move |mut stream, _| {
        Box::pin(async move {
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", each * times);
            let _ = stream.write_all(head.as_bytes()).await;
            for _ in 0..times {
                let _ = stream.write_all(&vec![b'x'; each]).await;
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        })
    })
    .await
}

#[tokio::test]
async fn a_slow_download_is_an_expectation_and_one_that_never_ends_a_timeout() {
    let server = slow(1_000, 5).await;
    let asked = |least| download(&server.url("/"), Download { min_throughput: Some(least), ..ANY });
    assert_eq!(check(asked(1_000), &[]).await.outcome, Outcome::Success);
    let result = check(asked(1 << 20), &[]).await;
    let (class, fault) = class_and_fault(&result);
    assert_eq!(class, FailureClass::Expectation);
    assert!(fault.starts_with("expected at least 1048576 bytes a second, it came with "), "{fault}");
    assert!(fault.contains(": 5000 bytes in "), "{fault}");
    let server = slow(1, 10_000).await;
    let probe = probe(download(&server.url("/"), ANY), Duration::from_millis(500), &[]);
    let result = check_with(probe, Secrets::default()).await;
    let (class, fault) = class_and_fault(&result);
    assert_eq!(class, FailureClass::Timeout);
    assert!(fault.starts_with("no whole answer within 500ms: reading the body for "), "{fault}");
    assert!(result.phases.total < Duration::from_secs(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_is_never_in_memory_as_a_whole() {
    // A gzip file of 64 MiB of noise, and one of 1 GiB of zeros, which is a few megabytes: both are 64 times what may grow.
    let noise = made("/bin/sh", &["-c", "head -c 67108864 /dev/urandom | gzip -1c"], b"");
    let bodies: [Arc<[u8]>; 2] = [noise.into(), bomb().into()];
    let sent = bodies.clone();
    let (tell, mut told) = tokio::sync::mpsc::channel::<()>(1);
    let server = Server::answering(None, Duration::ZERO, move |mut stream, head| {
        let body = sent[usize::from(head.starts_with("GET /zeros"))].clone();
        let tell = tell.clone();
        Box::pin(async move {
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
            stream.write_all(head.as_bytes()).await.unwrap();
            // Its last byte waits until the memory of the other side has been looked at.
            stream.write_all(&body[..body.len() - 1]).await.unwrap();
            tokio::time::sleep(Duration::from_millis(300)).await;
            tell.send(()).await.unwrap();
            tokio::time::sleep(Duration::from_millis(100)).await;
            stream.write_all(&body[body.len() - 1..]).await.unwrap();
            let _ = stream.shutdown().await;
        })
    })
    .await;
    for path in ["/noise", "/zeros"] {
        let folder = tempfile::tempdir().unwrap();
        let config = format!(
            "name: Forge\ncomponents: {{source: {{}}}}\nprobes:\n  archive:\n    component: source\n    timeout: 30s\n    \
             http: {{url: '{}', download: {{integrity: gzip, min_size: 1MiB}}}}\n    expect: [sha256.size() == 64]\n",
            server.url(path)
        );
        std::fs::write(folder.path().join("probes.yaml"), config).unwrap();
        let mut once = Command::new(env!("CARGO_BIN_EXE_tripline"));
        let child = once.arg("once").current_dir(folder.path()).env_remove("TRIPLINE_CONFIG").stdout(Stdio::piped());
        let child = child.spawn().unwrap();
        told.recv().await.unwrap();
        let peak = peak(child.id()).unwrap();
        let said = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap();
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stdout));
        println!("{path}: at most {peak} KiB");
        assert!(peak < 56 * 1024, "{path}: {peak} KiB");
    }
}
