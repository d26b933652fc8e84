use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tripline::model::{FailureClass, Outcome};

use super::{check, class_and_fault, failure, get, target};
use crate::servers::{Server, answer};

#[tokio::test]
async fn a_status_has_its_class() {
    use FailureClass::{ClientError, Forbidden, NotFound, RateLimited, ServerError, Unauthorized};
    let cases = [
        ("404 Not Found", NotFound),
        ("410 Gone", NotFound),
        ("401 Unauthorized", Unauthorized),
        ("403 Forbidden", Forbidden),
        ("429 Too Many Requests", RateLimited),
        ("418 I'm a teapot", ClientError),
        ("500 Internal Server Error", ServerError),
        ("503 Service Unavailable", ServerError),
    ];
    for (status, class) in cases {
        let server = Server::fixed(None, answer(status, "", "")).await;
        let result = get(&server.url("/")).await;
        let said = format!("expected a 2xx status, status was {status}");
        assert_eq!(class_and_fault(&result), (class, &*said));
        assert_eq!(result.status.map(|status| status.to_string()).as_deref(), status.split(' ').next());
        assert_eq!(failure(&result).1.request, format!("GET {}", server.url("/")));
        assert_eq!(failure(&result).1.address, Some(server.address.ip()));
    }
}

#[tokio::test]
async fn a_403_that_says_that_a_limit_is_used_up_is_rate_limited() {
    use FailureClass::{Forbidden, NotFound, RateLimited};
    let cases = [
        ("403 Forbidden", "X-RateLimit-Limit: 60\r\nX-RateLimit-Remaining: 0\r\n", RateLimited),
        ("403 Forbidden", "ratelimit-remaining: 0\r\n", RateLimited),
        ("403 Forbidden", "Retry-After: 60\r\n", RateLimited),
        ("403 Forbidden", "X-RateLimit-Limit: 60\r\nX-RateLimit-Remaining: 12\r\n", Forbidden),
        ("404 Not Found", "X-RateLimit-Remaining: 0\r\n", NotFound),
    ];
    for (status, headers, class) in cases {
        let server = Server::fixed(None, answer(status, headers, "")).await;
        assert_eq!(class_and_fault(&get(&server.url("/")).await).0, class, "{status} {headers}");
        let expect = ["status == 200", "headers['x-ratelimit-remaining'] == '9'"];
        assert_eq!(class_and_fault(&check(target(&server.url("/")), &expect).await).0, class, "{status} {headers}");
    }
}

#[tokio::test]
async fn the_first_expectation_that_does_not_hold_is_the_fault() {
    let server = Server::fixed(None, answer("200 OK", "X-Version: 7\r\n", r#"{"ready": false}"#)).await;
    let asked = || target(&server.url("/"));
    let result = check(asked(), &["status == 200", "json.ready", "status == 404"]).await;
    let said = "expected json.ready, json.ready was false";
    assert_eq!(class_and_fault(&result), (FailureClass::Expectation, said));
    let all = [
        "status == 200",
        "json.ready == false",
        "headers['x-version'] == '7'",
        "address == '127.0.0.1'",
        "url.endsWith('/')",
        "timing.total < duration('2s')",
        "body.matches('read.')",
    ];
    let result = check(asked(), &all).await;
    assert_eq!(result.outcome, Outcome::Success, "{result:?}");
    assert_eq!(result.evidence, None);
}

#[tokio::test]
async fn an_expected_404_is_a_success_and_an_unexpected_one_keeps_its_class() {
    let server = Server::fixed(None, answer("404 Not Found", "", "gone")).await;
    assert_eq!(check(target(&server.url("/")), &["status == 404"]).await.outcome, Outcome::Success);
    let result = check(target(&server.url("/")), &["body == 'here'"]).await;
    assert_eq!(class_and_fault(&result).0, FailureClass::NotFound);
}

#[tokio::test]
async fn a_body_that_is_no_json_fails_what_looks_into_it() {
    let server = Server::fixed(None, answer("200 OK", "", "<html>")).await;
    let result = check(target(&server.url("/")), &["json.ready"]).await;
    let said = "expected json.ready, but body is no JSON (line 1, column 1)";
    assert_eq!(class_and_fault(&result), (FailureClass::Expectation, said));
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_dns() {
    let result = get("http://nothing-here.invalid/").await;
    assert_eq!(class_and_fault(&result).0, FailureClass::Dns, "{result:?}");
    assert!(result.phases.dns.is_some() && result.phases.connect.is_none(), "{:?}", result.phases);
}

#[tokio::test]
async fn a_closed_port_is_connect() {
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let result = get(&format!("http://{address}/")).await;
    assert_eq!(class_and_fault(&result), (FailureClass::Connect, "the connection was refused"));
    assert!(result.phases.connect.is_some() && result.phases.first_byte.is_none());
    assert_eq!(failure(&result).1.address, Some(address.ip()));
}

/// Resets the connection after this much was read and this was written.
async fn resetting(read: bool, write: &'static [u8]) -> Server {
    Server::raw(move |mut stream| {
        Box::pin(async move {
            if read {
                let _ = stream.read(&mut [0; 4096]).await;
            }
            let _ = stream.write_all(write).await;
            tokio::time::sleep(Duration::from_millis(30)).await;
            stream.set_zero_linger().unwrap();
        })
    })
    .await
}

#[tokio::test]
async fn a_reset_is_connect_in_every_phase() {
    let server = resetting(true, b"").await;
    let result = get(&format!("https://{}/", server.address)).await;
    assert_eq!(class_and_fault(&result), (FailureClass::Connect, "the connection was reset in the TLS handshake"));
    let result = get(&server.url("/")).await;
    let said = "the connection was reset before an answer came";
    assert_eq!(class_and_fault(&result), (FailureClass::Connect, said));
    let server = resetting(true, b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc").await;
    let result = get(&server.url("/")).await;
    let said = "the connection was reset in the middle of the body";
    assert_eq!(class_and_fault(&result), (FailureClass::Connect, said));
    assert_eq!(failure(&result).1.body, "abc", "what came is kept");
}

#[tokio::test]
async fn a_server_that_hangs_up_without_an_answer_is_connect() {
    let server = Server::fixed(None, "").await;
    let result = get(&server.url("/")).await;
    let said = "the connection was closed before an answer came";
    assert_eq!(class_and_fault(&result), (FailureClass::Connect, said));
}

#[tokio::test]
async fn what_is_not_http_is_protocol() {
    for junk in ["SSH-2.0-OpenSSH_9.2\r\n\r\n", "HTTP/1.1 abc\r\n\r\n", "\0\u{1}\u{2}junk\r\n\r\n"] {
        let server = Server::fixed(None, junk).await;
        assert_eq!(class_and_fault(&get(&server.url("/")).await).0, FailureClass::Protocol, "{junk:?}");
    }
}

#[tokio::test]
async fn endless_headers_are_not_read_to_their_end() {
    let server = Server::answering(None, Duration::ZERO, |mut stream, _| {
        Box::pin(async move {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n").await;
            let line = format!("x-flood: {}\r\n", "x".repeat(1_000));
            while stream.write_all(line.as_bytes()).await.is_ok() {}
        })
    })
    .await;
    let result = get(&server.url("/")).await;
    assert_eq!(class_and_fault(&result).0, FailureClass::Protocol, "{result:?}");
    assert!(result.phases.total < Duration::from_secs(1), "{result:?}");
}

#[tokio::test]
async fn what_is_not_tls_is_tls() {
    let server = Server::raw(|mut stream| {
        Box::pin(async move {
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        })
    })
    .await;
    let result = get(&format!("https://{}/", server.address)).await;
    assert_eq!(class_and_fault(&result), (FailureClass::Tls, "the server does not speak TLS"));
}
