//! The kinds of question: one file per kind. What is asked, as plain data; how it is asked stands in `probe`.
//!
//! What is asked of every kind is answered in its own file (`Target`). `config/kinds.rs` says how a kind is added.

mod download;
pub mod dns;
pub mod exec;
pub mod flow;
pub mod heartbeat;
pub mod grpc;
pub mod git;
pub mod http;
pub mod lfs;
pub mod icmp;
pub mod imap;
pub mod mail;
mod mail_host;
mod proxy;
mod remote;
mod resolve;
pub mod smtp;
pub mod ssh;
pub mod tcp;
pub mod tls;
mod tls_options;
pub mod websocket;

pub use dns::{DnsTarget, NameServer, RecordKind, Transport};
pub use download::{Download, Integrity};
pub use exec::ExecTarget;
pub use flow::FlowTarget;
pub use git::{GitDepth, GitTarget};
pub use grpc::GrpcTarget;
pub use heartbeat::HeartbeatTarget;
pub use http::HttpTarget;
pub use icmp::IcmpTarget;
pub use imap::ImapTarget;
pub use lfs::LfsTarget;
pub use mail::{MailDelivery, MailSend, MailTarget};
pub use mail_host::{Encryption, Login, MailHost};
pub use proxy::Proxy;
pub use remote::{Fingerprint, HostTrust, HttpRemote, Remote, SshLogin, SshRemote};
pub use resolve::{IpChoice, Resolve};
pub use smtp::SmtpTarget;
pub use ssh::SshTarget;
pub use tcp::{ReadUntil, TcpTarget};
pub use tls::{StartTls, TlsTarget};
pub use tls_options::TlsOptions;
pub use websocket::WebsocketTarget;

/// What is asked, and of whom.
#[derive(Clone, Debug)]
pub enum ProbeKind {
    /// Steps in order.
    Flow(FlowTarget),
    /// A job that calls us.
    Heartbeat(HeartbeatTarget),
    /// An HTTP request.
    Http(HttpTarget),
    /// A Git repository.
    Git(GitTarget),
    /// A large file that is kept beside a repository.
    Lfs(LfsTarget),
    /// An SSH server whose key is verified.
    Ssh(SshTarget),
    /// A connection, and a TLS handshake if that is wanted.
    Tcp(TcpTarget),
    /// A TLS handshake, and the certificates that it shows.
    Tls(TlsTarget),
    /// A question to name servers.
    Dns(DnsTarget),
    /// Echo requests.
    Icmp(IcmpTarget),
    /// A command of this machine.
    Exec(ExecTarget),
    /// A mail server that is greeted.
    Smtp(Box<SmtpTarget>),
    /// A mail server whose mailbox is looked into.
    Imap(Box<ImapTarget>),
    /// A mail that must arrive.
    Mail(Box<MailTarget>),
    /// A gRPC server that is asked for its health.
    Grpc(Box<GrpcTarget>),
    /// A WebSocket.
    Websocket(Box<WebsocketTarget>),
}

/// What can be asked of the target of every kind.
trait Target {
    /// The kind's key in probes.yaml.
    fn name(&self) -> &'static str;

    /// The host that is asked.
    fn host(&self) -> &str;

    /// The question in one line, for evidence. It may hold secrets.
    fn request(&self) -> String;

    /// The TLS options of a question that begins with a TLS handshake.
    fn tls(&self) -> Option<&TlsOptions> {
        None
    }

    /// The job that calls us, where it is one that is awaited.
    fn heartbeat(&self) -> Option<&HeartbeatTarget> {
        None
    }

    /// The hook that the service calls while the question is asked, where there is one.
    fn hook(&self) -> Option<&flow::Hook> {
        None
    }

    /// Whether the service has to send us a mail while the question is asked.
    fn waits_for_mail(&self) -> bool {
        false
    }
}

impl ProbeKind {
    fn target(&self) -> &dyn Target {
        match self {
            Self::Flow(flow) => flow,
            Self::Heartbeat(heartbeat) => heartbeat,
            Self::Http(http) => http,
            Self::Git(git) => git,
            Self::Lfs(lfs) => lfs,
            Self::Ssh(ssh) => ssh,
            Self::Tcp(tcp) => tcp,
            Self::Tls(tls) => tls,
            Self::Dns(dns) => dns,
            Self::Icmp(icmp) => icmp,
            Self::Exec(exec) => exec,
            Self::Smtp(smtp) => &**smtp,
            Self::Imap(imap) => &**imap,
            Self::Mail(mail) => &**mail,
            Self::Grpc(grpc) => &**grpc,
            Self::Websocket(websocket) => &**websocket,
        }
    }

    /// The kind's key in probes.yaml.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.target().name()
    }

    /// The host that is asked; of a command, nobody but itself knows, and it is the one that it runs on.
    #[must_use]
    pub fn host(&self) -> &str {
        self.target().host()
    }

    /// The question in one line, for evidence: `GET https://forge.example/acme/`. It may hold secrets.
    #[must_use]
    pub fn request(&self) -> String {
        self.target().request()
    }

    /// The TLS options of a question that begins with a TLS handshake.
    #[must_use]
    pub fn tls(&self) -> Option<&TlsOptions> {
        self.target().tls()
    }

    /// Whether nothing is asked: what it is about comes by itself, or does not.
    #[must_use]
    pub fn comes_by_itself(&self) -> bool {
        self.heartbeat().is_some()
    }

    /// The job that calls us, where it is one that is awaited.
    #[must_use]
    pub fn heartbeat(&self) -> Option<&HeartbeatTarget> {
        self.target().heartbeat()
    }

    /// The hook that the service calls while the question is asked, where there is one.
    #[must_use]
    pub fn hook(&self) -> Option<&flow::Hook> {
        self.target().hook()
    }

    /// Whether the service has to send us a mail while the question is asked.
    #[must_use]
    pub fn waits_for_mail(&self) -> bool {
        self.target().waits_for_mail()
    }
}
