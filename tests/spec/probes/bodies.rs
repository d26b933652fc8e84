use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use http::HeaderValue;
use tokio::io::AsyncWriteExt;
use tripline::model::{FailureClass, Outcome, Secrets};

use super::{check, check_with, class_and_fault, failure, get, probe, target};
use crate::servers::{Server, answer};

#[tokio::test]
async fn a_body_that_ends_early_is_corrupt() {
    let short = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc";
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nabc";
    let gzip = "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 5\r\n\r\nno gz";
    for text in [short, chunked, gzip] {
        let server = Server::fixed(None, text).await;
        assert_eq!(class_and_fault(&get(&server.url("/")).await).0, FailureClass::Corrupt, "{text}");
    }
}

#[tokio::test]
async fn a_body_is_read_up_to_its_cap_and_that_is_no_failure() {
    let server = Server::answering(None, Duration::ZERO, |mut stream, _| {
        Box::pin(async move {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
            while stream.write_all(&[b'x'; 4096]).await.is_ok() {}
        })
    })
    .await;
    let mut asked = target(&server.url("/"));
    asked.body_cap = 10_000;
    assert_eq!(check(asked.clone(), &["size(body) == 10000"]).await.outcome, Outcome::Success);
    let result = check(asked, &["json.ready"]).await;
    let said = "expected json.ready, but body is longer than the 10000 bytes that are read";
    assert_eq!(class_and_fault(&result), (FailureClass::Expectation, said));
    assert_eq!(failure(&result).1.body.len(), 8 * 1024);
}

#[tokio::test]
async fn a_compressed_bomb_is_read_up_to_the_same_cap() {
    // 200 MiB of nothing, as gzip(1) writes it.
    let mut gzip = Command::new("gzip").arg("-c").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = gzip.stdin.take().unwrap();
    let feed = std::thread::spawn(move || {
        let zeros = vec![0; 1 << 20];
        for _ in 0..200 {
            input.write_all(&zeros).unwrap();
        }
    });
    let bomb = gzip.wait_with_output().unwrap().stdout;
    feed.join().unwrap();
    let head = format!("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n", bomb.len());
    let server = Server::fixed(None, [head.as_bytes(), &bomb].concat()).await;
    let mut asked = target(&server.url("/"));
    asked.body_cap = 100_000;
    let result = check(asked, &["size(body) == 100000"]).await;
    assert_eq!(result.outcome, Outcome::Success, "{result:?}");
    assert!(result.phases.transfer.unwrap() < Duration::from_millis(1_500));
    assert!(server.requests()[0].contains("accept-encoding: gzip"));
}

#[tokio::test]
async fn no_secret_is_in_the_evidence() {
    let secret = "s3cr3t/+&x";
    let echo = format!(
        "HTTP/1.1 500 Oops\r\nset-cookie: session=abc\r\nx-echo: Bearer {secret}\r\n\r\n{}{secret}",
        "y".repeat(8 * 1024 - 5)
    );
    let server = Server::fixed(None, echo).await;
    let mut asked = target(&server.url("/"));
    asked.url.query_pairs_mut().append_pair("token", secret);
    asked.url.set_path("/s3cr3t%2F%2B&x/");
    let mut value = HeaderValue::from_str(&format!("Bearer {secret}")).unwrap();
    value.set_sensitive(true);
    asked.headers.insert("authorization", value);
    let secrets = Secrets::new([secret.to_owned()]);
    let expect = ["headers['x-echo'] == ''", "status == 200"];
    for expect in [&expect[..0], &expect[..1], &expect[1..]] {
        let result = check_with(probe(asked.clone(), Duration::from_secs(2), expect), secrets.clone()).await;
        let shown = format!("{result:?}");
        assert!(!shown.contains("s3cr3t"), "{shown}");
        assert!(!shown.contains("session=abc"), "{shown}");
        assert!(failure(&result).1.headers.contains(&("x-echo".into(), "Bearer [secret]".into())), "{shown}");
        assert!(failure(&result).1.body.len() <= 8 * 1024);
    }
    assert!(server.requests()[0].contains(secret), "it was sent nevertheless");
}

#[tokio::test]
async fn nothing_in_the_evidence_moves_the_cursor_of_a_terminal() {
    let evil = "\u{9b}31mRED\u{202e}";
    let body = format!("\x1b[31mRED\x07\0{evil}\r\nforged log line\ttab");
    let answer = answer("500 Oops", &format!("x-evil: {evil}\r\nlocation: http://[{evil}\r\n"), &body);
    let server = Server::fixed(None, answer.replace("500 Oops", "302 Found")).await;
    let redirected = get(&server.url("/")).await;
    assert!(class_and_fault(&redirected).1.starts_with("redirected to `http://[\u{fffd}31mRED\u{fffd}`"));
    let server = Server::fixed(None, answer).await;
    for expect in ["headers['x-evil'] == ''", "body == ''", "status == 200"] {
        let result = check(target(&server.url("/")), &[expect]).await;
        let evidence = failure(&result).1;
        let is_bad = |c: char| (c.is_control() && c != '\n' && c != '\t') || c == '\u{202e}';
        assert!(!evidence.fault.contains(|c| is_bad(c) || c == '\n'), "{evidence:?}");
        assert!(evidence.headers.iter().all(|(_, value)| !value.contains(char::is_control)), "{evidence:?}");
        assert!(!evidence.body.contains(is_bad), "{evidence:?}");
        assert!(evidence.body.ends_with("\nforged log line\ttab"), "{evidence:?}");
    }
}

#[tokio::test]
async fn a_password_in_the_url_is_sent_and_not_shown() {
    let server = Server::fixed(None, answer("500 Oops", "", "")).await;
    let result = get(&format!("http://user:hunter2@{}/", server.address)).await;
    assert_eq!(failure(&result).1.request, format!("GET {}", server.url("/")));
    assert!(server.requests()[0].contains("authorization: Basic dXNlcjpodW50ZXIy"));
}

#[tokio::test]
async fn method_headers_and_body_are_sent() {
    let server = Server::fixed(None, answer("204 No Content", "", "")).await;
    let mut asked = target(&server.url("/api"));
    asked.method = http::Method::POST;
    asked.body = "{}".into();
    asked.headers.insert("content-type", HeaderValue::from_static("application/json"));
    assert_eq!(check(asked, &[]).await.outcome, Outcome::Success);
    let request = server.requests().remove(0);
    assert!(request.starts_with("POST /api HTTP/1.1\r\ncontent-type: application/json\r\n"), "{request}");
    assert!(request.contains("content-length: 2\r\n"), "{request}");
    assert!(request.contains(&format!("user-agent: tripline/{}\r\n", env!("CARGO_PKG_VERSION"))), "{request}");
}
