//! The ICMP kind: echo requests on a socket that needs no privilege where the system allows it, else on a raw one.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::UdpSocket;

use super::broken::Broken;
use super::classify::unconnected;
use super::dial::Dial;
use super::question::{Question, Seen};
use super::scarce::scarce;
use super::shared::Shared;
use super::stopwatch::{Phase, Trace};
use super::wire::icmp::{Mark, reply, request};
use crate::model::condition::Fact;
use crate::model::kind::icmp::{PATIENCE, PAUSE};
use crate::model::{FailureClass, IcmpTarget, Probe, Ratio};

/// Counts checks, so that no two of this process have the same mark.
static COUNTED: AtomicU64 = AtomicU64::new(0);

/// What to do where no socket may be had.
const REMEDY: &str = "let unprivileged users ask, by `sysctl -w net.ipv4.ping_group_range=\"0 2147483647\"`, \
                      or give Tripline the capability CAP_NET_RAW";

/// Echo requests that can be sent again and again.
pub(super) struct IcmpProbe {
    dial: Dial,
    count: u16,
    loss: Ratio,
    /// How long answers are waited for once the last request was sent.
    patience: Duration,
    /// Of this process, for marks.
    salt: RandomState,
}

impl IcmpProbe {
    pub(super) fn new(target: &IcmpTarget, probe: &Probe, shared: &mut Shared) -> Result<Self, String> {
        shared.warn_once_of_icmp(allowed);
        // What is left of the timeout, less some for the name and for judging what came.
        let left = probe.timeout.saturating_sub(PAUSE * u32::from(target.count.saturating_sub(1)));
        Ok(Self {
            dial: Dial::new(&target.host, 0, probe.resolve, shared.resolver()?),
            count: target.count,
            loss: target.loss,
            patience: PATIENCE.min(left * 4 / 5),
            salt: RandomState::new(),
        })
    }
}

/// Why echo requests cannot be sent from here, with what to do about it.
fn allowed() -> Result<(), String> {
    let fault = |error: io::Error| format!("ICMP is not allowed here ({error}): {REMEDY}");
    open(IpAddr::from([127, 0, 0, 1])).map(drop).map_err(fault)
}

/// A socket for requests to this address: a datagram socket, which the system lets some groups have, or a raw one.
fn open(to: IpAddr) -> io::Result<Socket> {
    let (domain, protocol) = match to {
        IpAddr::V4(_) => (Domain::IPV4, Protocol::ICMPV4),
        IpAddr::V6(_) => (Domain::IPV6, Protocol::ICMPV6),
    };
    let socket = match Socket::new(domain, Type::DGRAM, Some(protocol)) {
        Ok(socket) => socket,
        // The first refusal says what is wrong; that of the raw socket would only say "not permitted" again.
        Err(first) => Socket::new(domain, Type::RAW, Some(protocol)).map_err(|_| first)?,
    };
    socket.set_nonblocking(true)?;
    socket.connect(&SocketAddr::new(to, 0).into())?;
    Ok(socket)
}

impl Question for IcmpProbe {
    async fn ask(&self, trace: &Trace, seen: &mut Seen) -> Result<(), Broken> {
        let addresses = self.dial.addresses(trace).await?;
        trace.enter(Phase::FirstByte);
        // The first to which a way leads: a name may have addresses of a family that this machine has no network for.
        let mut opened = Err(Broken::internal("the host has no address"));
        for to in addresses.iter().map(SocketAddr::ip) {
            seen.address = Some(to);
            opened = open(to).map(|socket| (to, socket)).map_err(|error| unopened(&error));
            if !matches!(opened, Err(Broken::Failed(..))) {
                break;
            }
        }
        let (to, socket) = opened?;
        // Sending and receiving are the same calls for every kind of datagram.
        let socket = UdpSocket::from_std(socket.into())
            .map_err(|error| Broken::internal(format!("the socket for ICMP cannot be used: {error}")))?;
        let number = COUNTED.fetch_add(1, Ordering::Relaxed);
        let nonce = self.salt.hash_one(number);
        let mark = Mark { id: u16::try_from(nonce & 0xffff).unwrap_or_default(), nonce };
        let mut tally = Tally::default();
        let outcome = self.exchange(&socket, to, mark, &mut tally, trace).await;
        tally.note(seen);
        match outcome {
            // A word from the network on the way counts only where nothing else came.
            Err(error) if tally.received() == 0 => Err(unconnected(&error)),
            _ => tally.judge(self.loss),
        }
    }
}

impl IcmpProbe {
    async fn exchange(
        &self,
        socket: &UdpSocket,
        to: IpAddr,
        mark: Mark,
        tally: &mut Tally,
        trace: &Trace,
    ) -> io::Result<()> {
        let mut packet = [0; 512];
        let mut next = Instant::now();
        loop {
            let sent = tally.sent.len();
            let all_sent = sent >= usize::from(self.count);
            if !all_sent && Instant::now() >= next {
                let sequence = u16::try_from(sent).unwrap_or(u16::MAX);
                tally.sent.push((Instant::now(), None));
                next = Instant::now() + if sent + 1 == usize::from(self.count) { self.patience } else { PAUSE };
                socket.send(&request(to, mark, sequence)).await?;
                continue;
            }
            if all_sent && (tally.received() == sent || Instant::now() >= next) {
                return Ok(());
            }
            let Ok(heard) = tokio::time::timeout_at(next.into(), socket.recv(&mut packet)).await else { continue };
            let answer = reply(to, packet.get(..heard?).unwrap_or_default(), mark.nonce);
            let slot = answer.and_then(|sequence| tally.sent.get_mut(usize::from(sequence)));
            if let Some((at, rtt @ None)) = slot {
                *rtt = Some(at.elapsed());
                trace.enter(Phase::Transfer);
            }
        }
    }
}

/// When each request was sent, and how long its answer took.
#[derive(Default)]
struct Tally {
    sent: Vec<(Instant, Option<Duration>)>,
}

impl Tally {
    fn received(&self) -> usize {
        self.sent.iter().filter(|(_, rtt)| rtt.is_some()).count()
    }

    fn note(&self, seen: &mut Seen) {
        let times: Vec<Duration> = self.sent.iter().filter_map(|(_, rtt)| *rtt).collect();
        let (sent, received) = (self.sent.len(), times.len());
        let whole = |count: usize| Fact::Int(i64::try_from(count).unwrap_or(i64::MAX));
        #[expect(clippy::cast_precision_loss, reason = "at most twenty")]
        let loss = if sent == 0 { 0.0 } else { (sent - received) as f64 / sent as f64 };
        let sum: Duration = times.iter().sum();
        let average = u32::try_from(received).ok().and_then(|count| sum.checked_div(count));
        let named = [("min", times.iter().min().copied()), ("avg", average), ("max", times.iter().max().copied())];
        let spans = named.into_iter().filter_map(|(name, time)| Some((name.to_owned(), Fact::Span(time?))));
        seen.facts = vec![
            ("sent", whole(sent)),
            ("received", whole(received)),
            ("loss", Fact::Float(loss)),
            ("rtt", Fact::Map(spans.collect())),
        ];
        let each = self.sent.iter().map(|(_, rtt)| match rtt {
            Some(rtt) => format!("{:.1}ms", rtt.as_secs_f64() * 1_000.0),
            None => "lost".into(),
        });
        seen.headers.push(("replies".into(), each.collect::<Vec<_>>().join(", ")));
    }

    fn judge(&self, most: Ratio) -> Result<(), Broken> {
        let (sent, received) = (self.sent.len(), self.received());
        let lost = sent - received;
        if received == 0 {
            return Err(Broken::failed(FailureClass::Timeout, format!("no answer to {sent} echo requests")));
        }
        let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        if most.is_exceeded_by(count(lost), count(sent)) {
            let fault = format!("{lost} of {sent} echo requests had no answer; at most {most} may be lost");
            return Err(Broken::failed(FailureClass::Expectation, fault));
        }
        Ok(())
    }
}

fn unopened(error: &io::Error) -> Broken {
    match error.kind() {
        io::ErrorKind::PermissionDenied => Broken::internal(format!("ICMP is not allowed here ({error}): {REMEDY}")),
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable => unconnected(error),
        _ => Broken::internal(scarce(error).unwrap_or_else(|| format!("no socket for ICMP can be opened: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(answered: usize, sent: usize) -> Tally {
        let one = |place| (Instant::now(), (place < answered).then_some(Duration::from_millis(10)));
        Tally { sent: (0..sent).map(one).collect() }
    }

    #[test]
    fn as_much_may_be_lost_as_is_said_and_never_all() {
        let class = |answered, sent, most| match tally(answered, sent).judge(Ratio::from_percent(most)) {
            Ok(()) => None,
            Err(Broken::Failed(class, fault)) => Some((class, fault)),
            Err(other) => panic!("{other:?}"),
        };
        assert_eq!(class(2, 4, 50), None);
        let said = "3 of 4 echo requests had no answer; at most 50% may be lost".to_owned();
        assert_eq!(class(1, 4, 50), Some((FailureClass::Expectation, said)));
        let said = "no answer to 4 echo requests".to_owned();
        assert_eq!(class(0, 4, 100), Some((FailureClass::Timeout, said)));
    }
}
