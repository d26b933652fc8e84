//! Servers to ask: real sockets, real TLS, and misbehaviour on request.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// A connection, encrypted or not.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

type Served = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A certificate authority.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(crate) pem: String,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// A certificate for these names that this authority signs, and its key, in PEM.
    pub(crate) fn sign(&self, names: &[&str], expired: bool) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = leaf(names, expired);
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }

    /// A server's side of TLS with a certificate for these names.
    pub(crate) fn acceptor(&self, names: &[&str]) -> TlsAcceptor {
        acceptor(&self.sign(names, false), None)
    }

    /// One that asks for a client certificate of this authority.
    pub(crate) fn mutual_acceptor(&self, names: &[&str]) -> TlsAcceptor {
        acceptor(&self.sign(names, false), Some(&self.pem))
    }
}

fn leaf(names: &[&str], expired: bool) -> CertificateParams {
    let mut params = CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap();
    params.distinguished_name.push(DnType::CommonName, names[0]);
    if expired {
        params.not_before = rcgen::date_time_ymd(2019, 1, 1);
        params.not_after = rcgen::date_time_ymd(2020, 1, 1);
    }
    params
}

/// A certificate that vouches for itself.
pub(crate) fn self_signed(names: &[&str]) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    (leaf(names, false).self_signed(&key).unwrap().pem(), key.serialize_pem())
}

/// A server's side of TLS with this certificate and key.
pub(crate) fn acceptor(pair: &(String, String), clients: Option<&str>) -> TlsAcceptor {
    TlsAcceptor::from(Arc::new(server_config(pair, clients)))
}

fn server_config(pair: &(String, String), clients: Option<&str>) -> rustls::ServerConfig {
    use rustls::pki_types::pem::PemObject;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let chain: Vec<_> = CertificateDer::pem_slice_iter(pair.0.as_bytes()).map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_slice(pair.1.as_bytes()).unwrap();
    let builder =
        rustls::ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions().unwrap();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(pem) => {
            let mut roots = rustls::RootCertStore::empty();
            roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
            builder.with_client_cert_verifier(verifier)
        }
    };
    builder.with_single_cert(chain, key).unwrap()
}

/// A server that runs until it is dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    /// Serves each connection by `f`, from its first byte.
    pub(crate) async fn raw(f: impl Fn(TcpStream) -> Served + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(f(stream));
            }
        });
        Self { address, requests: Arc::default(), task }
    }

    /// Reads each request's head, by TLS where there is an acceptor, and answers it by `f`.
    pub(crate) async fn answering(
        tls: Option<TlsAcceptor>,
        before_tls: Duration,
        f: impl Fn(Box<dyn Stream>, String) -> Served + Send + Sync + 'static,
    ) -> Self {
        let requests: Arc<Mutex<Vec<String>>> = Arc::default();
        let (seen, f) = (requests.clone(), Arc::new(f));
        let mut server = Self::raw(move |stream| {
            let (tls, seen, f) = (tls.clone(), seen.clone(), f.clone());
            Box::pin(async move {
                tokio::time::sleep(before_tls).await;
                let mut stream: Box<dyn Stream> = match tls {
                    Some(tls) => match tls.accept(stream).await {
                        Ok(stream) => Box::new(stream),
                        Err(_) => return,
                    },
                    None => Box::new(stream),
                };
                let mut head = Vec::new();
                let mut byte = [0];
                while !head.ends_with(b"\r\n\r\n") {
                    match stream.read(&mut byte).await {
                        Ok(1) => head.push(byte[0]),
                        _ => return,
                    }
                }
                let head = String::from_utf8(head).unwrap();
                seen.lock().unwrap().push(head.clone());
                f(stream, head).await;
            })
        })
        .await;
        server.requests = requests;
        server
    }

    /// Answers every request with this text.
    pub(crate) async fn fixed(tls: Option<TlsAcceptor>, answer: impl Into<Vec<u8>>) -> Self {
        let answer: Arc<[u8]> = answer.into().into();
        Self::answering(tls, Duration::ZERO, move |mut stream, _| {
            let answer = answer.clone();
            Box::pin(async move {
                let _ = stream.write_all(&answer).await;
                let _ = stream.shutdown().await;
            })
        })
        .await
    }

    /// Speaks HTTP/2 by TLS: waits this long before it answers, and before the body.
    pub(crate) async fn http2(pair: &(String, String), before_head: Duration, before_body: Duration) -> Self {
        use http_body_util::StreamBody;
        use hyper::body::{Bytes, Frame, Incoming};
        let mut config = server_config(pair, None);
        config.alpn_protocols = vec![b"h2".to_vec()];
        let tls = TlsAcceptor::from(Arc::new(config));
        Self::raw(move |stream| {
            let tls = tls.clone();
            Box::pin(async move {
                let Ok(stream) = tls.accept(stream).await else { return };
                let service = hyper::service::service_fn(move |_: hyper::Request<Incoming>| async move {
                    tokio::time::sleep(before_head).await;
                    let body = futures_util::stream::once(Box::pin(async move {
                        tokio::time::sleep(before_body).await;
                        Ok::<_, std::io::Error>(Frame::data(Bytes::from_static(b"ok")))
                    }));
                    Ok::<_, std::io::Error>(hyper::Response::new(StreamBody::new(body)))
                });
                let io = hyper_util::rt::TokioIo::new(stream);
                let executor = hyper_util::rt::TokioExecutor::new();
                let _ = hyper::server::conn::http2::Builder::new(executor).serve_connection(io, service).await;
            })
        })
        .await
    }

    /// The heads of the requests so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

/// A whole answer.
pub(crate) fn answer(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n{body}", body.len())
}

/// A redirect.
pub(crate) fn redirect(status: u16, to: &str) -> String {
    answer(&format!("{status} Moved"), &format!("location: {to}\r\n"), "")
}
