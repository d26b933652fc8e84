//! A mail sink: takes every mail by SMTP on loopback and writes each to a folder as an `.eml` file.

pub mod headers;
mod mailbox;
#[cfg(test)]
mod tests;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::fault::DemoFault;
use crate::inbox::smtp::{PATIENCE, SmtpServer};
use crate::model::Timestamp;
use mailbox::Mailbox;

/// How many mails may wait to be taken off the channel.
const WAITING: usize = 256;

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
    server: SmtpServer,
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
        let (sender, receiver) = mpsc::channel(WAITING);
        let server = SmtpServer::start(listener, Mailbox::new(folder, sender), patience);
        Ok((Self { server: server.map_err(DemoFault::io("tell the mail sink's port"))? }, receiver))
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Stops listening and cuts off who is still connected. A mail is in the folder wholly or not at all.
    pub async fn stop(self) {
        self.server.stop().await;
    }
}
