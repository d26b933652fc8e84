//! Floor 2: what arrives by itself: calls of jobs and of hooks, by token, and mail, by address.
//!
//! Whoever calls knows a token and nothing else. Tokens are looked up by their hash, so that the time which an answer
//! takes says nothing about how much of a token was right.

pub mod mail;
pub mod smtp;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use http::{HeaderMap, Method};
use tokio::sync::mpsc;

use crate::model::kind::heartbeat::Ping;
use crate::model::{Timestamp, Token};

/// How many calls of jobs may wait to be heard; more are refused.
const WAITING_PINGS: usize = 1_024;
/// How many calls of one hook may wait for the check that waits for them; more are let go.
const WAITING_CALLS: usize = 16;
/// How many checks may wait for calls of hooks at once.
const MOST_WAITING: usize = 10_000;

/// What arrives, and who waits for it. Cloning shares it.
#[derive(Clone, Default)]
pub struct Inbox {
    state: Arc<Mutex<State>>,
    mailboxes: mail::Mailboxes,
}

#[derive(Default)]
struct State {
    jobs: HashMap<Digest, usize>,
    pings: Option<mpsc::Sender<Arrived>>,
    hooks: HashMap<Digest, Hook>,
    /// The number of the next check that waits.
    next: u64,
    waiting: usize,
}

#[derive(Default)]
struct Hook {
    waiting: HashMap<u64, Waiting>,
}

struct Waiting {
    nonce: Box<str>,
    calls: mpsc::Sender<Call>,
}

/// The SHA-256 of a token.
type Digest = [u8; 32];

/// A call of a job.
#[derive(Debug)]
pub struct Arrived {
    /// The job's place in the list that is listened for.
    pub job: usize,
    /// What it says.
    pub ping: Ping,
    /// When it came.
    pub at: Timestamp,
    /// What it said beside it, as far as that is kept.
    pub said: Bytes,
}

/// A call of a hook.
#[derive(Clone, Debug)]
pub struct Call {
    /// The request's method.
    pub method: Method,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, whole.
    pub body: Bytes,
}

/// What became of a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Taken {
    /// It was handed on, or nobody waits for it just now.
    Yes,
    /// Nobody has this token.
    Unknown,
    /// There is no room; it may be retried.
    Full,
}

/// 128 random bits in hexadecimal: what tells what is meant for one check from what is meant for others, and nobody can
/// guess. `None` when the system has no random numbers.
#[must_use]
pub fn nonce() -> Option<String> {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).ok()?;
    Some(data_encoding::HEXLOWER.encode(&bytes))
}

fn hash(token: &str) -> Digest {
    <Digest>::try_from(digest(&SHA256, token.as_bytes()).as_ref()).unwrap_or_default()
}

impl Inbox {
    fn state<R>(&self, f: impl FnOnce(&mut State) -> R) -> R {
        f(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The checks that wait for mail.
    #[must_use]
    pub fn mailboxes(&self) -> &mail::Mailboxes {
        &self.mailboxes
    }

    /// From now on, these jobs are known, in their order, and no others. Who was given their calls before gets no more
    /// once it has taken those that wait.
    #[must_use]
    pub fn listen<'a>(&self, jobs: impl IntoIterator<Item = &'a Token>) -> mpsc::Receiver<Arrived> {
        let (sender, receiver) = mpsc::channel(WAITING_PINGS);
        let jobs = jobs.into_iter().enumerate().map(|(job, token)| (hash(token.expose()), job)).collect();
        self.state(|state| {
            state.jobs = jobs;
            state.pings = Some(sender);
        });
        receiver
    }

    /// From now on, these hooks are known and no others; who waits for a call of one that is still known goes on.
    pub fn open<'a>(&self, hooks: impl IntoIterator<Item = &'a Token>) {
        self.state(|state| {
            let mut before = std::mem::take(&mut state.hooks);
            for token in hooks {
                let token = hash(token.expose());
                state.hooks.insert(token, before.remove(&token).unwrap_or_default());
            }
            state.waiting = state.hooks.values().map(|hook| hook.waiting.len()).sum();
        });
    }

    /// A job calls.
    #[must_use]
    pub fn ping(&self, token: &str, ping: Ping, at: Timestamp, said: Bytes) -> Taken {
        let token = hash(token);
        self.state(|state| match (state.jobs.get(&token), &state.pings) {
            (Some(&job), Some(pings)) => match pings.try_send(Arrived { job, ping, at, said }) {
                Ok(()) => Taken::Yes,
                Err(_) => Taken::Full,
            },
            _ => Taken::Unknown,
        })
    }

    /// Whether there is such a hook: what is not for us need not be read.
    #[must_use]
    pub fn has_hook(&self, token: &str) -> bool {
        let token = hash(token);
        self.state(|state| state.hooks.contains_key(&token))
    }

    /// A hook is called: for the check of this nonce, or without one for all that wait. A check that has more calls
    /// waiting than it can take misses this one.
    #[must_use]
    pub fn call(&self, token: &str, nonce: Option<&str>, call: &Call) -> Taken {
        let token = hash(token);
        self.state(|state| {
            let Some(hook) = state.hooks.get(&token) else { return Taken::Unknown };
            for waiting in hook.waiting.values().filter(|waiting| nonce.is_none_or(|nonce| nonce == &*waiting.nonce))
            {
                if waiting.calls.try_send(call.clone()).is_err() {
                    tracing::debug!("a hook was called more often than its check could take");
                }
            }
            Taken::Yes
        })
    }

    /// Waits for calls of this hook from now on. `None` when the hook is not known, or too many wait.
    #[must_use]
    pub fn wait(&self, token: &Token, nonce: &str) -> Option<Calls> {
        let token = hash(token.expose());
        let (sender, receiver) = mpsc::channel(WAITING_CALLS);
        let number = self.state(|state| {
            let hook = state.hooks.get_mut(&token).filter(|_| state.waiting < MOST_WAITING)?;
            let number = state.next;
            hook.waiting.insert(number, Waiting { nonce: nonce.into(), calls: sender });
            (state.next, state.waiting) = (number.wrapping_add(1), state.waiting + 1);
            Some(number)
        })?;
        Some(Calls { inbox: self.clone(), token, number, calls: receiver })
    }
}

/// The calls of a hook that a check waits for. Dropping it ends the waiting.
pub struct Calls {
    inbox: Inbox,
    token: Digest,
    number: u64,
    calls: mpsc::Receiver<Call>,
}

impl Calls {
    /// The next call; `None` when the hook is known no more.
    pub async fn next(&mut self) -> Option<Call> {
        self.calls.recv().await
    }
}

impl Drop for Calls {
    fn drop(&mut self) {
        self.inbox.state(|state| {
            if state.hooks.get_mut(&self.token).and_then(|hook| hook.waiting.remove(&self.number)).is_some() {
                state.waiting -= 1;
            }
        });
    }
}
