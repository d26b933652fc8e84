//! The DNS kind: a question to name servers, by UDP, TCP or TLS.

mod exchange;

use std::net::SocketAddr;
use std::sync::Arc;

use rustls::ClientConfig;

use super::broken::Broken;
use super::dial::Dial;
use super::expect::mentioned;
use super::question::{Question, Seen};
use super::shared::Shared;
use super::stopwatch::Trace;
use super::wire::dns::{Answer, code_name, question};
use crate::model::condition::Fact;
use crate::model::{DnsTarget, FailureClass, Probe, RecordKind, Transport};

/// The most answers that a fault shows.
const MOST_ANSWERS_SHOWN: usize = 5;

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

fn list(answers: &[String]) -> String {
    if answers.is_empty() {
        return "nothing".into();
    }
    let shown: Vec<&str> = answers.iter().take(MOST_ANSWERS_SHOWN).map(String::as_str).collect();
    match answers.len() - shown.len() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
