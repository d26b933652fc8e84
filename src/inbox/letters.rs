//! Mail for checks that wait for it. Each check has an address of its own, `NAME+NONCE@HOST`, so that a mail is known by
//! whom it is for, and nobody else's mail is taken.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::sync::mpsc;

use super::nonce;
use super::smtp::Takes;

/// How many mails may wait for one check; the mail server tells who sends more to come again.
const WAITING: usize = 4;
/// How many checks may wait for mail at once.
const MOST: usize = 1_000;

/// Who waits for mail. Cloning shares it.
#[derive(Clone, Default)]
pub struct Letters(Arc<Mutex<Waiting>>);

#[derive(Default)]
struct Waiting {
    /// Whether mail can come at all.
    taken: bool,
    /// The checks that wait, by address.
    checks: BTreeMap<String, mpsc::Sender<Bytes>>,
}

/// A check that waits for mail. Dropping it ends the waiting.
pub struct Expected {
    letters: Letters,
    /// The address that the mail has to be for.
    pub address: String,
    mails: mpsc::Receiver<Bytes>,
}

impl Letters {
    /// Waits for mail from now on, at an address made of this one. `None` when no mail is taken here, it is no address, too
    /// many wait, or the system has no random numbers.
    #[must_use]
    pub fn wait(&self, base: &str) -> Option<Expected> {
        let (name, host) = base.split_once('@')?;
        let address = format!("{name}+{}@{host}", nonce()?);
        let (sender, mails) = mpsc::channel(WAITING);
        self.waiting(|waiting| {
            let room = waiting.taken && waiting.checks.len() < MOST;
            room.then(|| waiting.checks.insert(address.to_ascii_lowercase(), sender))
        })?;
        Some(Expected { letters: self.clone(), address, mails })
    }

    fn waiting<R>(&self, f: impl FnOnce(&mut Waiting) -> R) -> R {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Takes for Letters {
    fn begin(&self) {
        self.waiting(|waiting| waiting.taken = true);
    }

    fn knows(&self, address: &str) -> bool {
        self.waiting(|waiting| waiting.checks.contains_key(&address.to_ascii_lowercase()))
    }

    async fn keep(&self, mail: &[u8], to: Vec<String>) -> io::Result<()> {
        let mail = Bytes::copy_from_slice(mail);
        let handed = self.waiting(|waiting| {
            let known = to.iter().filter_map(|address| waiting.checks.get(&address.to_ascii_lowercase()));
            known.filter(|waits| waits.try_send(mail.clone()).is_ok()).count()
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
        self.letters.waiting(|waiting| waiting.checks.remove(&self.address.to_ascii_lowercase()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn mail_reaches_the_check_whose_address_it_is_for_and_no_other() {
        let letters = Letters::default();
        assert!(letters.wait("canary@example.com").is_none(), "no mail is taken yet");
        letters.begin();
        let (mut first, second) =
            (letters.wait("Canary@Example.com").unwrap(), letters.wait("canary@example.com").unwrap());
        assert!(letters.knows(&first.address.to_uppercase()) && !letters.knows("canary@example.com"));
        letters.keep(b"hello", vec![first.address.clone(), "else@example.com".into()]).await.unwrap();
        assert_eq!(first.next().await.unwrap(), "hello");
        let gone = second.address.clone();
        drop(second);
        assert!(!letters.knows(&gone));
        assert!(letters.keep(b"late", vec![gone]).await.is_err());
        assert!(letters.wait("no address").is_none());
    }

    #[tokio::test]
    async fn more_mail_than_a_check_can_take_is_put_off() {
        let letters = Letters::default();
        letters.begin();
        let expected = letters.wait("canary@example.com").unwrap();
        for _ in 0..WAITING {
            letters.keep(b"x", vec![expected.address.clone()]).await.unwrap();
        }
        assert!(letters.keep(b"x", vec![expected.address.clone()]).await.is_err());
    }
}
