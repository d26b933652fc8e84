//! A mail sink: takes every mail by SMTP on loopback and writes each to a folder as an `.eml` file.

mod headers;
mod mailbox;
mod session;
#[cfg(test)]
mod tests;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use super::fault::DemoFault;
use crate::model::Timestamp;
use mailbox::Mailbox;

/// How many connections are served at once; one more is told to come back.
const CONNECTIONS: usize = 32;

/// How many mails may wait to be taken off the channel.
const WAITING: usize = 256;

/// How long a client may be silent.
const PATIENCE: Duration = Duration::from_secs(60);

/// A mail that was accepted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SunkMail {
    /// Where it lies: `FOLDER/001-subject-slug.eml`, byte for byte as it was sent.
    pub path: PathBuf,
    /// Its subject, decoded.
    pub subject: String,
    /// Its `Message-ID`, with the angle brackets.
    pub message_id: Option<String>,
    /// What it answers, with the angle brackets.
    pub in_reply_to: Option<String>,
    /// When it was accepted.
    pub at: Timestamp,
    /// The recipients of the envelope.
    pub to: Vec<String>,
}

/// A running mail sink. Dropping it ends it.
#[derive(Debug)]
pub struct Sink {
    address: SocketAddr,
    sessions: TaskTracker,
    stop: DropGuard,
}

impl Sink {
    /// Listens on a free port of 127.0.0.1. Mails are written to `folder`, which is made if it is not there, and
    /// handed over by the channel. While nobody takes them off, up to 256 wait; then further mails are put off with
    /// a temporary failure. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// When the folder cannot be made or no port can be had.
    pub async fn start(folder: &Path) -> Result<(Self, mpsc::Receiver<SunkMail>), DemoFault> {
        Self::start_with(folder, PATIENCE).await
    }

    async fn start_with(folder: &Path, patience: Duration) -> Result<(Self, mpsc::Receiver<SunkMail>), DemoFault> {
        tokio::fs::create_dir_all(folder).await.map_err(DemoFault::io(format!("make {}", folder.display())))?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.map_err(DemoFault::io("listen on 127.0.0.1 for mail"))?;
        let address = listener.local_addr().map_err(DemoFault::io("tell the mail sink's port"))?;
        let (sender, receiver) = mpsc::channel(WAITING);
        let mailbox = Arc::new(Mailbox::new(folder, sender));
        let stop = CancellationToken::new();
        let sessions = TaskTracker::new();
        sessions.spawn(accept(listener, mailbox, patience, sessions.clone(), stop.clone()));
        Ok((Self { address, sessions, stop: stop.drop_guard() }, receiver))
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops listening and cuts off who is still connected. A mail is in the folder wholly or not at all.
    pub async fn stop(self) {
        self.sessions.close();
        drop(self.stop);
        self.sessions.wait().await;
    }
}

async fn accept(
    listener: TcpListener,
    mailbox: Arc<Mailbox>,
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
        let (mailbox, stop) = (Arc::clone(&mailbox), stop.clone());
        sessions.spawn(async move {
            let _place = place;
            tokio::select! {
                () = stop.cancelled() => {}
                () = serve(stream, &mailbox, patience) => {}
            }
        });
    }
}

async fn serve(stream: TcpStream, mailbox: &Mailbox, patience: Duration) {
    // Answers are short and waited for.
    let _ = stream.set_nodelay(true);
    if let Err(error) = session::serve(stream, mailbox, patience).await {
        tracing::debug!(%error, "a mail connection broke off");
    }
}
