//! `websocket` against the package `websockets`, and against servers that misbehave.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tripline::model::FailureClass::{self, *};
use tripline::model::{Outcome, Timestamp};

use super::written::{ask, prober};
use super::{class_and_fault, failure};
use crate::probes::nth;
use crate::scripted::Scripted;
use crate::servers::{Authority, Server};

#[tokio::test(flavor = "multi_thread")]
async fn a_websocket_is_opened_and_spoken_on_with_tls_and_without() {
    let authority = Authority::new("websocket");
    let plain = Scripted::start("websocket", None, json!({}));
    let secure = Scripted::start("websocket", Some(&authority), json!({}));
    let to = |path: &str, more: &str| format!("websocket: {{url: \"ws://127.0.0.1:{}{path}\"{more}}}", plain.port);

    let opened = ["status == 101", "headers[\"upgrade\"] == \"websocket\"", "timing.total < duration(\"5s\")"];
    assert_eq!(ask(&to("/", ""), "", &opened).await.outcome, Outcome::Success);
    let kind =
        format!("websocket: {{url: \"wss://localhost:{}/\", send: \"grüß\", tls: {{ca_file: ca.pem}}}}", secure.port);
    let result = ask(&kind, &authority.pem, &["body == \"grüß\""]).await;
    assert_eq!(result.outcome, Outcome::Success, "{result:?}");
    assert_eq!(result.status, Some(101));
    let phases = result.phases;
    assert!(phases.tls.is_some() && phases.first_byte.is_some() && phases.transfer.is_some(), "{phases:?}");
    assert!(result.expires.is_some());
    // A server that speaks first is listened to where that is asked for.
    let greeting = ["json.hello == \"world\" && json.parts.size() == 2"];
    assert_eq!(ask(&to("/greeting", ""), "", &greeting).await.outcome, Outcome::Success);
    let token = to("/token", ", headers: {authorization: Bearer good}, send: hi");
    assert_eq!(ask(&token, "", &["body == \"hi\""]).await.outcome, Outcome::Success);

    let text = to("/", ", send: no json");
    let result = ask(&text, "", &["json.hello == \"world\""]).await;
    assert_eq!(class_and_fault(&result), (Expectation, "body is no JSON (line 1, column 2)"));
    for (path, class, fault) in [
        ("/missing", NotFound, "expected 101 Switching Protocols, status was 404 Not Found"),
        ("/locked", Unauthorized, "status was 401"),
        ("/token", Forbidden, "status was 403"),
        ("/busy", ServerError, "status was 503"),
        ("/web", Protocol, "status was 200 OK"),
        ("/close", ServerError, "closed the WebSocket with 1011: out of order"),
        ("/policy", Forbidden, "closed the WebSocket with 1008: go away"),
        ("/huge", Protocol, "a message is longer than 1048576 bytes"),
    ] {
        let result = ask(&to(path, ""), "", &["body != \"\""]).await;
        let (found, said) = class_and_fault(&result);
        assert_eq!(found, class, "{path}: {said}");
        assert!(said.contains(fault), "{said}");
    }
    let result = ask(&to("/missing", ""), "", &[]).await;
    let (_, evidence) = failure(&result);
    assert_eq!(result.status, Some(404));
    assert!(evidence.headers.contains(&("x-why".into(), "the tests".into())), "{evidence:?}");
    // Only what came in one piece with the headers is kept: the library gives the connection up with them.
    assert!("not here\n".starts_with(&evidence.body), "{evidence:?}");
}

/// What a server does with a connection.
#[derive(Clone, Copy)]
pub(crate) enum Play {
    /// Reads the handshake and says this, then waits, or closes.
    Say(&'static [u8], bool),
    /// Says this over and over instead of an answer.
    Flood(&'static [u8], &'static [u8]),
    /// Says this, ten bytes a second.
    Drip(&'static [u8]),
    /// Makes the handshake, says this, and then zeros for ever, or closes.
    After(&'static [u8], bool),
}

pub(crate) async fn playing(play: Play, sent: Arc<AtomicUsize>) -> Server {
    Server::raw(move |mut stream| {
        let sent = sent.clone();
        Box::pin(async move {
            let flood = |bytes: &'static [u8]| bytes.repeat(64 * 1024 / bytes.len());
            if let Play::After(bytes, goes_on) = play {
                let Ok(mut socket) = tokio_tungstenite::accept_async(stream).await else { return };
                let stream = socket.get_mut();
                let _ = stream.write_all(bytes).await;
                let zeros = flood(&[0]);
                while goes_on && let Ok(count) = stream.write(&zeros).await {
                    sent.fetch_add(count, Ordering::Relaxed);
                }
                return;
            }
            let _ = stream.read(&mut [0; 4096]).await;
            match play {
                Play::Say(bytes, stays) => {
                    let _ = stream.write_all(bytes).await;
                    if stays {
                        tokio::time::sleep(Duration::from_secs(9)).await;
                    }
                }
                Play::Flood(first, again) => {
                    let _ = stream.write_all(first).await;
                    let again = flood(again);
                    while let Ok(count) = stream.write(&again).await {
                        sent.fetch_add(count, Ordering::Relaxed);
                    }
                }
                Play::Drip(bytes) => {
                    for byte in bytes {
                        let _ = stream.write_all(&[*byte]).await;
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                }
                Play::After(..) => {}
            }
        })
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn websocket_servers_that_misbehave_are_told_by_what_they_did() {
    let head = b"HTTP/1.1 101 Switching Protocols\r\n";
    let cases: [(Play, FailureClass, &str); 14] = [
        (Play::Say(b"", true), Timeout, "waiting for the first byte"),
        (Play::Say(b"", false), Connect, "closed in the middle"),
        (Play::Drip(b"HTTP/1.1 101 Switching Protocols\r\n"), Timeout, "waiting for the first byte"),
        (Play::Say(b"SSH-2.0-OpenSSH_9.2\r\n\r\n", true), Protocol, "no WebSocket"),
        (Play::Say(b"HTTP/0.9 hello\r\n\r\n", true), Protocol, "no WebSocket"),
        (Play::Flood(head, b"x: a\r\n"), Protocol, ""),
        (Play::Flood(b"HTTP/1.1 101 Switching Protocols\r\nx: ", b"a"), Protocol, "longer than 64 KiB"),
        (
            Play::Say(
                b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\
                  sec-websocket-accept: bm9uc2Vuc2U=\r\n\r\n",
                true,
            ),
            Protocol,
            "no WebSocket",
        ),
        (Play::Say(b"HTTP/1.1 101 Switching Protocols\r\n\r\n", true), Protocol, "no WebSocket"),
        (Play::After(b"", false), Connect, "closed"),
        // A text frame of 1 GB.
        (Play::After(&[0x81, 127, 0, 0, 0, 0, 0x40, 0, 0, 0], true), Protocol, "longer than 1048576 bytes"),
        // A masked frame: only clients mask.
        (Play::After(&[0x81, 0x81, 1, 2, 3, 4, 5], true), Protocol, "no WebSocket"),
        // Reserved bits.
        (Play::After(&[0xf1, 0], true), Protocol, "no WebSocket"),
        // Text that is no UTF-8.
        (Play::After(&[0x81, 2, 0xff, 0xff], true), Protocol, "UTF-8"),
    ];
    for (play, class, fault) in cases {
        let sent = Arc::new(AtomicUsize::new(0));
        let server = playing(play, sent.clone()).await;
        let kind = format!("websocket: {{url: \"ws://{}/\", send: hi}}", server.address);
        let prober = prober(&[&kind], "", "1s", &[]);
        let began = Instant::now();
        let result = prober.check(nth(&prober, 0), Timestamp::from_millis(0)).await;
        assert!(began.elapsed() < Duration::from_millis(1_500), "{fault}: {:?}", began.elapsed());
        let (found, said) = class_and_fault(&result);
        assert_eq!(found, class, "{said}");
        assert!(said.contains(fault), "{said:?} does not tell {fault:?}");
        // What is not read fills the buffers of the kernel, and nothing of ours.
        assert!(sent.load(Ordering::Relaxed) < 16 << 20, "{sent:?} bytes were taken: {said}");
    }
}
