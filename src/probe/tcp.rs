//! The TCP kind: a connection, with a TLS handshake or without; what is said there, and what is read.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use rustls::ClientConfig;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::broken::Broken;
use super::dial::Dial;
use super::expect::mentioned;
use super::question::{Question, Seen};
use super::shared::Shared;
use super::stopwatch::{Phase, Trace};
use crate::model::condition::Fact;
use crate::model::kind::tcp::{LONGEST_LINE, MOST_READ};
use crate::model::{FailureClass, Probe, ReadUntil, TcpTarget};

/// A connection that can be made again and again.
pub(super) struct TcpProbe {
    dial: Dial,
    tls: Option<Arc<ClientConfig>>,
    send: Bytes,
    read: Option<ReadUntil>,
}

impl TcpProbe {
    pub(super) fn new(target: &TcpTarget, probe: &Probe, shared: &mut Shared) -> Result<Self, String> {
        let tls = target.tls.as_ref().map(|options| shared.tls(options)).transpose()?;
        let asked = mentioned(&probe.expect, "body");
        Ok(Self {
            tls,
            dial: Dial::new(&target.host, target.port, probe.resolve, shared.resolver()?),
            send: target.send.clone(),
            read: target.read.or(asked.then_some(ReadUntil::Line)),
        })
    }

    async fn talk<S>(&self, mut stream: S, trace: &Trace, seen: &mut Seen) -> Result<(), Broken>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        if !self.send.is_empty() || self.read.is_some() {
            trace.enter(Phase::FirstByte);
        }
        if !self.send.is_empty() {
            stream.write_all(&self.send).await.map_err(|error| lost(&error, 0))?;
            stream.flush().await.map_err(|error| lost(&error, 0))?;
        }
        let Some(until) = self.read else { return Ok(()) };
        let body = read(&mut stream, until, trace, seen).await?;
        seen.facts.push(("body", Fact::Text(String::from_utf8_lossy(&body).into())));
        Ok(())
    }
}

impl Question for TcpProbe {
    async fn ask(&self, trace: &Trace, seen: &mut Seen) -> Result<(), Broken> {
        let stream = self.dial.open(self.tls.as_ref(), trace, seen).await?;
        self.talk(stream, trace, seen).await
    }
}

/// Reads as far as that, and not beyond what may be read.
async fn read<S>(stream: &mut S, until: ReadUntil, trace: &Trace, seen: &mut Seen) -> Result<Vec<u8>, Broken>
where
    S: AsyncRead + Unpin,
{
    let most = match until {
        ReadUntil::Line => LONGEST_LINE,
        ReadUntil::Close => MOST_READ,
        ReadUntil::Bytes(count) => count.min(MOST_READ),
    };
    let mut body = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let room = chunk.len().min(most.saturating_sub(body.len()));
        let Some(room) = chunk.get_mut(..room).filter(|room| !room.is_empty()) else {
            return match until {
                ReadUntil::Line => {
                    let fault = format!("the first line is longer than {} KiB", LONGEST_LINE / 1024);
                    Err(Broken::failed(FailureClass::Protocol, fault))
                }
                ReadUntil::Close | ReadUntil::Bytes(_) => Ok(body),
            };
        };
        let count = match stream.read(room).await {
            Ok(count) => count,
            // TLS that ends without its own goodbye (RFC 8446, section 6.1), as many servers end it.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => 0,
            Err(error) => return Err(lost(&error, seen.read)),
        };
        let Some(new) = chunk.get(..count).filter(|new| !new.is_empty()) else {
            return match until {
                ReadUntil::Close => Ok(body),
                _ if body.is_empty() => {
                    Err(Broken::failed(FailureClass::Connect, "the connection was closed before an answer came"))
                }
                ReadUntil::Line => Err(Broken::failed(
                    FailureClass::Corrupt,
                    format!("the connection was closed in the middle of the first line, after {} bytes", body.len()),
                )),
                ReadUntil::Bytes(count) => Err(Broken::failed(
                    FailureClass::Corrupt,
                    format!("the connection was closed after {} of {count} bytes", body.len()),
                )),
            };
        };
        trace.enter(Phase::Transfer);
        let line = (until == ReadUntil::Line).then(|| new.iter().position(|byte| *byte == b'\n')).flatten();
        let new = line.and_then(|end| new.get(..end)).unwrap_or(new);
        seen.hear(new);
        body.extend_from_slice(new);
        if line.is_some() {
            if body.ends_with(b"\r") {
                body.pop();
            }
            return Ok(body);
        }
    }
}

/// The failure of a connection that broke after so many bytes of an answer.
fn lost(error: &io::Error, read: usize) -> Broken {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
    if let Some(fault) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        return Broken::failed(FailureClass::Tls, super::tls_config::explain(fault));
    }
    let what = match error.kind() {
        ConnectionReset | ConnectionAborted | BrokenPipe => "was reset".to_owned(),
        _ => format!("broke ({error})"),
    };
    Broken::failed(
        FailureClass::Connect,
        match read {
            0 => format!("the connection {what} before an answer came"),
            read => format!("the connection {what} after {read} bytes of the answer"),
        },
    )
}
