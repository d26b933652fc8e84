//! Where the time of a check goes, and what its hooks saw on the way.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;

use crate::model::{IpChoice, Phases};

tokio::task_local! {
    /// The trace of the check that this task is making.
    pub(super) static TRACE: Arc<Trace>;
}

/// What a check is busy with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Phase {
    Dns,
    Connect,
    Tls,
    FirstByte,
    Transfer,
}

/// The record of one check, shared by the check and its hooks. Its lock is never held across a wait and never
/// contended: all run in one task.
pub(super) struct Trace {
    started: Instant,
    notes: Mutex<Notes>,
}

/// The certificate that the server of the current hop showed.
#[derive(Clone)]
pub(super) struct Peer {
    /// The leaf as it came, in DER.
    pub(super) leaf: Box<[u8]>,
    /// Why it was not accepted, if it was not.
    pub(super) fault: Option<String>,
}

/// All that the server of the current hop showed.
pub(super) struct Shown {
    /// The certificates as they came, in DER, the leaf first.
    pub(super) chain: Box<[Box<[u8]>]>,
    /// The stapled OCSP response, in DER; empty when there was none.
    pub(super) staple: Box<[u8]>,
}

#[derive(Default)]
struct Notes {
    phases: Phases,
    open: Option<(Phase, Instant)>,
    hop: Hop,
    peer: Option<Peer>,
    /// Whether more than the leaf is kept.
    keep_chain: bool,
    shown: Option<Shown>,
    candidates: Vec<IpAddr>,
    #[cfg(test)]
    order: Vec<Phase>,
}

/// What the hooks must know of the request that is being made.
#[derive(Clone, Default)]
pub(super) struct Hop {
    /// Which address family is used.
    pub(super) ip: IpChoice,
    /// The name server that is asked instead of the system's.
    pub(super) server: Option<SocketAddr>,
    /// Connect here, whatever the name says.
    pub(super) address: Option<SocketAddr>,
    /// The certificate must be valid for this name rather than for the one connected to.
    pub(super) verify_as: Option<ServerName<'static>>,
}

/// Runs `f` on the trace of this task's check. Nothing outside of a check.
pub(super) fn with_trace<R>(f: impl FnOnce(&Trace) -> R) -> Option<R> {
    TRACE.try_with(|trace| f(trace)).ok()
}

impl Trace {
    pub(super) fn start() -> Arc<Self> {
        Arc::new(Self { started: Instant::now(), notes: Mutex::default() })
    }

    fn notes<R>(&self, f: impl FnOnce(&mut Notes) -> R) -> R {
        f(&mut self.notes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A request begins; what was seen of the one before is forgotten, its times are kept.
    pub(super) fn begin_hop(&self, hop: Hop) {
        self.notes(|notes| {
            notes.close(Instant::now());
            notes.hop = hop;
            notes.peer = None;
            notes.candidates.clear();
        });
    }

    pub(super) fn hop(&self) -> Hop {
        self.notes(|notes| notes.hop.clone())
    }

    /// The phase before ends here, this one begins.
    pub(super) fn enter(&self, phase: Phase) {
        let now = Instant::now();
        self.notes(|notes| {
            let since = match notes.open {
                // The connector was called a moment ago, and only now says that it has a name to resolve.
                Some((Phase::Connect, since)) if phase == Phase::Dns => since,
                // A second call of the same hook, as after a HelloRetryRequest (RFC 8446, section 4.1.4).
                Some((open, _)) if open == phase => return,
                _ => {
                    notes.close(now);
                    now
                }
            };
            #[cfg(test)]
            notes.order.push(phase);
            notes.open = Some((phase, since));
        });
    }

    /// The last phase ends here.
    pub(super) fn close(&self) {
        self.notes(|notes| notes.close(Instant::now()));
    }

    /// The phase that is open, and how long it has been.
    pub(super) fn open(&self) -> Option<(Phase, Duration)> {
        self.notes(|notes| notes.open.map(|(phase, since)| (phase, since.elapsed())))
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// The times until now. A phase that was left unfinished counts with the time spent in it.
    pub(super) fn phases(&self) -> Phases {
        self.notes(|notes| {
            notes.close(Instant::now());
            Phases { total: self.started.elapsed(), ..notes.phases }
        })
    }

    /// Adds what another trace saw: its times to these; its server stands for the one before.
    pub(super) fn absorb(&self, other: &Self) {
        let (phases, peer) = (other.phases(), other.peer());
        let candidates = other.notes(|notes| notes.candidates.clone());
        self.notes(|notes| {
            notes.phases = sum(notes.phases, phases);
            notes.peer = peer.or(notes.peer.take());
            notes.candidates = candidates;
        });
    }

    pub(super) fn note_peer(&self, peer: Peer) {
        self.notes(|notes| notes.peer = Some(peer));
    }

    pub(super) fn peer(&self) -> Option<Peer> {
        self.notes(|notes| notes.peer.clone())
    }

    /// From now on, all certificates that are shown are kept, not the leaf alone.
    pub(super) fn keep_chain(&self) {
        self.notes(|notes| notes.keep_chain = true);
    }

    /// Notes all that was shown, if that is to be kept.
    pub(super) fn note_shown(&self, shown: impl FnOnce() -> Shown) {
        self.notes(|notes| notes.shown = notes.keep_chain.then(shown));
    }

    /// Takes all that was shown, if that was kept.
    pub(super) fn shown(&self) -> Option<Shown> {
        self.notes(|notes| notes.shown.take())
    }

    /// What `f` makes of the certificate that the server of the current hop showed, if it showed one.
    pub(super) fn with_leaf<R>(&self, f: impl FnOnce(&[u8]) -> R) -> Option<R> {
        self.notes(|notes| notes.peer.as_ref().map(|peer| f(&peer.leaf)))
    }

    pub(super) fn note_candidates(&self, candidates: &[SocketAddr]) {
        self.notes(|notes| notes.candidates = candidates.iter().map(SocketAddr::ip).collect());
    }

    /// The address that was tried, if there was only one to try.
    pub(super) fn only_candidate(&self) -> Option<IpAddr> {
        self.notes(|notes| match notes.candidates[..] {
            [only] => Some(only),
            _ => None,
        })
    }

    #[cfg(test)]
    pub(super) fn order(&self) -> Vec<Phase> {
        self.notes(|notes| notes.order.clone())
    }
}

/// The times of both.
pub(super) fn sum(one: Phases, other: Phases) -> Phases {
    let both = |a: Option<Duration>, b: Option<Duration>| match (a, b) {
        (Some(a), Some(b)) => Some(a + b),
        (a, b) => a.or(b),
    };
    Phases {
        dns: both(one.dns, other.dns),
        connect: both(one.connect, other.connect),
        tls: both(one.tls, other.tls),
        first_byte: both(one.first_byte, other.first_byte),
        transfer: both(one.transfer, other.transfer),
        total: one.total + other.total,
    }
}

impl Notes {
    fn close(&mut self, now: Instant) {
        let Some((phase, since)) = self.open.take() else { return };
        let slot = match phase {
            Phase::Dns => &mut self.phases.dns,
            Phase::Connect => &mut self.phases.connect,
            Phase::Tls => &mut self.phases.tls,
            Phase::FirstByte => &mut self.phases.first_byte,
            Phase::Transfer => &mut self.phases.transfer,
        };
        *slot = Some(slot.unwrap_or_default() + now.duration_since(since));
    }
}

#[cfg(test)]
mod tests;
