//! Hostile HTTP: every server here misbehaves in its own way, and each check ends in time, with the right class and
//! within bounded memory. Resets, redirects, bombs and certificates have more tests in the files beside this one.

use std::pin::Pin;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tripline::model::{FailureClass, Location, Outcome, Probe, Secrets, Timestamp};
use tripline::probe::{Prober, Roots};

use super::measured::{all_at_once, case};
use super::{probe, target};
use crate::probes::nth;
use crate::servers::{Authority, Server, acceptor, answer, redirect, self_signed};

type Served = Pin<Box<dyn Future<Output = ()> + Send>>;

/// How long each check may take.
const LIMIT: Duration = Duration::from_secs(1);
/// What a machine with other tests to run adds to that; whoever goes on and on takes longer by far.
const SLACK: Duration = Duration::from_secs(4);

/// A server, the URL to ask it by, and the class that its misbehaviour must have.
struct Hostile {
    name: &'static str,
    url: String,
    class: FailureClass,
    _server: Server,
}

/// Reads the head of a request, so far as it comes at once.
async fn heard(stream: &mut TcpStream) {
    let _ = stream.read(&mut [0; 4096]).await;
}

/// One that hears the request, says this, and then goes on as `f` does.
async fn saying<F>(said: &'static str, f: fn(TcpStream) -> F) -> Server
where
    F: Future<Output = ()> + Send + 'static,
{
    Server::raw(move |mut stream| {
        Box::pin(async move {
            heard(&mut stream).await;
            let _ = stream.write_all(said.as_bytes()).await;
            f(stream).await;
        }) as Served
    })
    .await
}

async fn close(mut stream: TcpStream) {
    let _ = stream.shutdown().await;
}

async fn stay(stream: TcpStream) {
    tokio::time::sleep(Duration::from_secs(20)).await;
    drop(stream);
}

async fn reset(stream: TcpStream) {
    tokio::time::sleep(Duration::from_millis(30)).await;
    stream.set_zero_linger().unwrap();
}

/// Writes this again and again, as fast as it is taken.
async fn flood(mut stream: TcpStream, again: &[u8]) {
    let much = again.repeat(64 * 1024 / again.len() + 1);
    while stream.write_all(&much).await.is_ok() {}
}

/// A byte every tenth of a second.
async fn drip(mut stream: TcpStream, byte: u8) {
    while stream.write_all(&[byte]).await.is_ok() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// All that misbehave.
async fn all() -> Vec<Hostile> {
    use FailureClass::{Connect, Corrupt, Protocol, Redirect, Timeout, Tls};
    let mut found = Vec::new();
    let mut add = |name, class, server: Server| {
        found.push(Hostile { name, url: server.url("/"), class, _server: server });
    };
    const BODY: &str = "HTTP/1.1 200 OK\r\ncontent-length: 100000000\r\n\r\n";
    const CHUNKED: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    add("never answers", Timeout, saying("", stay).await);
    add("drips the head", Timeout, saying("HTTP/1.1 200 OK\r\nx: ", |stream| drip(stream, b'x')).await);
    add("drips the body", Timeout, saying(BODY, |stream| drip(stream, b'x')).await);
    add("drips chunks", Timeout, saying(CHUNKED, |stream| drip(stream, b'0')).await);
    add("keeps the rest", Timeout, saying("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc", stay).await);
    add("goes on and on before the answer", Timeout, {
        saying("", |stream| flood(stream, b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n")).await
    });
    add("endless headers", Protocol, saying("HTTP/1.1 200 OK\r\n", |stream| flood(stream, b"x-a: b\r\n")).await);
    add("one header of 100 MB", Protocol, {
        saying("HTTP/1.1 200 OK\r\nx: ", |mut stream| async move {
            for _ in 0..100 {
                if stream.write_all(&[b'x'; 1 << 20]).await.is_err() {
                    return;
                }
            }
            let _ = stream.write_all(b"\r\ncontent-length: 0\r\n\r\n").await;
        })
        .await
    });
    add("an endless status line", Protocol, saying("HTTP/1.1 200 ", |stream| flood(stream, b"OK ")).await);
    add("HTTP/0.9", Protocol, saying("<html>hello</html>\n", close).await);
    add("endless junk", Protocol, saying("", |stream| flood(stream, b"\x7f\x45\x4c\x46\x02")).await);
    add("lengths that differ", Protocol, {
        saying("HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabcd", close).await
    });
    add("a length that is none", Protocol, {
        saying("HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\nabc", close).await
    });
    add("a length too long", Corrupt, saying("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc", close).await);
    add("a chunk cut short", Corrupt, {
        saying("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\nabc", close).await
    });
    add("a chunk of no length", Corrupt, {
        saying("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n", close).await
    });
    add("a chunk of 2^72 bytes", Corrupt, {
        saying("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\n", stay).await
    });
    add("a chunk without its end", Corrupt, {
        saying("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabcdef0\r\n\r\n", stay).await
    });
    add("an endless chunk extension", Corrupt, {
        saying("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3;a=", |stream| flood(stream, b"x")).await
    });
    add("endless trailers", Corrupt, {
        saying("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n", |stream| flood(stream, b"x-a: b\r\n"))
            .await
    });
    add("resets before the head is whole", Connect, saying("HTTP/1.1 200 OK\r\nx", reset).await);
    add("resets in the body", Connect, saying(BODY, reset).await);
    add("resets at once", Connect, {
        Server::raw(|stream| Box::pin(async move { stream.set_zero_linger().unwrap() })).await
    });
    add("redirects in a circle", Redirect, Server::fixed(None, redirect(302, "/")).await);
    add("redirects to a file", Redirect, Server::fixed(None, redirect(302, "file:///etc/passwd")).await);
    add("redirects to another scheme", Redirect, Server::fixed(None, redirect(302, "gopher://127.0.0.1/")).await);
    let mut add = |name, class, server: Server| {
        let url = format!("https://localhost:{}/", server.address.port());
        found.push(Hostile { name, url, class, _server: server });
    };
    let authority = Authority::new("An authority that nobody trusts");
    let well = || answer("200 OK", "", "");
    let expired = acceptor(&authority.sign(&["localhost"], true), None);
    add("a certificate that has expired", Tls, Server::fixed(Some(expired), well()).await);
    add("its own certificate", Tls, Server::fixed(Some(acceptor(&self_signed(&["localhost"]), None)), well()).await);
    add("another's certificate", Tls, Server::fixed(Some(authority.acceptor(&["other.example"])), well()).await);
    // The record of a fatal alert, handshake_failure (RFC 8446, section 6).
    add("a TLS alert", Tls, saying("\x15\x03\x03\x00\x02\x02\x28", close).await);
    add("a TLS record without end", Timeout, saying("\x16\x03\x03\x40\x00\x02", stay).await);
    add("endless TLS junk", Tls, saying("", |stream| flood(stream, b"\x16\x03\x03\x00\x04junk")).await);
    add("hangs up in the TLS handshake", Tls, saying("\x16\x03\x03\x40\x00\x02", close).await);
    add("says nothing to TLS", Timeout, saying("", stay).await);
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_has_its_class_in_time_and_all_at_once_fit_in_little_memory() {
    let hostile = all().await;
    let good = Server::fixed(None, answer("200 OK", "", "well")).await;
    let asked = |one: &Hostile| {
        // All of the body is kept, so that what is kept has a bound of its own.
        let kind = format!("http: {{url: '{}'}}\n    expect: [status == 200, size(body) >= 0]", one.url);
        case(one.name, kind, one.class.as_str(), "")
    };
    let cases: Vec<_> = hostile.iter().map(asked).collect();
    all_at_once(&cases, &format!("http: {{url: '{}'}}", good.url("/")), 1, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_check_that_follows_is_not_disturbed() {
    let hostile = all().await;
    let good = Server::fixed(None, answer("200 OK", "", "well")).await;
    let asking = |url: &str| probe(target(url), LIMIT / 4, &[]);
    let mut probes: Vec<Probe> = hostile.iter().map(|one| asking(&one.url)).collect();
    probes.push(Probe { timeout: 2 * SLACK, ..asking(&good.url("/")) });
    let prober = Prober::new(&probes, Location::local(), Secrets::default(), &Roots::load()).unwrap();
    for (place, one) in hostile.iter().enumerate() {
        let begun = Instant::now();
        let result = prober.check(nth(&prober, place), Timestamp::default()).await;
        assert!(matches!(result.outcome, Outcome::Failure(_)), "{}: {result:?}", one.name);
        assert!(begun.elapsed() < LIMIT / 4 + SLACK, "{}: {:?}", one.name, begun.elapsed());
        let next = prober.check(nth(&prober, hostile.len()), Timestamp::default()).await;
        assert_eq!(next.outcome, Outcome::Success, "after {}: {next:?}", one.name);
        assert!(next.phases.total < SLACK, "after {}: {:?}", one.name, next.phases);
    }
}

#[tokio::test]
async fn what_breaks_in_the_middle_of_tls_is_tls() {
    let authority = Authority::new("Test authority");
    let acceptor = authority.acceptor(&["localhost"]);
    let server = Server::raw(move |stream| {
        let acceptor = acceptor.clone();
        Box::pin(async move {
            let Ok(mut stream) = acceptor.accept(stream).await else { return };
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc").await;
            let _ = stream.flush().await;
            // What nobody encrypted: it cannot be read, and is no data.
            let _ = stream.get_mut().0.write_all(b"\x17\x03\x03\x00\x10not encrypted!!!").await;
            tokio::time::sleep(Duration::from_secs(5)).await;
        })
    })
    .await;
    let mut asked = target(&format!("https://localhost:{}/", server.address.port()));
    asked.tls = super::trusting(&authority);
    let result = super::check(asked, &["size(body) > 0"]).await;
    let (class, fault) = super::class_and_fault(&result);
    assert_eq!(class, FailureClass::Tls, "{fault}");
}
