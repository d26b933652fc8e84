//! `grpc` against grpcio, and against servers that misbehave.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, Response};
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tripline::model::FailureClass::{self, *};
use tripline::model::{Outcome, Timestamp};

use super::class_and_fault;
use super::written::{ask, prober};
use crate::probes::nth;
use crate::scripted::Scripted;
use crate::servers::{Authority, Server};

#[tokio::test(flavor = "multi_thread")]
async fn the_health_of_a_grpc_server_is_asked_for_with_tls_and_without() {
    let authority = Authority::new("grpc");
    let (plain, secure) =
        (Scripted::start("health", None, json!({})), Scripted::start("health", Some(&authority), json!({})));
    let to = |port: u16, more: &str| format!("grpc: {{to: \"localhost:{port}\"{more}}}");

    let healthy = ["serving_status == \"SERVING\"", "address == \"127.0.0.1\" && timing.total < duration(\"5s\")"];
    assert_eq!(ask(&to(plain.port, ""), "", &healthy).await.outcome, Outcome::Success);
    let result =
        ask(&to(secure.port, ", service: acme.Orders, tls: {ca_file: ca.pem}"), &authority.pem, &healthy).await;
    assert_eq!(result.outcome, Outcome::Success, "{result:?}");
    assert_eq!(result.status, Some(0));
    let phases = result.phases;
    assert!(phases.tls.is_some() && phases.first_byte.is_some() && phases.transfer.is_some(), "{phases:?}");
    assert!(result.expires.is_some());

    for (part, class, fault) in [
        ("acme.Billing", ServerError, "expected SERVING, the status of health was NOT_SERVING"),
        ("acme.New", ServerError, "expected SERVING, the status of health was UNKNOWN"),
        ("acme.Absent", NotFound, "the call was answered with NOT_FOUND: unknown service"),
        ("locked", Unauthorized, "the call was answered with UNAUTHENTICATED: who are you?"),
        ("slow", Timeout, "no answer within 1s: waiting for the first byte"),
    ] {
        let kind = to(plain.port, &format!(", service: {part}"));
        let prober = prober(&[&kind], "", "1s", &[]);
        let result = prober.check(nth(&prober, 0), Timestamp::from_millis(0)).await;
        let (found, said) = class_and_fault(&result);
        assert_eq!(found, class, "{part}: {said}");
        assert!(said.contains(fault), "{said}");
    }
    let knocking = to(plain.port, ", service: locked, metadata: {Authorization: Bearer good}");
    assert_eq!(ask(&knocking, "", &[]).await.outcome, Outcome::Success);
    // What an expectation says comes before what is usual.
    let standby = to(plain.port, ", service: acme.Billing");
    assert_eq!(ask(&standby, "", &["serving_status == \"NOT_SERVING\""]).await.outcome, Outcome::Success);
    let result = ask(&standby, "", &["serving_status == \"SERVING\""]).await;
    assert_eq!(class_and_fault(&result).0, Expectation);

    let without = Scripted::start("health", None, json!({"name": "acme.Other"}));
    let (class, fault) = {
        let result = ask(&to(without.port, ""), "", &[]).await;
        let (class, fault) = class_and_fault(&result);
        (class, fault.to_owned())
    };
    assert_eq!(class, NotFound);
    assert!(fault.contains("UNIMPLEMENTED"), "{fault}");
    // Asked with TLS, a server without it is no server of TLS; and the other way round.
    let result = ask(&to(plain.port, ", tls: {ca_file: ca.pem}"), &authority.pem, &[]).await;
    assert_eq!(class_and_fault(&result).0, Tls, "{result:?}");
    let result = ask(&to(secure.port, ""), "", &[]).await;
    assert!(matches!(class_and_fault(&result).0, Protocol | Connect), "{result:?}");
}

/// What a server does with a call.
#[derive(Clone, Copy)]
pub(crate) enum Answer {
    Status(u16, &'static str),
    Body(&'static [u8], bool),
    Endless,
    Reset,
    HugeTrailers,
}

pub(crate) async fn answering(answer: Answer) -> Server {
    Server::raw(move |stream| {
        Box::pin(async move {
            let Ok(mut connection) = h2::server::handshake(stream).await else { return };
            while let Some(Ok((_, mut respond))) = connection.accept().await {
                let head = |status: u16, kind: &str| {
                    Response::builder().status(status).header("content-type", kind).body(()).unwrap()
                };
                tokio::spawn(async move {
                    match answer {
                        Answer::Status(status, kind) => drop(respond.send_response(head(status, kind), true)),
                        Answer::Body(bytes, ok) => {
                            let mut body = respond.send_response(head(200, "application/grpc"), false).unwrap();
                            let _ = body.send_data(Bytes::from_static(bytes), !ok);
                            if ok {
                                let trailers = HeaderMap::from_iter([(
                                    HeaderName::from_static("grpc-status"),
                                    "0".parse().unwrap(),
                                )]);
                                let _ = body.send_trailers(trailers);
                            }
                        }
                        Answer::Endless => {
                            let mut body = respond.send_response(head(200, "application/grpc"), false).unwrap();
                            while body.send_data(Bytes::from_static(&[0; 4096]), false).is_ok() {
                                tokio::time::sleep(Duration::from_millis(1)).await;
                            }
                        }
                        Answer::Reset => respond.send_reset(h2::Reason::ENHANCE_YOUR_CALM),
                        Answer::HugeTrailers => {
                            let mut body = respond.send_response(head(200, "application/grpc"), false).unwrap();
                            let mut trailers = HeaderMap::new();
                            for number in 0..1_000 {
                                let name: HeaderName = format!("x-{number}").parse().unwrap();
                                trailers.insert(name, "x".repeat(1_000).parse().unwrap());
                            }
                            let _ = body.send_trailers(trailers);
                        }
                    }
                });
            }
        })
    })
    .await
}

async fn class_within_a_second(server: &Server) -> (FailureClass, String) {
    let prober = prober(&[&format!("grpc: {{to: \"{}\"}}", server.address)], "", "1s", &[]);
    let began = Instant::now();
    let result = prober.check(nth(&prober, 0), Timestamp::from_millis(0)).await;
    assert!(began.elapsed() < Duration::from_millis(1_500), "{:?}", began.elapsed());
    let (class, fault) = class_and_fault(&result);
    (class, fault.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn grpc_servers_that_misbehave_are_told_by_what_they_did() {
    for (answer, class, fault) in [
        (Answer::Status(404, "text/html"), NotFound, "404 Not Found instead of gRPC"),
        (Answer::Status(503, "text/html"), ServerError, "503 Service Unavailable instead of gRPC"),
        (Answer::Status(429, "text/html"), RateLimited, "429"),
        (Answer::Status(204, "text/html"), Protocol, "204 No Content instead of gRPC"),
        (Answer::Status(200, "text/html"), Protocol, "its type is text/html"),
        (Answer::Status(200, "application/grpc"), Protocol, "without a status of gRPC"),
        (Answer::Body(&[0, 0, 0, 0, 2, 8, 1], false), Protocol, "without a status of gRPC"),
        (Answer::Body(&[0, 0, 0, 0, 2, 8], true), Protocol, "should be 2"),
        (Answer::Body(&[1, 0, 0, 0, 2, 8, 1], true), Protocol, "compressed"),
        (Answer::Endless, Protocol, "longer than 16384 bytes"),
        (Answer::Reset, RateLimited, "calm down"),
        (Answer::HugeTrailers, Protocol, "no HTTP/2"),
    ] {
        let server = answering(answer).await;
        let (found, said) = class_within_a_second(&server).await;
        assert_eq!(found, class, "{said}");
        assert!(said.contains(fault), "{said:?} does not tell {fault:?}");
    }
    let raw: [(&'static [u8], bool, FailureClass); 5] = [
        (b"", true, Timeout),
        (b"", false, Connect),
        (b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n", true, Protocol),
        (&[0xff; 70_000], true, Protocol),
        (&[0, 0, 0, 4, 0, 0, 0, 0, 0], true, Timeout),
    ];
    for (bytes, stays, class) in raw {
        let server = Server::raw(move |mut stream| {
            Box::pin(async move {
                let _ = stream.write_all(bytes).await;
                if stays {
                    tokio::time::sleep(Duration::from_secs(9)).await;
                }
            })
        })
        .await;
        let (found, said) = class_within_a_second(&server).await;
        assert_eq!(found, class, "{said}");
    }
}
