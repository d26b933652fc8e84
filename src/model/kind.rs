//! The kinds of question: one file per kind. What is asked, as plain data; how it is asked stands in `probe`.

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

impl ProbeKind {
    /// Whether nothing is asked: what it is about comes by itself, or does not.
    #[must_use]
    pub fn comes_by_itself(&self) -> bool {
        matches!(self, Self::Heartbeat(_))
    }

    /// The hook that the service calls while the question is asked, where there is one.
    #[must_use]
    pub fn hook(&self) -> Option<&flow::Hook> {
        match self {
            Self::Flow(flow) => flow.hook.as_ref(),
            _ => None,
        }
    }

    /// Whether the service has to send us a mail while the question is asked.
    #[must_use]
    pub fn waits_for_mail(&self) -> bool {
        match self {
            Self::Flow(flow) => flow.mailbox.is_some(),
            Self::Mail(mail) => matches!(mail.delivery, MailDelivery::ToUs(_)),
            _ => false,
        }
    }

    /// The kind's key in probes.yaml.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Flow(_) => "flow",
            Self::Heartbeat(_) => "heartbeat",
            Self::Http(_) => "http",
            Self::Git(_) => "git",
            Self::Lfs(_) => "lfs",
            Self::Ssh(_) => "ssh",
            Self::Tcp(_) => "tcp",
            Self::Tls(_) => "tls",
            Self::Dns(_) => "dns",
            Self::Icmp(_) => "icmp",
            Self::Exec(_) => "exec",
            Self::Smtp(_) => "smtp",
            Self::Imap(_) => "imap",
            Self::Mail(_) => "mail",
            Self::Grpc(_) => "grpc",
            Self::Websocket(_) => "websocket",
        }
    }

    /// The host that is asked; of a command, nobody but itself knows, and it is the one that it runs on.
    #[must_use]
    pub fn host(&self) -> &str {
        match self {
            Self::Flow(flow) => flow.first().and_then(|first| first.base.url.host_str()).unwrap_or_default(),
            Self::Http(http) => http.url.host_str().unwrap_or_default(),
            Self::Git(git) => git.remote.host(),
            Self::Lfs(lfs) => lfs.remote.host(),
            Self::Ssh(ssh) => &ssh.host,
            Self::Tcp(tcp) => &tcp.host,
            Self::Tls(tls) => &tls.host,
            Self::Icmp(icmp) => &icmp.host,
            Self::Dns(dns) => dns.servers.first().map_or(&dns.name, |server| &server.host),
            Self::Exec(_) => "localhost",
            Self::Smtp(smtp) => &smtp.server.host,
            Self::Imap(imap) => &imap.server.host,
            Self::Mail(mail) => &mail.server().host,
            Self::Heartbeat(_) => "localhost",
            Self::Grpc(grpc) => &grpc.host,
            Self::Websocket(websocket) => websocket.host(),
        }
    }

    /// The question in one line, for evidence: `GET https://forge.example/acme/`. It may hold secrets.
    #[must_use]
    pub fn request(&self) -> String {
        match self {
            Self::Flow(flow) => flow.request(),
            Self::Heartbeat(_) => "a call of /ping/TOKEN".into(),
            Self::Http(http) => format!("{} {}", http.method, http.url),
            Self::Git(git) => git.request(),
            Self::Lfs(lfs) => lfs.request(),
            Self::Ssh(ssh) => format!("ssh://{}:{}", ssh.host, ssh.port),
            Self::Tcp(tcp) => {
                format!("{}://{}:{}", if tcp.tls.is_some() { "tls" } else { "tcp" }, tcp.host, tcp.port)
            }
            Self::Tls(tls) => format!("tls://{}:{}", tls.host, tls.port),
            Self::Icmp(icmp) => format!("icmp://{}", icmp.host),
            Self::Dns(dns) => {
                let servers = dns.servers.iter().map(|server| format!(" @{}", server.host));
                format!("{} {}{}", dns.record.as_str(), dns.name, servers.collect::<String>())
            }
            Self::Exec(exec) => {
                let words: Vec<&str> = std::iter::once(&exec.program).chain(&exec.args).map(String::as_str).collect();
                words.join(" ")
            }
            Self::Smtp(smtp) => smtp.server.show("smtp"),
            Self::Imap(imap) => imap.server.show("imap"),
            Self::Mail(mail) => mail.show(),
            Self::Grpc(grpc) => grpc.show(),
            Self::Websocket(websocket) => websocket.url.to_string(),
        }
    }

    /// The TLS options of a question that begins with a TLS handshake.
    #[must_use]
    pub fn tls(&self) -> Option<&TlsOptions> {
        match self {
            Self::Flow(flow) => {
                flow.first().filter(|first| first.base.url.scheme() == "https").map(|first| &*first.base.tls)
            }
            Self::Http(http) => (http.url.scheme() == "https").then_some(&http.tls),
            Self::Git(git) => git.remote.tls(),
            Self::Lfs(lfs) => lfs.remote.tls(),
            Self::Ssh(_) => None,
            Self::Tcp(tcp) => tcp.tls.as_deref(),
            Self::Tls(tls) => Some(&tls.tls),
            Self::Dns(dns) => (dns.over == Transport::Tls).then_some(&dns.tls),
            Self::Exec(_) | Self::Icmp(_) => None,
            Self::Smtp(smtp) => smtp.server.tls(),
            Self::Imap(imap) => imap.server.tls(),
            Self::Mail(mail) => mail.server().tls(),
            Self::Heartbeat(_) => None,
            Self::Grpc(grpc) => grpc.tls.as_deref(),
            Self::Websocket(websocket) => websocket.is_encrypted().then_some(&*websocket.tls),
        }
    }
}
