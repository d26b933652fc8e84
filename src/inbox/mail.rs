//! Mail for checks that wait for it. Each check has an address of its own, `NAME+NONCE@HOST`, so that a mail is known by
//! whom it is for, and nobody else's mail is taken. A mail to `NAME@HOST`, which an account may have been registered with,
//! is for every check that waits at an address made of it and asks for such mail.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::sync::mpsc;

use super::nonce;
use super::smtp::Takes;

/// How many mails may wait for one check; the mail server tells who sends more to come again.
const MOST_MAILS: usize = 4;
/// How many checks may wait for mail at once.
const MOST_WAITING: usize = 1_000;

/// Who waits for mail. Cloning shares it.
#[derive(Clone, Default)]
pub struct Mailboxes(Arc<Mutex<Waiting>>);

#[derive(Default)]
struct Waiting {
    /// Whether mail can come at all.
    taken: bool,
    /// The checks that wait, by address, in small letters.
    checks: BTreeMap<String, Waits>,
}

/// Which mail a check takes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// That to its own address.
    Own,
    /// That to the address which its own is made of as well, where any check may have caused it.
    AlsoShared,
}

struct Waits {
    /// The other address whose mail it takes, in small letters.
    base: Option<String>,
    sender: mpsc::Sender<Bytes>,
}

/// A check that waits for mail. Dropping it ends the waiting.
pub struct Expected {
    mailboxes: Mailboxes,
    /// The address that the mail has to be for.
    pub address: String,
    mails: mpsc::Receiver<Bytes>,
}

impl Mailboxes {
    /// Waits for mail from now on, at an address made of this one. `None` when no mail is taken here, it is no address, too
    /// many wait, or the system has no random numbers.
    #[must_use]
    pub fn wait(&self, base: &str, taken: Taken) -> Option<Expected> {
        let (name, host) = base.split_once('@')?;
        let address = format!("{name}+{}@{host}", nonce()?);
        let (sender, mails) = mpsc::channel(MOST_MAILS);
        let base = (taken == Taken::AlsoShared).then(|| base.to_ascii_lowercase());
        let waits = Waits { base, sender };
        self.waiting(|waiting| {
            let room = waiting.taken && waiting.checks.len() < MOST_WAITING;
            room.then(|| waiting.checks.insert(address.to_ascii_lowercase(), waits))
        })?;
        Some(Expected { mailboxes: self.clone(), address, mails })
    }

    fn waiting<R>(&self, f: impl FnOnce(&mut Waiting) -> R) -> R {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Whether a mail for these addresses, in small letters, is for the check with this one.
fn is_for(own: &str, waits: &Waits, to: &[String]) -> bool {
    to.iter().any(|address| address == own || waits.base.as_ref() == Some(address))
}

impl Takes for Mailboxes {
    fn begin(&self) {
        self.waiting(|waiting| waiting.taken = true);
    }

    fn knows(&self, address: &str) -> bool {
        let to = [address.to_ascii_lowercase()];
        self.waiting(|waiting| waiting.checks.iter().any(|(own, waits)| is_for(own, waits, &to)))
    }

    async fn keep(&self, mail: &[u8], to: Vec<String>) -> io::Result<()> {
        let mail = Bytes::copy_from_slice(mail);
        let to: Vec<String> = to.iter().map(|address| address.to_ascii_lowercase()).collect();
        let handed = self.waiting(|waiting| {
            let known = waiting.checks.iter().filter(|(own, waits)| is_for(own, waits, &to));
            known.filter(|(_, waits)| waits.sender.try_send(mail.clone()).is_ok()).count()
        });
        if handed == 0 { Err(io::Error::other("nobody waits for it any more, or has room for it")) } else { Ok(()) }
    }
}

impl Expected {
    /// The next mail, whole, as it was sent.
    pub async fn next(&mut self) -> Option<Bytes> {
        self.mails.recv().await
    }
}

impl Drop for Expected {
    fn drop(&mut self) {
        self.mailboxes.waiting(|waiting| waiting.checks.remove(&self.address.to_ascii_lowercase()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn mail_reaches_the_check_whose_address_it_is_for_and_no_other() {
        let mailboxes = Mailboxes::default();
        assert!(mailboxes.wait("canary@example.com", Taken::Own).is_none(), "no mail is taken yet");
        mailboxes.begin();
        let (mut first, second) = (
            mailboxes.wait("Canary@Example.com", Taken::Own).unwrap(),
            mailboxes.wait("canary@example.com", Taken::Own).unwrap(),
        );
        assert!(mailboxes.knows(&first.address.to_uppercase()) && !mailboxes.knows("canary@example.com"));
        mailboxes.keep(b"hello", vec![first.address.clone(), "else@example.com".into()]).await.unwrap();
        assert_eq!(first.next().await.unwrap(), "hello");
        let gone = second.address.clone();
        drop(second);
        assert!(!mailboxes.knows(&gone));
        assert!(mailboxes.keep(b"late", vec![gone]).await.is_err());
        assert!(mailboxes.wait("no address", Taken::Own).is_none());
    }

    #[tokio::test]
    async fn mail_to_the_mailbox_itself_reaches_each_check_that_takes_it_once_and_no_other() {
        let mailboxes = Mailboxes::default();
        mailboxes.begin();
        let (mut first, mut second) = (
            mailboxes.wait("canary@example.com", Taken::AlsoShared).unwrap(),
            mailboxes.wait("Canary@example.com", Taken::AlsoShared).unwrap(),
        );
        let mut own = mailboxes.wait("canary@example.com", Taken::Own).unwrap();
        let mut other = mailboxes.wait("else@example.com", Taken::AlsoShared).unwrap();
        assert!(mailboxes.knows("CANARY@example.com"));
        mailboxes.keep(b"reset", vec!["canary@example.com".into(), first.address.clone()]).await.unwrap();
        assert_eq!((first.next().await.unwrap(), second.next().await.unwrap()), ("reset".into(), "reset".into()));
        assert!(first.mails.try_recv().is_err() && own.mails.try_recv().is_err() && other.mails.try_recv().is_err());
        drop((first, second));
        assert!(!mailboxes.knows("canary@example.com"), "nobody waits there");
    }

    #[tokio::test]
    async fn more_mail_than_a_check_can_take_is_put_off() {
        let mailboxes = Mailboxes::default();
        mailboxes.begin();
        let expected = mailboxes.wait("canary@example.com", Taken::Own).unwrap();
        for _ in 0..MOST_MAILS {
            mailboxes.keep(b"x", vec![expected.address.clone()]).await.unwrap();
        }
        assert!(mailboxes.keep(b"x", vec![expected.address.clone()]).await.is_err());
    }
}
