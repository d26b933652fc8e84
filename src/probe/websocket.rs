//! The WebSocket kind (RFC 6455): the handshake on a connection of its own, and one message each way.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use http::HeaderMap;
use rustls::ClientConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use super::broken::Broken;
use super::byte_limit::ByteLimit;
use super::classify::broke;
use super::dial::Dial;
use super::evidence;
use super::expect::{headers, json_fact, mentioned};
use super::question::{Question, Seen};
use super::shared::Shared;
use super::stopwatch::{Phase, Trace};
use crate::model::condition::Fact;
use crate::model::{FailureClass, Probe, WebsocketTarget};

/// The longest message that is read, in bytes, whole or in frames.
const LONGEST_MESSAGE: usize = 1024 * 1024;
/// How much the server may send before its message is whole: headers, frames, pings.
const MOST_SERVER_BYTES: usize = LONGEST_MESSAGE + LONGEST_MESSAGE / 4;
/// How long the farewell may take; it is a courtesy.
const FAREWELL_WAIT: Duration = Duration::from_millis(200);

/// A WebSocket that can be opened again and again.
pub(super) struct WebsocketProbe {
    dial: Dial,
    tls: Option<Arc<ClientConfig>>,
    url: String,
    headers: HeaderMap,
    send: Option<String>,
    listen: bool,
    json: bool,
}

impl WebsocketProbe {
    pub(super) fn new(target: &WebsocketTarget, probe: &Probe, shared: &mut Shared) -> Result<Self, String> {
        let tls = target.is_encrypted().then(|| shared.tls(&target.tls)).transpose()?;
        Ok(Self {
            dial: Dial::new(target.host(), target.port(), probe.resolve, shared.resolver()?),
            tls,
            url: target.url.to_string(),
            headers: target.headers.clone(),
            send: target.send.clone(),
            listen: target.send.is_some() || mentioned(&probe.expect, "body") || mentioned(&probe.expect, "json"),
            json: mentioned(&probe.expect, "json"),
        })
    }

    /// The handshake's request, with a key of its own.
    fn handshake(&self) -> Result<Request, Broken> {
        let request = self.url.as_str().into_client_request();
        let mut request = request.map_err(|error| Broken::internal(format!("the URL cannot be asked: {error}")))?;
        for (name, value) in &self.headers {
            request.headers_mut().insert(name.clone(), value.clone());
        }
        Ok(request)
    }

    async fn talk<S>(&self, stream: S, trace: &Trace, seen: &mut Seen) -> Result<(), Broken>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        trace.enter(Phase::FirstByte);
        let mut config = WebSocketConfig::default();
        // Small, so that one who sends very many tiny frames cannot keep a thread busy for long at a time.
        config.read_buffer_size = 2 * 1024;
        config.write_buffer_size = 0;
        config.max_message_size = Some(LONGEST_MESSAGE);
        config.max_frame_size = Some(LONGEST_MESSAGE);
        let opened = client_async_with_config(self.handshake()?, stream, Some(config)).await;
        let (mut socket, answer) = opened.map_err(|error| refused(error, seen))?;
        trace.enter(Phase::Transfer);
        seen.status = Some(answer.status().as_u16());
        seen.headers = evidence::headers(answer.headers());
        seen.facts.push(("status", Fact::Int(answer.status().as_u16().into())));
        seen.facts.push(("headers", headers(answer.headers())));
        if let Some(text) = &self.send {
            socket.send(Message::text(text.as_str())).await.map_err(|error| broken(&error))?;
        }
        if self.listen {
            let body = first(&mut socket).await?;
            seen.hear(&body);
            if self.json {
                let json = json_fact(&body);
                seen.facts.push(("json", json.map_err(|fault| Broken::failed(FailureClass::Expectation, fault))?));
            }
            seen.facts.push(("body", Fact::Text(String::from_utf8_lossy(&body).into())));
        }
        let _ = tokio::time::timeout(FAREWELL_WAIT, socket.send(Message::Close(None))).await;
        Ok(())
    }
}

impl Question for WebsocketProbe {
    async fn ask(&self, trace: &Trace, seen: &mut Seen) -> Result<(), Broken> {
        let stream = self.dial.open(self.tls.as_ref(), trace, seen).await?;
        self.talk(ByteLimit::new(MOST_SERVER_BYTES).on(stream), trace, seen).await
    }
}

/// The first message that comes; pings are answered on the way.
async fn first<S>(socket: &mut WebSocketStream<S>) -> Result<Bytes, Broken>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    loop {
        match socket.next().await {
            Some(Ok(Message::Text(text))) => return Ok(text.into()),
            Some(Ok(Message::Binary(bytes))) => return Ok(bytes),
            Some(Ok(Message::Close(frame))) => return Err(closed(frame.as_ref())),
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
            Some(Err(error)) => return Err(broken(&error)),
            None => return Err(closed(None)),
        }
    }
}

/// The fault of a server that closed the WebSocket instead of speaking, by its code (RFC 6455, section 7.4.1).
fn closed(frame: Option<&CloseFrame>) -> Broken {
    let Some(frame) = frame else {
        return Broken::failed(FailureClass::Connect, "the server closed the WebSocket before a message came");
    };
    let class = match frame.code {
        CloseCode::Policy => FailureClass::Forbidden,
        CloseCode::Away | CloseCode::Error | CloseCode::Restart | CloseCode::Again => FailureClass::ServerError,
        CloseCode::Unsupported | CloseCode::Invalid | CloseCode::Size => FailureClass::ClientError,
        _ => FailureClass::Connect,
    };
    let code = u16::from(frame.code);
    let reason = if frame.reason.is_empty() { String::new() } else { format!(": {}", frame.reason) };
    Broken::failed(class, format!("the server closed the WebSocket with {code}{reason}"))
}

/// The fault of a handshake that was refused or broke.
fn refused(error: Error, seen: &mut Seen) -> Broken {
    let Error::Http(answer) = error else { return broken(&error) };
    let status = answer.status();
    seen.status = Some(status.as_u16());
    seen.headers = evidence::headers(answer.headers());
    seen.hear(answer.body().as_deref().unwrap_or_default());
    let class = match FailureClass::of_status(status.as_u16()) {
        // 200, say: a web server that knows nothing of WebSockets.
        FailureClass::Expectation => FailureClass::Protocol,
        class => class,
    };
    Broken::failed(class, format!("expected 101 Switching Protocols, status was {status}"))
}

/// The fault of a connection that broke, or of what is no WebSocket.
fn broken(error: &Error) -> Broken {
    match error {
        Error::Io(io) => {
            let (class, fault) = broke(io);
            Broken::failed(class, fault)
        }
        Error::ConnectionClosed
        | Error::AlreadyClosed
        | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake | ProtocolError::HandshakeIncomplete) => {
            Broken::failed(FailureClass::Connect, "the connection was closed in the middle")
        }
        Error::AttackAttempt => {
            let fault = "the head of the answer is longer than 64 KiB, or comes in very small pieces";
            Broken::failed(FailureClass::Protocol, fault)
        }
        Error::Capacity(_) => {
            let fault = format!("a message is longer than {LONGEST_MESSAGE} bytes");
            Broken::failed(FailureClass::Protocol, fault)
        }
        other => Broken::failed(FailureClass::Protocol, format!("this is no WebSocket: {other}")),
    }
}
