use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use super::{Hop, Phase, TRACE, Trace};
use crate::model::TlsOptions;
use crate::probe::connect::{Clients, Way};
use crate::probe::resolver::Resolver;
use crate::probe::tls_config::Roots;

#[tokio::test]
async fn the_hooks_of_a_request_are_called_in_order() {
    let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::Pkcs8(pair.signing_key.serialize_der().into());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![pair.cert.der().clone()], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        while let Ok((stream, _)) = listener.accept().await {
            let mut stream = acceptor.accept(stream).await.unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
            let _ = stream.shutdown().await;
        }
    });
    let options = TlsOptions { skip_verify: true, ..TlsOptions::default() };
    let clients =
        Clients::new(&Way { tls: options, ..Way::default() }, &Roots::load(), Arc::new(Resolver::new().unwrap()))
            .unwrap();
    let trace = Trace::start();
    // Twice by one client: no connection and no TLS session is used again.
    for _ in 0..2 {
        trace.begin_hop(Hop { ip: crate::model::IpChoice::V4, ..Hop::default() });
        let request = clients.any.get(format!("https://localhost:{port}/")).send();
        let response = TRACE.scope(trace.clone(), request).await.unwrap();
        trace.enter(Phase::Transfer);
        assert_eq!(response.bytes().await.unwrap().len(), 0);
        assert!(trace.peer().is_some(), "the verifier was asked");
    }
    let hop = [Phase::Connect, Phase::Dns, Phase::Connect, Phase::Tls, Phase::FirstByte, Phase::Transfer];
    assert_eq!(trace.order(), [hop, hop].concat());
}

#[test]
fn a_phase_that_is_entered_twice_is_one_and_an_open_one_counts() {
    let trace = Trace::start();
    trace.enter(Phase::Tls);
    std::thread::sleep(Duration::from_millis(5));
    trace.enter(Phase::Tls);
    let phases = trace.phases();
    assert!(phases.tls.unwrap() >= Duration::from_millis(5));
    assert_eq!((phases.dns, phases.connect, phases.first_byte), (None, None, None));
}
