use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tripline::model::{FailureClass, Outcome};

use super::{check, class_and_fault, get, probe, target, trusting};
use crate::servers::{Authority, Server, Stream, answer};

const MS: Duration = Duration::from_millis(1);

async fn slow_answer(mut stream: Box<dyn Stream>) {
    tokio::time::sleep(50 * MS).await;
    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n").await;
    for _ in 0..3 {
        let _ = stream.flush().await;
        tokio::time::sleep(20 * MS).await;
        let _ = stream.write_all(b"abc").await;
    }
    let _ = stream.shutdown().await;
}

#[tokio::test]
async fn each_phase_gets_its_own_share_of_the_time() {
    let authority = Authority::new("Test authority");
    let tls = authority.acceptor(&["localhost"]);
    let server = Server::answering(Some(tls), 30 * MS, |stream, _| Box::pin(slow_answer(stream))).await;
    let mut asked = target(&format!("https://localhost:{}/", server.address.port()));
    asked.tls = trusting(&authority);
    asked.resolve.ip = tripline::model::IpChoice::V4;
    let result = check(asked, &["body == 'abcabcabc'"]).await;
    assert_eq!((result.outcome, result.status), (Outcome::Success, Some(200)), "{result:?}");
    let phases = result.phases;
    let (dns, connect, tls) = (phases.dns.unwrap(), phases.connect.unwrap(), phases.tls.unwrap());
    let (first_byte, transfer) = (phases.first_byte.unwrap(), phases.transfer.unwrap());
    assert!(connect < tls, "TCP connects without the server's doing: {phases:?}");
    assert!(tls >= 30 * MS, "{phases:?}");
    assert!(first_byte >= 50 * MS, "{phases:?}");
    assert!(transfer >= 55 * MS, "{phases:?}");
    let sum = dns + connect + tls + first_byte + transfer;
    assert!(sum <= phases.total && phases.total - sum < 100 * MS, "the phases make the whole: {phases:?}");
}

#[tokio::test]
async fn what_was_not_done_has_no_time() {
    let server = Server::fixed(None, answer("200 OK", "", "ok")).await;
    let phases = get(&server.url("/")).await.phases;
    assert_eq!((phases.dns, phases.tls), (None, None));
    assert!(phases.connect.is_some() && phases.first_byte.is_some() && phases.transfer.is_some());
}

#[tokio::test]
async fn running_out_of_time_names_the_phase_and_ends_soon() {
    let silent = Server::raw(|stream| {
        Box::pin(async move {
            tokio::time::sleep(Duration::from_secs(60)).await;
            drop(stream);
        })
    })
    .await;
    let dripping = Server::answering(None, Duration::ZERO, |mut stream, _| {
        Box::pin(async move {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9000\r\n\r\n").await;
            while stream.write_all(b"x").await.is_ok() {
                tokio::time::sleep(20 * MS).await;
            }
        })
    })
    .await;
    let https = format!("https://{}/", silent.address);
    let cases = [
        (silent.url("/"), "no answer within 300ms: waiting for the first byte for "),
        (https, "no answer within 300ms: in the TLS handshake for "),
        (dripping.url("/"), "no whole answer within 300ms: reading the body for "),
    ];
    for (url, said) in cases {
        let started = std::time::Instant::now();
        let result = super::check_with(probe(target(&url), 300 * MS, &[]), Default::default()).await;
        assert!(started.elapsed() < 800 * MS, "{url}");
        let (class, fault) = class_and_fault(&result);
        assert_eq!(class, FailureClass::Timeout);
        assert!(fault.starts_with(said), "{fault}");
        assert!(result.phases.total >= 300 * MS);
    }
}

#[tokio::test]
async fn phases_are_measured_over_http2_too() {
    let authority = Authority::new("Test authority");
    let server = Server::http2(&authority.sign(&["127.0.0.1"], false), 50 * MS, 40 * MS).await;
    let mut asked = target(&format!("https://{}/", server.address));
    asked.tls = trusting(&authority);
    let result = check(asked, &["body == 'ok'"]).await;
    assert_eq!(result.outcome, Outcome::Success, "{result:?}");
    let phases = result.phases;
    assert!(phases.connect.is_some() && phases.tls.is_some(), "{phases:?}");
    assert!(phases.first_byte.unwrap() >= 50 * MS && phases.transfer.unwrap() >= 40 * MS, "{phases:?}");
}
