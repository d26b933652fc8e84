//! The bare client that the benchmark `load` compares with: TCP connect, TLS handshake, one GET, the body; nothing
//! else. It is a program of its own, as anyone would write it, with nothing of Tripline's in it.
//!
//! `load_bare ADDRESS CA PACE SECONDS OUT`, where a pace of 0 a second means flat out.

// A benchmark that cannot go on has failed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[path = "measure.rs"]
mod measure;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Empty};
use measure::{HOST, LOOPS, cpu};
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};

fn main() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [address, ca, pace, seconds, out] = args.as_slice() else {
        panic!("usage: load_bare ADDRESS CA PACE SECONDS OUT")
    };
    let address: SocketAddr = address.parse().unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca).unwrap()).unwrap();
    let mut config = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    config.resumption = rustls::client::Resumption::disabled();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let (pace, seconds): (u64, u64) = (pace.parse().unwrap(), seconds.parse().unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let done = Arc::new(AtomicU64::new(0));
    let (began, used, made) = runtime.block_on(async {
        let ask = move |connector: tokio_rustls::TlsConnector, done: Arc<AtomicU64>| async move {
            let tcp = tokio::net::TcpStream::connect(address).await.unwrap();
            tcp.set_nodelay(true).unwrap();
            let tls = connector.connect(ServerName::try_from(HOST).unwrap(), tcp).await.unwrap();
            let (mut sender, connection) =
                hyper::client::conn::http1::handshake(hyper_util::rt::TokioIo::new(tls)).await.unwrap();
            tokio::spawn(connection);
            let request = http::Request::get("/").header("host", HOST).body(Empty::<bytes::Bytes>::new()).unwrap();
            // A server that is overrun may close early; such a check does not count.
            let Ok(answer) = sender.send_request(request).await else { return };
            assert_eq!(answer.status(), 200);
            answer.into_body().collect().await.unwrap();
            done.fetch_add(1, Ordering::Relaxed);
        };
        ask(connector.clone(), Arc::clone(&done)).await;
        let (began, used, before) = (Instant::now(), cpu(std::process::id()), done.load(Ordering::Relaxed));
        let until = began + Duration::from_secs(seconds);
        if pace == 0 {
            let mut tasks = tokio::task::JoinSet::new();
            for _ in 0..LOOPS {
                let (connector, done) = (connector.clone(), Arc::clone(&done));
                tasks.spawn(async move {
                    while Instant::now() < until {
                        ask(connector.clone(), Arc::clone(&done)).await;
                    }
                });
            }
            while let Some(ended) = tasks.join_next().await {
                ended.unwrap();
            }
        } else {
            let mut ticks = tokio::time::interval(Duration::from_secs(1) / u32::try_from(pace).unwrap());
            while Instant::now() < until {
                ticks.tick().await;
                tokio::spawn(ask(connector.clone(), Arc::clone(&done)));
            }
        }
        (began, cpu(std::process::id()) - used, done.load(Ordering::Relaxed) - before)
    });
    #[expect(clippy::cast_precision_loss)]
    let made = made as f64;
    std::fs::write(out, format!("{} {}", made / began.elapsed().as_secs_f64(), used / made)).unwrap();
}
