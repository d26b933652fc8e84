//! The DNS kind: a question to name servers.

use std::sync::Arc;

use super::{Target, TlsOptions};

/// What its expectations can look at.
pub const VARIABLES: &[&str] =
    &["rcode", "answers", "ttl", "serial", "authoritative", "authenticated", "timing", "address"];

/// A question, and who is asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DnsTarget {
    /// The name, without a dot at its end.
    pub name: String,
    /// What is asked for.
    pub record: RecordKind,
    /// Who is asked, each in turn; their answers must be the same. Empty: the system's name servers, until one answers.
    pub servers: Vec<NameServer>,
    /// By which transport.
    pub over: Transport,
    /// Exactly these answers, in any order, in the form of [`RecordKind::canonical`]. None: any will do.
    pub answers: Option<Vec<String>>,
    /// How the certificate of a name server is judged, with [`Transport::Tls`].
    pub tls: Arc<TlsOptions>,
}

impl Target for DnsTarget {
    fn name(&self) -> &'static str {
        "dns"
    }

    fn host(&self) -> &str {
        self.servers.first().map_or(&self.name, |server| &server.host)
    }

    fn request(&self) -> String {
        let servers = self.servers.iter().map(|server| format!(" @{}", server.host));
        format!("{} {}{}", self.record.as_str(), self.name, servers.collect::<String>())
    }

    fn tls(&self) -> Option<&TlsOptions> {
        (self.over == Transport::Tls).then_some(&self.tls)
    }
}

/// A name server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NameServer {
    /// A name, or an address; one of IPv6 without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// How a name server is reached.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Transport {
    /// UDP, and TCP where the answer is too long for it (RFC 7766, section 5).
    Udp,
    /// TCP.
    Tcp,
    /// TLS (RFC 7858).
    Tls,
}

/// The types of records that can be asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "their names say it")]
pub enum RecordKind {
    A,
    Aaaa,
    Cname,
    Mx,
    Ns,
    Txt,
    Soa,
    Caa,
    Srv,
    Ptr,
}

impl RecordKind {
    /// All types, with their names.
    pub const ALL: [(&str, Self); 10] = [
        ("A", Self::A),
        ("AAAA", Self::Aaaa),
        ("CNAME", Self::Cname),
        ("MX", Self::Mx),
        ("NS", Self::Ns),
        ("TXT", Self::Txt),
        ("SOA", Self::Soa),
        ("CAA", Self::Caa),
        ("SRV", Self::Srv),
        ("PTR", Self::Ptr),
    ];

    /// The name: `AAAA`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }

    /// The one form of an answer: names in small letters without a dot at their end, addresses as they are shortest.
    #[must_use]
    pub fn canonical(self, answer: &str) -> String {
        match self {
            Self::Txt | Self::Caa => answer.to_owned(),
            Self::A | Self::Aaaa => match answer.trim().parse::<std::net::IpAddr>() {
                Ok(address) => address.to_string(),
                Err(_) => answer.trim().to_owned(),
            },
            _ => {
                let words = answer.split_whitespace().map(|word| match word.trim_end_matches('.') {
                    "" => ".".to_owned(),
                    word => word.to_lowercase(),
                });
                words.collect::<Vec<_>>().join(" ")
            }
        }
    }
}
