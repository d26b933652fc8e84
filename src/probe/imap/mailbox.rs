//! What is done in a mailbox: looking into it, finding mails, waiting for one, deleting.

use std::collections::BTreeSet;
use std::time::Duration;

use super::session::{ImapSession, MOST_LITERAL_BYTES, MOST_MAIL_BYTES, quote};
use crate::model::FailureClass;
use crate::probe::broken::Broken;
use crate::probe::question::Seen;
use crate::probe::wire::imap::{Response, Token, Word, exists, fetched, response, words_of};

/// Of the mails that match so many are looked at, the newest.
const MOST_MAILS_FOUND: usize = 100;

impl ImapSession {
    /// Opens a mailbox, to change it or only to read, and says how many messages are in it.
    pub(in crate::probe) async fn look_into(
        &mut self,
        mailbox: &str,
        change: bool,
        seen: &mut Seen,
    ) -> Result<Option<u64>, Broken> {
        let verb = if change { "SELECT" } else { "EXAMINE" };
        let mut messages = None;
        let line = format!("{verb} {}", quote(mailbox));
        self.command(&line, &format!("{verb} {mailbox}"), FailureClass::NotFound, seen, |tokens| {
            messages = exists(tokens).or(messages);
        })
        .await?;
        Ok(messages)
    }

    /// The numbers of the mails that match, the newest last; of very many the newest.
    pub(in crate::probe) async fn search(&mut self, criteria: &str, seen: &mut Seen) -> Result<Vec<u32>, Broken> {
        let mut found: BTreeSet<u32> = BTreeSet::new();
        let line = format!("UID SEARCH {criteria}");
        self.command(&line, "SEARCH", FailureClass::ServerError, seen, |tokens| {
            let words = words_of(tokens, "SEARCH").unwrap_or_default();
            found.extend(words.into_iter().filter_map(|word| word.parse::<u32>().ok()));
            while found.len() > MOST_MAILS_FOUND {
                found.pop_first();
            }
        })
        .await?;
        Ok(found.into_iter().collect())
    }

    /// The size of a mail in bytes, and its beginning, up to the cap.
    pub(in crate::probe) async fn fetch(&mut self, uid: u32, seen: &mut Seen) -> Result<(u64, Vec<u8>), Broken> {
        let (mut size, mut mail) = (None, None);
        let line = format!("UID FETCH {uid} (RFC822.SIZE)");
        self.command(&line, "FETCH", FailureClass::ServerError, seen, |tokens| {
            if let Some(Token::Atom(number)) = fetched(tokens, "RFC822.SIZE") {
                size = number.parse::<u64>().ok();
            }
        })
        .await?;
        // Only a part is asked for, whatever the size: a mail can be of any size.
        let line = format!("UID FETCH {uid} (BODY.PEEK[]<0.{MOST_MAIL_BYTES}>)");
        self.command(&line, "FETCH", FailureClass::ServerError, seen, |tokens| {
            if let Some(Token::Text(bytes)) = fetched(tokens, "BODY[]") {
                mail = Some(bytes.clone());
            }
        })
        .await?;
        match (size, mail) {
            (Some(size), Some(mail)) => Ok((size, mail)),
            _ => Err(Broken::failed(FailureClass::Protocol, "FETCH was answered without the mail and its size")),
        }
    }

    /// Waits until something happens in the mailbox, at most this long (RFC 2177 where the server knows it).
    pub(in crate::probe) async fn idle(&mut self, limit: Duration, seen: &mut Seen) -> Result<(), Broken> {
        if !self.can("IDLE") {
            tokio::time::sleep(limit).await;
            return self.command("NOOP", "NOOP", FailureClass::ServerError, seen, |_| {}).await.map(drop);
        }
        let tag = self.tag();
        self.lines.send(format!("{tag} IDLE\r\n").as_bytes()).await?;
        let news = async {
            loop {
                match self.lines.next(|bytes| response(bytes, MOST_LITERAL_BYTES), "news of the mailbox").await? {
                    Response::Untagged(tokens) if exists(&tokens).is_some() => return Ok(()),
                    Response::State(status) if status.word == Word::Bye => {
                        let fault = format!("the server ended the wait with {}", status.said());
                        return Err(Broken::failed(FailureClass::ServerError, fault));
                    }
                    Response::Done(_, status) => {
                        let class = status.refusal(FailureClass::ServerError).unwrap_or(FailureClass::Protocol);
                        return Err(Broken::failed(class, format!("IDLE was answered with {}", status.said())));
                    }
                    _ => {}
                }
            }
        };
        if let Ok(heard) = tokio::time::timeout(limit, news).await {
            heard?;
        }
        self.lines.send(b"DONE\r\n").await?;
        self.end_of_idle(&tag, seen).await
    }

    /// As [`end_of`](Self::end_of), but the server's go-ahead may still be under way.
    async fn end_of_idle(&mut self, tag: &str, seen: &mut Seen) -> Result<(), Broken> {
        loop {
            match self.response("the end of IDLE", seen).await? {
                Response::Done(found, status) if found == tag && status.word == Word::Ok => return Ok(()),
                Response::Done(_, status) => {
                    let class = status.refusal(FailureClass::ServerError).unwrap_or(FailureClass::Protocol);
                    return Err(Broken::failed(class, format!("IDLE was answered with {}", status.said())));
                }
                _ => {}
            }
        }
    }

    /// Deletes these mails for good.
    pub(in crate::probe) async fn delete(&mut self, uids: &[u32], seen: &mut Seen) -> Result<(), Broken> {
        if uids.is_empty() {
            return Ok(());
        }
        let set = uids.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
        let store = format!("UID STORE {set} +FLAGS.SILENT (\\Deleted)");
        self.command(&store, "STORE", FailureClass::Forbidden, seen, |_| {}).await?;
        // Without UIDPLUS (RFC 4315) all goes that is marked, whoever marked it.
        let expunge = if self.can("UIDPLUS") { format!("UID EXPUNGE {set}") } else { "EXPUNGE".into() };
        self.command(&expunge, "EXPUNGE", FailureClass::Forbidden, seen, |_| {}).await?;
        Ok(())
    }
}
