//! The DNS kind: a question to name servers, by UDP, TCP or TLS.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hickory_resolver::proto::op::Message;
use rustls::ClientConfig;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::UdpSocket;

use super::broken::Broken;
use super::classify::unconnected;
use super::dial::Dial;
use super::expect::mentioned;
use super::question::{Question, Seen};
use super::shared::Shared;
use super::stopwatch::{Phase, Trace};
use super::wire::dns::{Answer, NoAnswer, code_name, question, read};
use crate::model::condition::Fact;
use crate::model::{DnsTarget, FailureClass, Probe, RecordKind, Transport};

/// A question by UDP that has no answer is put again after so long, to the next server where there are more.
const AGAIN: Duration = Duration::from_secs(1);
/// The longest datagram that is read, in bytes: three times what the question says that it takes.
const LONGEST_DATAGRAM: usize = 4 * 1024;
/// The most answers that a fault shows.
const MOST_SHOWN: usize = 5;

/// A question that can be asked again and again.
pub(super) struct DnsProbe {
    name: String,
    record: RecordKind,
    servers: Servers,
    over: Transport,
    tls: Option<Arc<ClientConfig>>,
    answers: Option<Vec<String>>,
    /// Whether an expectation looks at the response code, and so says itself which is well.
    judges_code: bool,
    /// Whether an expectation says how many answers are well.
    judges_answers: bool,
}

/// Who is asked.
enum Servers {
    /// All of these, and their answers must be the same.
    Named(Vec<(String, Dial)>),
    /// These, until one answers.
    System(Arc<[SocketAddr]>),
}

impl DnsProbe {
    pub(super) fn new(target: &DnsTarget, probe: &Probe, shared: &mut Shared) -> Result<Self, String> {
        // Tried once here, so that a name that cannot be asked for is told at the start.
        question(0, &target.name, target.record)?;
        let resolver = shared.resolver()?;
        let dial = |server: &crate::model::NameServer| {
            (server.host.clone(), Dial::new(&server.host, server.port, probe.resolve, resolver.clone()))
        };
        let servers = if target.servers.is_empty() {
            Servers::System(shared.name_servers())
        } else {
            Servers::Named(target.servers.iter().map(dial).collect())
        };
        Ok(Self {
            name: target.name.clone(),
            record: target.record,
            servers,
            over: target.over,
            tls: (target.over == Transport::Tls).then(|| shared.tls(&target.tls)).transpose()?,
            answers: target.answers.clone(),
            judges_code: mentioned(&probe.expect, "rcode"),
            judges_answers: mentioned(&probe.expect, "answers") || target.answers.is_some(),
        })
    }

    async fn by_dial(&self, dial: &Dial, trace: &Trace, seen: &mut Seen) -> Result<Answer, Broken> {
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

    async fn by_tcp(&self, address: SocketAddr, trace: &Trace, seen: &mut Seen) -> Result<Answer, Broken> {
        trace.enter(Phase::Connect);
        let stream = tokio::net::TcpStream::connect(address).await.map_err(|error| unconnected(&error))?;
        seen.address = Some(address.ip());
        self.by_stream(stream, trace, seen).await
    }

    /// Asks these by UDP, one after the other and again, until one answers. The check's time limit ends this.
    async fn by_udp(&self, addresses: &[SocketAddr], trace: &Trace, seen: &mut Seen) -> Result<Answer, Broken> {
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

    fn note(&self, answer: &Answer, seen: &mut Seen) {
        seen.status = Some(answer.code);
        let list = answer.answers.iter().map(|answer| Fact::Text(answer.as_str().into())).collect();
        let number = |number: Option<u32>| number.map_or(Fact::Null, |number| Fact::Int(number.into()));
        seen.facts = vec![
            ("rcode", Fact::Text(code_name(answer.code).into())),
            ("answers", Fact::List(list)),
            ("ttl", number(answer.ttl)),
            ("serial", number(answer.serial)),
            ("authoritative", Fact::Bool(answer.authoritative)),
            ("authenticated", Fact::Bool(answer.authenticated)),
        ];
        seen.said.clear();
        seen.hear(answer.answers.join("\n").as_bytes());
        let flags = [(answer.authoritative, "authoritative"), (answer.authenticated, "authenticated")];
        let flags: Vec<&str> = flags.into_iter().filter(|(set, _)| *set).map(|(_, name)| name).collect();
        seen.headers.retain(|(name, _)| !matches!(&**name, "rcode" | "flags" | "serial"));
        seen.headers.push(("rcode".into(), code_name(answer.code)));
        seen.headers.push(("flags".into(), flags.join(", ")));
        seen.headers.extend(answer.serial.map(|serial| ("serial".to_owned(), serial.to_string())));
    }

    /// What an answer is worth by itself, before expectations.
    fn judge(&self, answer: &Answer) -> Result<(), Broken> {
        let (name, kind) = (&self.name, self.record.as_str());
        let class = match answer.code {
            _ if self.judges_code => None,
            0 if answer.answers.is_empty() && !self.judges_answers => {
                return Err(Broken::failed(FailureClass::NotFound, format!("{name} has no {kind} record")));
            }
            0 => None,
            3 => return Err(Broken::failed(FailureClass::NotFound, format!("{name} does not exist: NXDOMAIN"))),
            1 | 4 => Some(FailureClass::ClientError),
            5 | 9 => Some(FailureClass::Forbidden),
            _ => Some(FailureClass::ServerError),
        };
        if let Some(class) = class {
            let fault = format!("the name server answered {}", code_name(answer.code));
            return Err(Broken::failed(class, fault));
        }
        match &self.answers {
            Some(wanted) if *wanted != answer.answers => {
                let fault = format!("expected the answers {}; they were {}", list(wanted), list(&answer.answers));
                Err(Broken::failed(FailureClass::Expectation, fault))
            }
            _ => Ok(()),
        }
    }
}

impl Question for DnsProbe {
    async fn ask(&self, trace: &Trace, seen: &mut Seen) -> Result<(), Broken> {
        let servers = match &self.servers {
            Servers::Named(servers) => servers,
            Servers::System(addresses) => {
                let answer = match (self.over, addresses.first()) {
                    (Transport::Tcp, Some(address)) => self.by_tcp(*address, trace, seen).await?,
                    _ => self.by_udp(addresses, trace, seen).await?,
                };
                self.note(&answer, seen);
                return self.judge(&answer);
            }
        };
        let mut first: Option<(&str, Answer)> = None;
        for (host, dial) in servers {
            let answer = self.by_dial(dial, trace, seen).await?;
            trace.close();
            self.note(&answer, seen);
            self.judge(&answer)?;
            match &first {
                Some((other, known)) if (known.code, &known.answers) != (answer.code, &answer.answers) => {
                    let fault = format!(
                        "the name servers do not agree: {host} answers {}, {other} {}",
                        list(&answer.answers),
                        list(&known.answers)
                    );
                    return Err(Broken::failed(FailureClass::Expectation, fault));
                }
                Some(_) => {}
                None => first = Some((host, answer)),
            }
        }
        Ok(())
    }
}

/// Asks once by UDP: the answer, or junk in its place, or nothing within [`AGAIN`].
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
    tokio::time::timeout(AGAIN, hearing).await.map_or(Ok(None), |heard: io::Result<_>| heard.map(Some))
}

fn list(answers: &[String]) -> String {
    if answers.is_empty() {
        return "nothing".into();
    }
    let shown: Vec<&str> = answers.iter().take(MOST_SHOWN).map(String::as_str).collect();
    match answers.len() - shown.len() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
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
