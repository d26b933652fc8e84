//! A connection on a leash: it ends when its check does, though a task of the SSH library holds it; and what the server
//! says first is overheard.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_util::sync::{CancellationToken, DropGuard, WaitForCancellationFutureOwned};

/// A server may say so much before its own line and in it (RFC 4253, section 4.2, has 255 bytes for the line).
const HEARD: usize = 4 * 1024;

/// The connection.
pub(super) struct Leashed {
    stream: TcpStream,
    let_go: Pin<Box<WaitForCancellationFutureOwned>>,
    heard: Arc<Mutex<Vec<u8>>>,
}

/// What the check holds: dropping it ends the connection.
pub(super) struct Leash {
    heard: Arc<Mutex<Vec<u8>>>,
    _guard: DropGuard,
}

/// Puts a connection on a leash.
pub(super) fn leash(stream: TcpStream) -> (Leashed, Leash) {
    let token = CancellationToken::new();
    let heard: Arc<Mutex<Vec<u8>>> = Arc::default();
    let leashed = Leashed { stream, let_go: Box::pin(token.clone().cancelled_owned()), heard: heard.clone() };
    (leashed, Leash { heard, _guard: token.drop_guard() })
}

impl Leash {
    /// The line in which the server named itself: `SSH-2.0-OpenSSH_9.2`.
    pub(super) fn banner(&self) -> Option<String> {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let mut lines = heard.split_inclusive(|byte| *byte == b'\n');
        let line = lines.find(|line| line.starts_with(b"SSH-") && line.ends_with(b"\n"))?;
        Some(String::from_utf8_lossy(line.trim_ascii_end()).into_owned())
    }

    /// What the server has said, as far as it was listened to.
    pub(super) fn heard(&self) -> Vec<u8> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Leashed {
    fn ended(&mut self, context: &mut Context<'_>) -> bool {
        self.let_go.as_mut().poll(context).is_ready()
    }
}

impl AsyncRead for Leashed {
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
            let room = HEARD.saturating_sub(heard.len()).min(new.len());
            heard.extend_from_slice(new.get(..room).unwrap_or_default());
        }
        polled
    }
}

impl AsyncWrite for Leashed {
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
