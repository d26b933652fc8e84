//! A byte limit: how much the other side of a connection may say before it has answered. Protocols know words that mean nothing
//! (pings, settings, interim answers, words to be ignored), and whoever sends them without end would keep us busy for the
//! whole of a check's time.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// So many bytes, counted anew whenever the check got something for them.
#[derive(Clone)]
pub(super) struct ByteLimit {
    most: usize,
    said: Arc<AtomicUsize>,
}

/// A connection that breaks once the limit is used up.
pub(super) struct Limited<S> {
    stream: S,
    byte_limit: ByteLimit,
}

impl ByteLimit {
    pub(super) fn new(most: usize) -> Self {
        Self { most, said: Arc::default() }
    }

    /// Puts this limit on a connection.
    pub(super) fn on<S>(&self, stream: S) -> Limited<S> {
        Limited { stream, byte_limit: self.clone() }
    }

    /// The check got something: it is counted anew.
    pub(super) fn renew(&self) {
        self.said.store(0, Ordering::Relaxed);
    }
}

/// The fault, if this error is that of a limit that was used up.
pub(super) fn used_up(error: &io::Error) -> Option<String> {
    (error.kind() == io::ErrorKind::QuotaExceeded).then(|| error.to_string())
}

impl<S: AsyncRead + Unpin> AsyncRead for Limited<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, into);
        let new = into.filled().len().saturating_sub(before);
        let ByteLimit { most, said } = &self.byte_limit;
        if said.fetch_add(new, Ordering::Relaxed).saturating_add(new) > *most {
            let fault = format!("the server sent more than {} KiB without a whole answer", most / 1024);
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::QuotaExceeded, fault)));
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Limited<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;

    #[tokio::test]
    async fn what_is_said_beyond_the_limit_is_an_error_until_it_is_renewed() {
        let byte_limit = ByteLimit::new(2048);
        let mut stream = byte_limit.on(tokio::io::repeat(7));
        let mut some = [0; 1024];
        for _ in 0..2 {
            assert_eq!(stream.read(&mut some).await.unwrap(), 1024);
        }
        byte_limit.renew();
        for _ in 0..2 {
            assert_eq!(stream.read(&mut some).await.unwrap(), 1024);
        }
        let error = stream.read(&mut some).await.unwrap_err();
        assert_eq!(used_up(&error).unwrap(), "the server sent more than 2 KiB without a whole answer");
    }
}
