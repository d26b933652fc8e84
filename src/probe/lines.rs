//! A conversation in lines, as SMTP and IMAP have it: over TCP or TLS, and read within the caps of a pure parser.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use rustls::ClientConfig;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::broken::Broken;
use super::dial::Dial;
use super::question::Seen;
use super::stopwatch::{Phase, Trace};
use super::tls_config::explain;
use super::wire::step::Step;
use crate::model::FailureClass;

/// How much is read at once, in bytes.
const BYTES_READ_AT_ONCE: usize = 8 * 1024;

/// A connection, and what came over it that nobody has taken yet.
pub(super) struct Lines {
    stream: Stream,
    came: Vec<u8>,
    /// How many bytes of it have been taken.
    taken: u64,
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Lines {
    /// Connects, with TLS from the first byte if there is a configuration for it; then the first word is waited for.
    pub(super) async fn open(
        dial: &Dial,
        tls: Option<&Arc<ClientConfig>>,
        trace: &Trace,
        seen: &mut Seen,
    ) -> Result<Self, Broken> {
        let stream = dial.tcp(trace, seen).await?;
        let stream = match tls {
            Some(config) => Stream::Tls(Box::new(dial.tls(stream, config.clone(), trace).await?)),
            None => Stream::Plain(stream),
        };
        trace.enter(Phase::FirstByte);
        Ok(Self { stream, came: Vec::new(), taken: 0 })
    }

    /// On a connection that stands.
    pub(super) fn on(stream: TcpStream) -> Self {
        Self { stream: Stream::Plain(stream), came: Vec::new(), taken: 0 }
    }

    /// The connection, for the TLS handshake. What came before it must have been taken: an attacker could have put it
    /// there for us to believe after the handshake (CVE-2011-0411).
    pub(super) fn plain(self) -> Result<TcpStream, Broken> {
        match self.stream {
            Stream::Plain(stream) if self.came.is_empty() => Ok(stream),
            _ => {
                let fault = "the server spoke on after it had agreed to STARTTLS, and before the handshake";
                Err(Broken::failed(FailureClass::Protocol, fault))
            }
        }
    }

    /// Makes the TLS handshake on the connection.
    pub(super) async fn encrypt(
        self,
        dial: &Dial,
        config: &Arc<ClientConfig>,
        trace: &Trace,
    ) -> Result<Self, Broken> {
        let stream = self.plain()?;
        let stream = Stream::Tls(Box::new(dial.tls(stream, config.clone(), trace).await?));
        trace.enter(Phase::Transfer);
        Ok(Self { stream, came: Vec::new(), taken: 0 })
    }

    /// Our own address on this connection.
    pub(super) fn local(&self) -> Option<SocketAddr> {
        match &self.stream {
            Stream::Plain(stream) => stream.local_addr().ok(),
            Stream::Tls(stream) => stream.get_ref().0.local_addr().ok(),
        }
    }

    /// How many bytes have been taken of this connection so far.
    pub(super) fn taken(&self) -> u64 {
        self.taken
    }

    pub(super) async fn send(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        let sent = match &mut self.stream {
            Stream::Plain(stream) => stream.write_all(bytes).await,
            Stream::Tls(stream) => match stream.write_all(bytes).await {
                Ok(()) => stream.flush().await,
                Err(error) => Err(error),
            },
        };
        sent.map_err(|error| broken(&error, "while we spoke"))
    }

    /// The next unit that the parser finds. Nothing is lost when this is dropped while it waits.
    pub(super) async fn next<T>(
        &mut self,
        parse: impl Fn(&[u8]) -> Result<Step<T>, String>,
        awaited: &str,
    ) -> Result<T, Broken> {
        loop {
            let least = match parse(&self.came) {
                Ok(Step::Whole(found, taken)) => {
                    self.came.drain(..taken.min(self.came.len()));
                    self.taken = self.taken.saturating_add(taken as u64);
                    return Ok(found);
                }
                Ok(Step::More(least)) => least,
                Err(fault) => {
                    return Err(Broken::failed(FailureClass::Protocol, format!("instead of {awaited}: {fault}")));
                }
            };
            while self.came.len() < least {
                self.read(awaited).await?;
            }
        }
    }

    async fn read(&mut self, awaited: &str) -> Result<(), Broken> {
        let mut chunk = [0; BYTES_READ_AT_ONCE];
        let count = match &mut self.stream {
            Stream::Plain(stream) => stream.read(&mut chunk).await,
            Stream::Tls(stream) => stream.read(&mut chunk).await,
        };
        match count {
            Ok(0) => Err(closed(awaited)),
            Ok(count) => {
                self.came.extend_from_slice(chunk.get(..count).unwrap_or_default());
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(closed(awaited)),
            Err(error) => Err(broken(&error, &format!("before {awaited} came"))),
        }
    }
}

fn closed(awaited: &str) -> Broken {
    Broken::failed(FailureClass::Connect, format!("the connection was closed before {awaited} came"))
}

/// The fault of a connection that broke.
fn broken(error: &io::Error, when: &str) -> Broken {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match (inner, error.kind()) {
        (Some(fault), _) => Broken::failed(FailureClass::Tls, explain(fault)),
        (None, ConnectionReset | ConnectionAborted | BrokenPipe) => {
            Broken::failed(FailureClass::Connect, format!("the connection was reset {when}"))
        }
        (None, _) => Broken::failed(FailureClass::Connect, format!("the connection broke {when}: {error}")),
    }
}
