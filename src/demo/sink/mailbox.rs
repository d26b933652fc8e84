//! Where accepted mails go: a file each, and a word to who waits for them.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::fs::OpenOptions;
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc;

use super::SunkMail;
use super::headers::{header, slug, subject};
use crate::inbox::smtp::Takes;

/// How long a mail waits for room in the channel before it is put off.
const WAIT: Duration = Duration::from_secs(5);

/// The folder and the channel.
pub(super) struct Mailbox {
    folder: PathBuf,
    mails: mpsc::Sender<SunkMail>,
    /// The number of the last mail.
    last: AtomicU32,
}

impl Mailbox {
    pub(super) fn new(folder: &Path, mails: mpsc::Sender<SunkMail>) -> Self {
        Self { folder: folder.to_owned(), mails, last: AtomicU32::new(0) }
    }

    async fn write(&self, mail: &[u8], slug: &str) -> io::Result<PathBuf> {
        let number = loop {
            let number = self.last.fetch_add(1, Ordering::Relaxed) + 1;
            // Mails of an earlier run keep their numbers.
            if !self.taken(number).await? {
                break number;
            }
        };
        let path = self.folder.join(format!("{number:03}-{slug}.eml"));
        // Under another name until it is whole, so that no one reads half a mail.
        let part = self.folder.join(format!("{number:03}.part"));
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(&part).await?;
        file.write_all(mail).await?;
        file.sync_all().await?;
        tokio::fs::rename(&part, &path).await?;
        Ok(path)
    }

    async fn taken(&self, number: u32) -> io::Result<bool> {
        let start = format!("{number:03}-");
        let mut entries = tokio::fs::read_dir(&self.folder).await?;
        while let Some(entry) = entries.next_entry().await? {
            if entry.file_name().to_string_lossy().starts_with(&start) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Takes for Mailbox {
    fn knows(&self, _: &str) -> bool {
        true
    }

    /// Keeps a mail and tells of it.
    async fn keep(&self, mail: &[u8], to: Vec<String>) -> io::Result<()> {
        // Room first: a mail that nobody hears of must not be accepted.
        let room = tokio::time::timeout(WAIT, self.mails.reserve()).await;
        let room = room.map_err(|_| io::ErrorKind::TimedOut)?.map_err(|_| io::ErrorKind::BrokenPipe)?;
        let subject = subject(mail);
        let path = self.write(mail, &slug(&subject)).await?;
        let [message_id, in_reply_to] = ["message-id", "in-reply-to"].map(|name| header(mail, name));
        room.send(SunkMail { path, subject, message_id, in_reply_to, at: crate::clock::now(), to });
        Ok(())
    }
}
