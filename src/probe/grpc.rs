//! The gRPC kind: one call of the health protocol, over HTTP/2 on a connection of its own.

use std::pin::pin;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::{Either, select};
use h2::client::SendRequest;
use http::{HeaderMap, HeaderValue, Request};
use rustls::ClientConfig;
use tokio::io::{AsyncRead, AsyncWrite};

use super::broken::Broken;
use super::byte_limit::ByteLimit;
use super::classify::broke;
use super::dial::Dial;
use super::evidence;
use super::expect::mentioned;
use super::question::{Question, Seen};
use super::shared::Shared;
use super::stopwatch::{Phase, Trace};
use super::wire::grpc::{Serving, refusal, request, response};
use crate::model::condition::Fact;
use crate::model::{FailureClass, GrpcTarget, Probe};

/// How much of an answer is read, in bytes. A whole one is 7 bytes long.
const MOST_ANSWER_BYTES: usize = 16 * 1024;
/// The most bytes of headers, and of trailers.
const MOST_HEADER_BYTES: u32 = 16 * 1024;
/// How much the server may send before its answer is whole, settings, pings and interim answers with it.
const MOST_SERVER_BYTES: usize = 128 * 1024;

/// A call that can be made again and again.
pub(super) struct GrpcProbe {
    dial: Dial,
    tls: Option<Arc<ClientConfig>>,
    call: Request<()>,
    message: Bytes,
    /// Whether an expectation says which status is right.
    judged: bool,
}

impl GrpcProbe {
    pub(super) fn new(target: &GrpcTarget, probe: &Probe, shared: &mut Shared) -> Result<Self, String> {
        let tls = match &target.tls {
            Some(options) => {
                let mut config = ClientConfig::clone(&*shared.tls(options)?);
                config.alpn_protocols = vec![b"h2".to_vec()];
                Some(Arc::new(config))
            }
            None => None,
        };
        let host = if target.host.contains(':') { format!("[{}]", target.host) } else { target.host.clone() };
        let scheme = if tls.is_some() { "https" } else { "http" };
        let uri = format!("{scheme}://{host}:{}/grpc.health.v1.Health/Check", target.port);
        let mut call = Request::post(uri)
            .version(http::Version::HTTP_2)
            .body(())
            .map_err(|error| format!("the call cannot be made: {error}"))?;
        *call.headers_mut() = target.metadata.clone();
        call.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
        call.headers_mut().insert("te", HeaderValue::from_static("trailers"));
        Ok(Self {
            dial: Dial::new(&target.host, target.port, probe.resolve, shared.resolver()?),
            tls,
            call,
            message: request(&target.service).into(),
            judged: mentioned(&probe.expect, "serving_status"),
        })
    }

    async fn talk<S>(&self, stream: S, trace: &Trace, seen: &mut Seen) -> Result<(), Broken>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        trace.enter(Phase::FirstByte);
        let mut builder = h2::client::Builder::new();
        builder.enable_push(false).max_header_list_size(MOST_HEADER_BYTES).initial_window_size(64 * 1024);
        let (sender, connection) = builder.handshake::<_, Bytes>(stream).await.map_err(|error| broken(&error))?;
        let call = pin!(self.call(sender, trace, seen));
        match select(call, pin!(connection)).await {
            Either::Left((answered, _)) => answered,
            // What came before the end may still be whole.
            Either::Right((_, call)) => call.await,
        }
    }

    async fn call(&self, sender: SendRequest<Bytes>, trace: &Trace, seen: &mut Seen) -> Result<(), Broken> {
        let mut sender = sender.ready().await.map_err(|error| broken(&error))?;
        let (answer, mut sending) = sender.send_request(self.call.clone(), false).map_err(|error| broken(&error))?;
        sending.send_data(self.message.clone(), true).map_err(|error| broken(&error))?;
        let (head, mut body) = answer.await.map_err(|error| broken(&error))?.into_parts();
        trace.enter(Phase::Transfer);
        seen.headers = evidence::headers(&head.headers);
        if head.status != 200 {
            let class = match FailureClass::of_status(head.status.as_u16()) {
                FailureClass::Expectation => FailureClass::Protocol,
                class => class,
            };
            return Err(Broken::failed(class, format!("the server answered {} instead of gRPC", head.status)));
        }
        let kind = head.headers.get("content-type").map(|kind| String::from_utf8_lossy(kind.as_bytes()).into_owned());
        if !kind.as_ref().is_some_and(|kind| kind.starts_with("application/grpc")) {
            let kind = kind.unwrap_or_else(|| "nothing".into());
            return Err(Broken::failed(
                FailureClass::Protocol,
                format!("the answer is not gRPC: its type is {kind}"),
            ));
        }
        let mut message = Vec::new();
        while let Some(chunk) = body.data().await {
            let chunk = chunk.map_err(|error| broken(&error))?;
            seen.read += chunk.len();
            if message.len() + chunk.len() > MOST_ANSWER_BYTES {
                let fault = format!("the answer is longer than {MOST_ANSWER_BYTES} bytes");
                return Err(Broken::failed(FailureClass::Protocol, fault));
            }
            let _ = body.flow_control().release_capacity(chunk.len());
            message.extend_from_slice(&chunk);
        }
        // An answer that is a refusal may come as headers alone.
        let trailers = body.trailers().await.map_err(|error| broken(&error))?.unwrap_or_default();
        seen.headers.extend(evidence::headers(&trailers));
        let code = status(&trailers).or_else(|| status(&head.headers));
        let said = said(&trailers).or_else(|| said(&head.headers)).unwrap_or_default();
        seen.status = code;
        self.judge(code, &said, &message, seen)
    }

    fn judge(&self, code: Option<u16>, said: &str, message: &[u8], seen: &mut Seen) -> Result<(), Broken> {
        let Some(code) = code else {
            return Err(Broken::failed(FailureClass::Protocol, "the answer ends without a status of gRPC"));
        };
        if let Some((name, class)) = refusal(code) {
            return Err(Broken::failed(class, format!("the call was answered with {name}: {said}")));
        }
        let serving = response(message).map_err(|fault| Broken::failed(FailureClass::Protocol, fault))?;
        seen.facts.push(("serving_status", Fact::Text(serving.name().into())));
        match serving.failure().filter(|_| !self.judged) {
            Some(class) => {
                let wanted = Serving::Serving.name();
                Err(Broken::failed(class, format!("expected {wanted}, the status of health was {}", serving.name())))
            }
            None => Ok(()),
        }
    }
}

impl Question for GrpcProbe {
    async fn ask(&self, trace: &Trace, seen: &mut Seen) -> Result<(), Broken> {
        let stream = self.dial.open(self.tls.as_ref(), trace, seen).await?;
        self.talk(ByteLimit::new(MOST_SERVER_BYTES).on(stream), trace, seen).await
    }
}

fn status(headers: &HeaderMap) -> Option<u16> {
    headers.get("grpc-status")?.to_str().ok()?.parse().ok()
}

fn said(headers: &HeaderMap) -> Option<String> {
    Some(String::from_utf8_lossy(headers.get("grpc-message")?.as_bytes()).into_owned())
}

/// The fault of a connection that broke, or of an answer that is no HTTP/2.
fn broken(error: &h2::Error) -> Broken {
    if let Some(io) = error.get_io() {
        let (class, fault) = broke(io);
        return Broken::failed(class, fault);
    }
    match error.reason() {
        Some(h2::Reason::ENHANCE_YOUR_CALM) if error.is_remote() => {
            Broken::failed(FailureClass::RateLimited, "the server asks us to calm down")
        }
        Some(reason) if error.is_remote() => {
            Broken::failed(FailureClass::ServerError, format!("the server broke off: {}", reason.description()))
        }
        _ => Broken::failed(FailureClass::Protocol, format!("the answer is no HTTP/2: {error}")),
    }
}
