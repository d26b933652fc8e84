//! A mail server of our own, for mail that is waited for here: SMTP without TLS, and what is taken goes to one place.

mod session;

pub use session::serve as converse;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

/// How many connections are served at once; one more is told to come back.
pub const CONNECTIONS: usize = 32;
/// How long a client may be silent.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Where the mail goes.
pub trait Takes: Send + Sync + 'static {
    /// From now on mail can come.
    fn begin(&self) {}

    /// Whether mail for this address is taken at all.
    fn knows(&self, address: &str) -> bool;

    /// Keeps a mail for these recipients, at least one. After an error it is as if the mail had never come, and the
    /// client is told to try again.
    fn keep(&self, mail: &[u8], to: Vec<String>) -> impl Future<Output = io::Result<()>> + Send;
}

/// A running mail server. Dropping it ends it.
#[derive(Debug)]
pub struct SmtpServer {
    address: SocketAddr,
    sessions: TaskTracker,
    stop: DropGuard,
}

impl SmtpServer {
    /// Serves this port until it is dropped. A client may be silent for `patience`. Must be called within a tokio
    /// runtime.
    ///
    /// # Errors
    /// When the system does not tell where the port is.
    pub fn start<T: Takes>(listener: TcpListener, taker: T, patience: Duration) -> io::Result<Self> {
        let address = listener.local_addr()?;
        taker.begin();
        let stop = CancellationToken::new();
        let sessions = TaskTracker::new();
        sessions.spawn(accept(listener, Arc::new(taker), patience, sessions.clone(), stop.clone()));
        Ok(Self { address, sessions, stop: stop.drop_guard() })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops listening and cuts off who is still connected. A mail is kept wholly or not at all.
    pub async fn stop(self) {
        self.sessions.close();
        drop(self.stop);
        self.sessions.wait().await;
    }
}

async fn accept<T: Takes>(
    listener: TcpListener,
    taker: Arc<T>,
    patience: Duration,
    sessions: TaskTracker,
    stop: CancellationToken,
) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((mut stream, _)) = accepted else {
            // Out of file descriptors, most likely: wait for some to be given back.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let Ok(place) = Arc::clone(&room).try_acquire_owned() else {
            let _ = tokio::time::timeout(patience, stream.write_all(b"421 too many connections\r\n")).await;
            continue;
        };
        let (taker, stop) = (Arc::clone(&taker), stop.clone());
        sessions.spawn(async move {
            let _place = place;
            tokio::select! {
                () = stop.cancelled() => {}
                () = serve(stream, &*taker, patience) => {}
            }
        });
    }
}

async fn serve<T: Takes>(stream: TcpStream, taker: &T, patience: Duration) {
    // Answers are short and waited for.
    let _ = stream.set_nodelay(true);
    if let Err(error) = converse(stream, taker, patience).await {
        tracing::debug!(%error, "a mail connection broke off");
    }
}
