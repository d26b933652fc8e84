//! One question and its answer: by UDP again and again, by TCP or TLS once.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use hickory_resolver::proto::op::Message;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::UdpSocket;

use super::DnsProbe;
use crate::model::{FailureClass, Transport};
use crate::probe::broken::Broken;
use crate::probe::classify::unconnected;
use crate::probe::dial::Dial;
use crate::probe::question::Seen;
use crate::probe::stopwatch::{Phase, Trace};
use crate::probe::wire::dns::{Answer, NoAnswer, question, read};

/// A question by UDP that has no answer is put again after so long, to the next server where there are more.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(1);
/// The longest datagram that is read, in bytes: three times what the question says that it takes.
const LONGEST_DATAGRAM: usize = 4 * 1024;

impl DnsProbe {
    pub(super) async fn by_dial(&self, dial: &Dial, trace: &Trace, seen: &mut Seen) -> Result<Answer, Broken> {
        match &self.tls {
            Some(tls) => {
                let stream = dial.tcp(trace, seen).await?;
                let stream = dial.tls(stream, tls.clone(), trace).await?;
                self.by_stream(stream, trace, seen).await
            }
            None if self.over == Transport::Tcp => self.by_stream(dial.tcp(trace, seen).await?, trace, seen).await,
            None => {
                let addresses = dial.addresses(trace).await?;
                self.by_udp(&addresses, trace, seen).await
            }
        }
    }

    pub(super) async fn by_tcp(&self, address: SocketAddr, trace: &Trace, seen: &mut Seen) -> Result<Answer, Broken> {
        trace.enter(Phase::Connect);
        let stream = tokio::net::TcpStream::connect(address).await.map_err(|error| unconnected(&error))?;
        seen.address = Some(address.ip());
        self.by_stream(stream, trace, seen).await
    }

    /// Asks these by UDP, one after the other and again, until one answers. The check's time limit ends this.
    pub(super) async fn by_udp(
        &self,
        addresses: &[SocketAddr],
        trace: &Trace,
        seen: &mut Seen,
    ) -> Result<Answer, Broken> {
        trace.note_candidates(addresses);
        trace.enter(Phase::FirstByte);
        let (mut refused, mut strays) = (0, 0_u32);
        let mut datagram = [0; LONGEST_DATAGRAM];
        for address in addresses.iter().cycle() {
            let (id, question) = self.question()?;
            let asked = once(*address, &question, |bytes| self.read(bytes, id), &mut strays, &mut datagram);
            let answer = asked.await;
            if strays > 0 {
                seen.headers.retain(|(name, _)| name != "other datagrams");
                seen.headers.push(("other datagrams".into(), format!("{strays}, which answer another question")));
            }
            match answer {
                Ok(Some(Ok(answer))) if answer.truncated => return self.by_tcp(*address, trace, seen).await,
                Ok(Some(Ok(answer))) => {
                    seen.address = Some(address.ip());
                    return Ok(answer);
                }
                Ok(Some(Err(_))) => {
                    seen.address = Some(address.ip());
                    return Err(junk());
                }
                Ok(None) => refused = 0,
                Err(error) => {
                    refused += 1;
                    if refused >= addresses.len() {
                        return Err(unconnected(&error));
                    }
                }
            }
        }
        Err(Broken::internal("there is no name server to ask"))
    }

    /// Asks on a stream, where each message stands behind its length (RFC 1035, section 4.2.2).
    async fn by_stream<S>(&self, mut stream: S, trace: &Trace, seen: &mut Seen) -> Result<Answer, Broken>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        trace.enter(Phase::FirstByte);
        let (id, question) = self.question()?;
        let length = u16::try_from(question.len()).unwrap_or(u16::MAX);
        let message = [&length.to_be_bytes()[..], &question].concat();
        stream.write_all(&message).await.map_err(|error| lost(&error))?;
        stream.flush().await.map_err(|error| lost(&error))?;
        let length = stream.read_u16().await.map_err(|error| lost(&error))?;
        trace.enter(Phase::Transfer);
        let mut answer = vec![0; usize::from(length)];
        let mut read = 0;
        while let Some(room) = answer.get_mut(read..).filter(|room| !room.is_empty()) {
            match stream.read(room).await.map_err(|error| lost(&error))? {
                0 => {
                    let fault = format!("the connection was closed after {read} of {length} bytes of the answer");
                    return Err(Broken::failed(FailureClass::Corrupt, fault));
                }
                count => read += count,
            }
            seen.read = read;
        }
        match self.read(&answer, id) {
            Ok(answer) if !answer.truncated => Ok(answer),
            Ok(_) => {
                Err(Broken::failed(FailureClass::Protocol, "the answer was cut short, and by TCP it need not be"))
            }
            Err(NoAnswer::Stray) => {
                Err(Broken::failed(FailureClass::Protocol, "the answer is one to another question"))
            }
            Err(NoAnswer::Junk) => Err(junk()),
        }
    }

    /// The question under a number that nobody can guess (RFC 5452, section 9.2).
    fn question(&self) -> Result<(u16, Vec<u8>), Broken> {
        let id = Message::query().metadata.id;
        Ok((id, question(id, &self.name, self.record).map_err(Broken::internal)?))
    }

    fn read(&self, bytes: &[u8], id: u16) -> Result<Answer, NoAnswer> {
        read(bytes, id, &self.name, self.record)
    }
}

/// Asks once by UDP: the answer, or junk in its place, or nothing within [`ASK_AGAIN_AFTER`].
async fn once(
    address: SocketAddr,
    question: &[u8],
    read: impl Fn(&[u8]) -> Result<Answer, NoAnswer>,
    strays: &mut u32,
    datagram: &mut [u8],
) -> io::Result<Option<Result<Answer, NoAnswer>>> {
    let any = if address.is_ipv4() { (Ipv4Addr::UNSPECIFIED, 0).into() } else { (Ipv6Addr::UNSPECIFIED, 0).into() };
    let socket = UdpSocket::bind::<SocketAddr>(any).await?;
    // From now on only this server's datagrams come in, and its machine can say that nothing listens there.
    socket.connect(address).await?;
    socket.send(question).await?;
    let hearing = async {
        loop {
            let count = socket.recv(datagram).await?;
            match read(datagram.get(..count).unwrap_or_default()) {
                Err(NoAnswer::Stray) => *strays = strays.saturating_add(1),
                other => return Ok(other),
            }
        }
    };
    tokio::time::timeout(ASK_AGAIN_AFTER, hearing).await.map_or(Ok(None), |heard: io::Result<_>| heard.map(Some))
}

fn junk() -> Broken {
    Broken::failed(FailureClass::Protocol, "the answer is no message of DNS")
}

fn lost(error: &io::Error) -> Broken {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    let fault = match error.kind() {
        ConnectionReset | ConnectionAborted | BrokenPipe => {
            "the connection was reset before an answer came".to_owned()
        }
        UnexpectedEof => "the connection was closed before an answer came".to_owned(),
        _ => format!("the connection broke: {error}"),
    };
    Broken::failed(FailureClass::Connect, fault)
}
