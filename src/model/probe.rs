//! Probes: questions to the service, each asked again and again.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::calendar::Calendar;
use super::condition::Condition;
use super::id::{ComponentId, LabelName, LabelValue, ProbeId, ProbeName};
use super::retry::Retry;

/// Labels in the order of their names.
pub type Labels = BTreeMap<LabelName, LabelValue>;

/// Labels as people write them: `workspace=acme, plan=free`.
#[must_use]
pub fn show_labels(labels: &Labels) -> String {
    let pairs: Vec<String> = labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join(", ")
}

/// One question to the service, for one combination of labels.
#[derive(Clone, Debug)]
pub struct Probe {
    /// Its id, unique in the config: `dashboard[workspace=acme]`.
    pub id: ProbeId,
    /// The definition that it was expanded from: `dashboard`.
    pub name: ProbeName,
    /// The component that it stands for.
    pub component: ComponentId,
    /// Its own labels and those of `for_each`.
    pub labels: Labels,
    /// When it is asked.
    pub cadence: Cadence,
    /// How long one check may take, from its start to the end of the answer.
    pub timeout: Duration,
    /// When a failed check is made again at once.
    pub retry: Retry,
    /// Whether it asks the service or something that has nothing to do with it.
    pub role: Role,
    /// What is asked, and of whom.
    pub kind: ProbeKind,
    /// What must hold of the answer. Empty: the kind's own default. Shared by the expansions of a definition.
    pub expect: Arc<[Condition]>,
}

/// What a probe is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Role {
    /// It asks the service.
    #[default]
    Service,
    /// It asks something that does not depend on the service: while that answers, we can see. No rule judges it.
    Canary,
}

impl Probe {
    /// The value of a label, be it written or one of those that every probe has: `component`, `host`, `kind`, `probe`.
    #[must_use]
    pub fn label(&self, name: &LabelName) -> Option<LabelValue> {
        match name.as_str() {
            "component" => Some(self.component.as_str().into()),
            "host" => Some(self.kind.host().into()),
            "kind" => Some(self.kind.name().into()),
            "probe" => Some(self.name.as_str().into()),
            _ => self.labels.get(name).cloned(),
        }
    }

    /// The time between two of its turns, unless it has a calendar.
    #[must_use]
    pub fn interval(&self) -> Option<Duration> {
        match self.cadence {
            Cadence::Every(interval) => Some(interval),
            Cadence::At(_) => None,
        }
    }

    /// How long one of its checks may take, with all its tries.
    #[must_use]
    pub fn longest_check(&self) -> Duration {
        self.retry.longest(self.timeout, self.interval())
    }
}

/// When a probe is asked.
#[derive(Clone, Debug)]
pub enum Cadence {
    /// Again and again with this much between two starts.
    Every(Duration),
    /// At the times of a calendar.
    At(Arc<Calendar>),
}

/// The kinds of question.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "nearly all are of the large kind")]
pub enum ProbeKind {
    /// An HTTP request.
    Http(HttpTarget),
    /// A connection, and nothing more. Of canaries only.
    Tcp(TcpTarget),
}

impl ProbeKind {
    /// The kind's key in probes.yaml.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Http(_) => "http",
            Self::Tcp(_) => "tcp",
        }
    }

    /// The host that is asked.
    #[must_use]
    pub fn host(&self) -> &str {
        match self {
            Self::Http(http) => http.url.host_str().unwrap_or_default(),
            Self::Tcp(tcp) => &tcp.host,
        }
    }
}

/// An HTTP request and how it is made.
#[derive(Clone, Debug)]
pub struct HttpTarget {
    /// `GET` unless given.
    pub method: http::Method,
    /// Where to.
    pub url: url::Url,
    /// Sent with the request; those that hold secrets are marked sensitive.
    pub headers: http::HeaderMap,
    /// Sent with the request; empty unless given.
    pub body: Bytes,
    /// How many redirects are followed; 0: none, the redirect is the answer.
    pub redirects: u8,
    /// How much of the answer's body is read, in decoded bytes. The rest is left unread, and that is no failure.
    pub body_cap: usize,
    /// How the server's certificate is judged and ours is shown.
    pub tls: Arc<TlsOptions>,
    /// Which address family is used.
    pub ip: IpChoice,
    /// Connects here instead of where the name points; SNI and Host stay those of the URL.
    pub address: Option<SocketAddr>,
}

/// Where a connection is made to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TcpTarget {
    /// A name, or an address; one of IPv6 without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// How the server's certificate is judged and ours is shown. Compared by value: equal options share a client.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct TlsOptions {
    /// PEM certificates to trust instead of the system's.
    pub ca: Option<Bytes>,
    /// PEM certificate chain and private key to show to the server.
    pub identity: Option<Bytes>,
    /// Accept any certificate. Said loudly wherever results are shown.
    pub skip_verify: bool,
}

/// Says what is set, never the key.
impl std::fmt::Debug for TlsOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TlsOptions")
            .field("ca", &self.ca.as_ref().map(Bytes::len))
            .field("identity", &self.identity.is_some())
            .field("skip_verify", &self.skip_verify)
            .finish()
    }
}

/// Which address family a check uses.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum IpChoice {
    /// What the name gives, IPv6 and IPv4 raced as browsers do (RFC 8305).
    #[default]
    Auto,
    /// IPv4 only.
    V4,
    /// IPv6 only.
    V6,
}
