//! TCP: servers that others wrote, and sockets that behave badly.

use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tripline::model::kind::tcp::VARIABLES;
use tripline::model::{
    CheckResult, Condition, FailureClass, Outcome, Probe, ProbeKind, ReadUntil, Secrets, TcpTarget, TlsOptions,
};

use super::{check_with, class_and_fault, failure, probe, target, trusting};
use crate::network::{Program, free_port, has};
use crate::servers::{Authority, Server};

fn asking(tcp: TcpTarget, timeout: Duration, expect: &[&str]) -> Probe {
    let expect: Vec<Condition> = expect.iter().map(|source| Condition::parse(source, VARIABLES).unwrap()).collect();
    let kind = ProbeKind::Tcp(tcp);
    Probe { kind, expect: expect.into(), ..probe(target("http://127.0.0.1:9/"), timeout, &[]) }
}

async fn ask(tcp: &TcpTarget, expect: &[&str]) -> CheckResult {
    check_with(asking(tcp.clone(), Duration::from_secs(2), expect), Secrets::default()).await
}

/// A question that may take half a second: it must be over within half a second more.
async fn briefly(tcp: &TcpTarget) -> CheckResult {
    let began = Instant::now();
    let result = check_with(asking(tcp.clone(), Duration::from_millis(500), &[]), Secrets::default()).await;
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    result
}

fn to(address: std::net::SocketAddr) -> TcpTarget {
    TcpTarget::bare(address.ip().to_string(), address.port())
}

#[tokio::test]
async fn what_a_server_says_is_read_and_judged() {
    if !has("python3") {
        return;
    }
    let port = free_port();
    let web = Program::start(
        Command::new("python3").args(["-m", "http.server", "--bind", "127.0.0.1", &port.to_string()]),
        port,
    );
    let bare = to(web.address);
    let result = ask(&bare, &[]).await;
    assert_eq!(result.outcome, Outcome::Success);
    assert!(result.phases.connect.is_some() && result.phases.first_byte.is_none(), "{:?}", result.phases);

    let asked = TcpTarget { send: "GET / HTTP/1.0\r\n\r\n".into(), ..bare };
    let result = ask(&asked, &["body == 'HTTP/1.0 200 OK'", "timing.first_byte < duration('2s')"]).await;
    assert_eq!(result.outcome, Outcome::Success, "a line is read where an expectation looks at it: {result:?}");
    let result = ask(&asked, &["body == 'HTTP/1.0 404'"]).await;
    let said = "expected body == 'HTTP/1.0 404', body was \"HTTP/1.0 200 OK\"";
    assert_eq!(class_and_fault(&result), (FailureClass::Expectation, said));
    assert_eq!(failure(&result).1.body.trim_end(), "HTTP/1.0 200 OK");

    let four = TcpTarget { read: Some(ReadUntil::Bytes(4)), ..asked.clone() };
    assert_eq!(ask(&four, &["body == 'HTTP'"]).await.outcome, Outcome::Success);
    let whole = TcpTarget { read: Some(ReadUntil::Close), ..asked.clone() };
    assert_eq!(ask(&whole, &["body.endsWith('</html>\\n')"]).await.outcome, Outcome::Success);
    let more = TcpTarget { read: Some(ReadUntil::Bytes(100_000)), ..asked };
    let result = ask(&more, &[]).await;
    let (class, fault) = class_and_fault(&result);
    assert_eq!(class, FailureClass::Corrupt);
    assert!(fault.starts_with("the connection was closed after ") && fault.ends_with(" of 100000 bytes"), "{fault}");
}

#[tokio::test]
async fn what_a_server_says_by_tls_is_read_and_judged() {
    if !has("openssl") {
        return;
    }
    let (authority, folder, port) = (Authority::new("Test authority"), tempfile::tempdir().unwrap(), free_port());
    let (certificate, key) = authority.sign(&["127.0.0.1"], false);
    std::fs::write(folder.path().join("server.pem"), certificate + &key).unwrap();
    let server = Program::start(
        Command::new("openssl")
            .args(["s_server", "-www", "-quiet", "-cert", "server.pem", "-accept", &format!("127.0.0.1:{port}")])
            .current_dir(folder.path()),
        port,
    );
    let tls = TcpTarget { tls: Some(trusting(&authority)), ..to(server.address) };
    let result = ask(&tls, &[]).await;
    assert_eq!(result.outcome, Outcome::Success, "{result:?}");
    assert!(result.phases.tls.is_some() && result.expires.is_some());
    let asked = TcpTarget { send: "GET / HTTP/1.0\r\n\r\n".into(), read: Some(ReadUntil::Close), ..tls.clone() };
    let result = ask(&asked, &["body.startsWith('HTTP/1.0 200 ok')", "body.contains('s_server')"]).await;
    assert_eq!(result.outcome, Outcome::Success, "{result:?}");

    let strange = TcpTarget { tls: Some(Arc::new(TlsOptions::default())), ..tls.clone() };
    let result = ask(&strange, &[]).await;
    let said = "certificate is signed by an authority that is not trusted";
    assert_eq!(class_and_fault(&result), (FailureClass::Tls, said));
    assert!(result.expires.is_some(), "also of a certificate that is not accepted");

    let wrong = TcpTarget { host: "localhost".into(), ..tls };
    let result = ask(&wrong, &[]).await;
    let said = "certificate is not valid for localhost; it is for 127.0.0.1";
    assert_eq!(class_and_fault(&result), (FailureClass::Tls, said));
}

#[tokio::test]
async fn no_connection_and_no_answer_have_their_classes() {
    let refused = TcpTarget::bare("127.0.0.1", free_port());
    assert_eq!(class_and_fault(&ask(&refused, &[]).await), (FailureClass::Connect, "the connection was refused"));
    let unknown = TcpTarget::bare("does-not-exist.invalid", 1);
    assert_eq!(class_and_fault(&ask(&unknown, &[]).await).0, FailureClass::Dns);

    let cases: [(&'static [u8], bool, FailureClass, &str); 6] = [
        (b"", false, FailureClass::Connect, "the connection was closed before an answer came"),
        (b"", true, FailureClass::Connect, "the connection was reset before an answer came"),
        (
            b"+PO",
            false,
            FailureClass::Corrupt,
            "the connection was closed in the middle of the first line, after 3 bytes",
        ),
        (b"+PO", true, FailureClass::Connect, "the connection was reset after 3 bytes of the answer"),
        (&[b'x'; 70_000], false, FailureClass::Protocol, "the first line is longer than 64 KiB"),
        (b"+PONG\r\n", true, FailureClass::Missing, "none: what was asked for came before"),
    ];
    for (answer, reset, class, said) in cases {
        let server = Server::raw(move |mut stream| {
            Box::pin(async move {
                // What was sent is read first, for to close before that is to reset.
                let _ = stream.read(&mut [0; 64]).await;
                let _ = stream.write_all(answer).await;
                tokio::time::sleep(Duration::from_millis(100)).await;
                if reset {
                    stream.set_zero_linger().unwrap();
                }
            })
        })
        .await;
        let asked = TcpTarget { send: "PING\r\n".into(), read: Some(ReadUntil::Line), ..to(server.address) };
        let result = ask(&asked, &[]).await;
        if class == FailureClass::Missing {
            assert_eq!(result.outcome, Outcome::Success);
        } else {
            assert_eq!(class_and_fault(&result), (class, said));
        }
    }
}

#[tokio::test]
async fn a_server_that_takes_its_time_or_never_ends_costs_no_more_than_the_timeout() {
    let silent = Server::raw(|stream| {
        Box::pin(async move {
            tokio::time::sleep(Duration::from_secs(60)).await;
            drop(stream);
        })
    })
    .await;
    let line = |server: &Server| TcpTarget { read: Some(ReadUntil::Line), ..to(server.address) };
    let result = briefly(&line(&silent)).await;
    let (class, fault) = class_and_fault(&result);
    assert_eq!(class, FailureClass::Timeout);
    assert!(fault.starts_with("no answer within 500ms: waiting for the first byte for "), "{fault}");
    // A silent server does not read either, so a long text cannot be sent.
    let long = TcpTarget { send: vec![b'x'; 16 << 20].into(), ..to(silent.address) };
    assert_eq!(class_and_fault(&briefly(&long).await).0, FailureClass::Timeout);
    let tls = TcpTarget { tls: Some(Arc::default()), ..to(silent.address) };
    let result = briefly(&tls).await;
    let (class, fault) = class_and_fault(&result);
    assert_eq!(class, FailureClass::Timeout);
    assert!(fault.starts_with("no answer within 500ms: in the TLS handshake for "), "{fault}");

    let dripping = Server::raw(|mut stream| {
        Box::pin(async move {
            while stream.write_all(b"x").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        })
    })
    .await;
    let result = briefly(&line(&dripping)).await;
    let (class, fault) = class_and_fault(&result);
    assert_eq!(class, FailureClass::Timeout);
    assert!(fault.starts_with("no whole answer within 500ms: reading"), "{fault}");
    assert!(failure(&result).1.body.starts_with("xx"), "what came is kept");

    let endless =
        Server::raw(|mut stream| Box::pin(async move { while stream.write_all(&[b'x'; 4096]).await.is_ok() {} }))
            .await;
    let all = TcpTarget { read: Some(ReadUntil::Close), ..to(endless.address) };
    let result = check_with(asking(all, Duration::from_secs(5), &["size(body) == 1048576"]), Secrets::default());
    assert_eq!(result.await.outcome, Outcome::Success, "a megabyte is read and no more");
    // The next check of another server is not disturbed.
    let sound = Server::fixed(None, "hello\r\n").await;
    let asked = TcpTarget { send: "\r\n\r\n".into(), ..to(sound.address) };
    assert_eq!(ask(&asked, &["body == 'hello'"]).await.outcome, Outcome::Success);
}

#[tokio::test]
async fn a_secret_that_is_sent_back_is_hidden() {
    let echo = Server::raw(|mut stream| {
        Box::pin(async move {
            let mut said = [0; 64];
            let count = stream.read(&mut said).await.unwrap_or_default();
            let _ = stream.write_all(&said[..count]).await;
        })
    })
    .await;
    let asked = TcpTarget { send: "AUTH hunter2!\r\n".into(), ..to(echo.address) };
    let probe = asking(asked, Duration::from_secs(2), &["body == '+OK'"]);
    let result = check_with(probe, Secrets::new(["hunter2!".to_owned()])).await;
    let (class, evidence) = failure(&result);
    assert_eq!(class, FailureClass::Expectation);
    assert!(!format!("{evidence:?}").contains("hunter2"), "{evidence:?}");
    assert!(evidence.body.starts_with("AUTH "), "{evidence:?}");
}
