//! Servers of Git LFS that misbehave: each gives its class in time, and tokens stay hidden.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tripline::model::{CheckResult, FailureClass, LfsTarget, Outcome, Secrets};

use super::lfs::{asking, file};
use super::{check_with, class_and_fault, failure};
use crate::servers::{Server, answer};

/// The SHA-256 of `hello\n`, and of nothing that is served here.
pub(crate) const HELLO: &str = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";

async fn within(target: LfsTarget, timeout: Duration) -> CheckResult {
    let began = Instant::now();
    let result = check_with(asking(target, timeout, &[]), Secrets::default()).await;
    assert!(began.elapsed() < timeout + Duration::from_millis(500), "{:?}", began.elapsed());
    result
}

/// An object of a batch, as the server at HOST has it.
pub(crate) fn object(size: u64, rest: &str) -> String {
    format!(r#"{{"objects": [{{"oid": "{HELLO}", "size": {size}, {rest}}}]}}"#)
}

pub(crate) const DOWNLOAD: &str = r#""actions": {"download": {"href": "http://HOST/file?sig=s1gnature", "header": {"Authorization": "Bearer t0ken"}}}"#;

/// Answers batches and the request for the file; HOST stands for the server.
pub(crate) async fn serving(batch: impl Into<String>, file: Vec<u8>) -> Server {
    let (batch, file): (Arc<str>, Arc<[u8]>) = (batch.into().into(), file.into());
    Server::answering(None, Duration::ZERO, move |mut stream, request| {
        let (batch, file) = (batch.clone(), file.clone());
        Box::pin(async move {
            let header = |name: &str| {
                request.lines().find_map(|line| line.strip_prefix(name)).map(|value| value.trim().to_owned())
            };
            let mut body = vec![0; header("content-length:").map_or(0, |length| length.parse().unwrap())];
            stream.read_exact(&mut body).await.unwrap();
            let said = match request.starts_with("POST ") {
                true => answer("200 OK", "", &batch.replace("HOST", &header("host:").unwrap())).into_bytes(),
                false => String::from_utf8_lossy(&file)
                    .replace("ECHO", &header("authorization:").unwrap_or_default())
                    .into_bytes(),
            };
            let _ = stream.write_all(&said).await;
            let _ = stream.shutdown().await;
        })
    })
    .await
}

const LIMIT: Duration = Duration::from_secs(5);

#[tokio::test]
async fn a_file_of_another_size_or_hash_or_cut_short_is_corrupt() {
    let good = answer("200 OK", "", "hello\n");
    let cases = [
        (6, answer("200 OK", "", "hullo\n"), "expected SHA-256 "),
        (6, answer("200 OK", "", "hello\nhello\n"), "expected 6 bytes, more came"),
        (6, answer("200 OK", "", "hell"), "expected 6 bytes, 4 came"),
        (6, "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nhel".into(), "the body arrived damaged or cut short"),
        (7, good.clone(), "expected 6 bytes, the server says that it has 7"),
    ];
    for (announced, said, fault) in cases {
        let server = serving(object(announced, DOWNLOAD), said.into()).await;
        let result = within(file(&server.url("/demo.git"), HELLO, 6), LIMIT).await;
        let (class, found) = class_and_fault(&result);
        assert_eq!(class, FailureClass::Corrupt, "{found}");
        assert!(found.starts_with(fault), "{found}");
    }
    let server = serving(object(6, DOWNLOAD), good.into()).await;
    let result = within(file(&server.url("/demo.git"), HELLO, 6), LIMIT).await;
    assert_eq!(result.outcome, Outcome::Success, "{result:?}");
}

#[tokio::test]
async fn what_the_server_gives_to_go_on_with_is_not_shown_when_it_is_said_back() {
    let said = answer("403 Forbidden", "x-echo: ECHO\r\n", "{\"message\": \"ECHO of sig=s1gnature may not\"}");
    // The answer is of the length before the echo.
    let said = said.replace("content-length: ", "x-length: ");
    let server = serving(object(6, DOWNLOAD), said.into()).await;
    let result = within(file(&server.url("/demo.git"), HELLO, 6), LIMIT).await;
    assert_eq!(class_and_fault(&result).0, FailureClass::Forbidden);
    let evidence = format!("{:?}", failure(&result).1);
    assert!(!evidence.contains("t0ken") && !evidence.contains("s1gnature"), "{evidence}");
    assert!(evidence.contains("[secret]"), "{evidence}");
}

#[tokio::test]
async fn answers_that_are_no_batches_are_told_without_what_may_be_secret_in_them() {
    let refused = object(6, r#""error": {"code": 422, "message": "no such hash"}"#);
    let elsewhere = DOWNLOAD.replace("http://HOST/file", "file:///etc/passwd");
    let cases = [
        ("<html>".to_owned(), FailureClass::Protocol, "the answer to the batch: what came is no JSON"),
        ("{\"objects\": {}}".into(), FailureClass::Protocol, "the answer to the batch: there are no `objects`"),
        (object(6, "\"x\": 1"), FailureClass::Protocol, "the batch does not say where the file is"),
        (object(6, &elsewhere), FailureClass::Protocol, "the batch leads to no http or https URL"),
        (refused, FailureClass::ClientError, "the server refused the download: 422: no such hash"),
        (" ".repeat(1 << 21), FailureClass::Protocol, "the answer to the batch has more than 1048576 bytes"),
        ("[".repeat(100_000), FailureClass::Protocol, "the answer to the batch: what came is no JSON"),
    ];
    for (batch, class, fault) in cases {
        let server = serving(batch, Vec::new()).await;
        // A second check is not disturbed by the first.
        for _ in 0..2 {
            let result = within(file(&server.url("/demo.git"), HELLO, 6), LIMIT).await;
            assert_eq!(class_and_fault(&result), (class, fault));
        }
    }
}

#[tokio::test]
async fn a_file_without_end_is_left_and_one_that_drips_is_a_timeout() {
    let sent: Arc<AtomicUsize> = Arc::default();
    let count = sent.clone();
    let server = Server::answering(None, Duration::ZERO, move |mut stream, request| {
        let count = count.clone();
        Box::pin(async move {
            if request.starts_with("POST ") {
                let host = request.lines().find_map(|line| line.strip_prefix("host: ")).unwrap().to_owned();
                let place = if request.contains("/dripping.git/") { "dripping" } else { "endless" };
                let batch = object(1 << 20, &DOWNLOAD.replace("HOST/file", &format!("{host}/{place}")));
                let _ = stream.write_all(answer("200 OK", "", &batch).as_bytes()).await;
                return;
            }
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
            if request.contains("/dripping") {
                while stream.write_all(b"x").await.is_ok() {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
            while stream.write_all(&[b'x'; 16 * 1024]).await.is_ok() {
                count.fetch_add(16 * 1024, Ordering::Relaxed);
            }
        })
    })
    .await;
    let result = within(file(&server.url("/demo.git"), HELLO, 1 << 20), LIMIT).await;
    assert_eq!(class_and_fault(&result), (FailureClass::Corrupt, "expected 1048576 bytes, more came"));
    assert!(sent.load(Ordering::Relaxed) < 16 << 20, "{sent:?}");
    let result = within(file(&server.url("/dripping.git"), HELLO, 1 << 20), Duration::from_millis(600)).await;
    assert_eq!(class_and_fault(&result).0, FailureClass::Timeout);
}
