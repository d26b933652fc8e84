//! TLS connections for axum, with bounds: how many, how long a handshake takes, how long one may be idle.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::{Instant, Sleep, sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

/// How many connections there may be at once; more wait in the system's queue.
const CONNECTIONS: usize = 1_024;

/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// How long a connection may neither read nor write. Bounds the wait for a request's headers as well, and is longer
/// than any answer may take.
const IDLE: Duration = Duration::from_secs(30);

/// Connections whose handshake is done, as axum takes them.
pub(super) struct TlsListener {
    ready: mpsc::Receiver<(Connection, SocketAddr)>,
    address: SocketAddr,
}

/// Shakes hands with who connects, each in a task of its own, so that a slow client holds up no other.
pub(super) fn listen(
    tcp: TcpListener,
    address: SocketAddr,
    config: Arc<ServerConfig>,
    stop: CancellationToken,
) -> TlsListener {
    let (sender, ready) = mpsc::channel(16);
    let acceptor = TlsAcceptor::from(config);
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    tokio::spawn(async move {
        let accept = async {
            while let Ok(place) = Arc::clone(&room).acquire_owned().await {
                let Ok((stream, peer)) = tcp.accept().await else {
                    // Out of file descriptors, most likely: wait for some to be given back.
                    sleep(Duration::from_millis(100)).await;
                    continue;
                };
                tokio::spawn(greet(acceptor.clone(), stream, peer, place, sender.clone()));
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = accept => {}
        }
    });
    TlsListener { ready, address }
}

async fn greet(
    acceptor: TlsAcceptor,
    stream: TcpStream,
    peer: SocketAddr,
    place: OwnedSemaphorePermit,
    ready: mpsc::Sender<(Connection, SocketAddr)>,
) {
    let _ = stream.set_nodelay(true);
    match timeout(HANDSHAKE, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => {
            let connection = Connection { stream, idle: Box::pin(sleep(IDLE)), _place: place };
            // Nobody takes it any more once the forge has stopped.
            let _ = ready.send((connection, peer)).await;
        }
        Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
        Err(_) => tracing::debug!("a TLS handshake took too long"),
    }
}

impl axum::serve::Listener for TlsListener {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(ready) => ready,
            // The forge is stopping, and axum is about to notice.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Ok(self.address)
    }
}

/// A TLS connection that ends when it has been idle for too long.
pub(super) struct Connection {
    stream: TlsStream<TcpStream>,
    idle: Pin<Box<Sleep>>,
    _place: OwnedSemaphorePermit,
}

impl Connection {
    /// Passes on what the stream said, unless it has said nothing for too long.
    fn watch<T>(&mut self, cx: &mut Context<'_>, said: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        match said {
            Poll::Ready(said) => {
                self.idle.as_mut().reset(Instant::now() + IDLE);
                Poll::Ready(said)
            }
            Poll::Pending => self.idle.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into())),
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let said = Pin::new(&mut this.stream).poll_read(cx, buf);
        this.watch(cx, said)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let said = Pin::new(&mut this.stream).poll_write(cx, buf);
        this.watch(cx, said)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let said = Pin::new(&mut this.stream).poll_flush(cx);
        this.watch(cx, said)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let said = Pin::new(&mut this.stream).poll_shutdown(cx);
        this.watch(cx, said)
    }
}
