//! A guarded connection: it ends when its check does, though a task of the SSH library holds it; a server that goes on
//! and on without an answer is cut off; and what it says first is overheard.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_util::sync::{CancellationToken, DropGuard, WaitForCancellationFutureOwned};

use crate::probe::byte_limit::{ByteLimit, Limited};

/// A server may say so much before its own line and in it (RFC 4253, section 4.2, has 255 bytes for the line).
const LONGEST_GREETING: usize = 4 * 1024;
/// A server may say so much in which there is nothing for the check: greeting, keys, words to be ignored (RFC 4253,
/// section 11.2), what a command says beside its answer. OpenSSH needs some 10 KiB to let us in.
const MOST_IDLE_TALK: usize = 1024 * 1024;

/// The connection.
pub(super) struct GuardedStream {
    stream: Limited<TcpStream>,
    let_go: Pin<Box<WaitForCancellationFutureOwned>>,
    heard: Arc<Mutex<Heard>>,
}

/// What the server has said.
#[derive(Default)]
struct Heard {
    /// The first of it.
    first: Vec<u8>,
    /// Whether it has ended the connection.
    ended: bool,
}

/// What the check holds: dropping it ends the connection.
pub(super) struct Guard {
    heard: Arc<Mutex<Heard>>,
    byte_limit: ByteLimit,
    _guard: DropGuard,
}

/// Guards a connection.
pub(super) fn guard(stream: TcpStream) -> (GuardedStream, Guard) {
    let token = CancellationToken::new();
    let heard: Arc<Mutex<Heard>> = Arc::default();
    let byte_limit = ByteLimit::new(MOST_IDLE_TALK);
    let stream = byte_limit.on(stream);
    let guarded = GuardedStream { stream, let_go: Box::pin(token.clone().cancelled_owned()), heard: heard.clone() };
    (guarded, Guard { heard, byte_limit, _guard: token.drop_guard() })
}

impl Guard {
    /// The line in which the server named itself: `SSH-2.0-OpenSSH_9.2`.
    pub(super) fn banner(&self) -> Option<String> {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let mut lines = heard.first.split_inclusive(|byte| *byte == b'\n');
        let line = lines.find(|line| line.starts_with(b"SSH-") && line.ends_with(b"\n"))?;
        Some(String::from_utf8_lossy(line.trim_ascii_end()).into_owned())
    }

    /// What the server has said, as far as it was listened to.
    pub(super) fn heard(&self) -> Vec<u8> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).first.clone()
    }

    /// Whether the server, or the network, has ended the connection.
    pub(super) fn ended(&self) -> bool {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).ended
    }

    /// The check got something: the server may talk on.
    pub(super) fn got_something(&self) {
        self.byte_limit.renew();
    }
}

impl GuardedStream {
    fn ended(&mut self, context: &mut Context<'_>) -> bool {
        self.let_go.as_mut().poll(context).is_ready()
    }
}

impl AsyncRead for GuardedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.ended(context) {
            return Poll::Ready(Ok(()));
        }
        let before = into.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, into);
        if polled.is_ready() {
            let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
            let new = into.filled().get(before..).unwrap_or_default();
            let room = LONGEST_GREETING.saturating_sub(heard.first.len()).min(new.len());
            heard.first.extend_from_slice(new.get(..room).unwrap_or_default());
            heard.ended |= new.is_empty();
        }
        polled
    }
}

impl AsyncWrite for GuardedStream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.ended(context) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
