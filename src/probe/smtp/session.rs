//! A conversation in SMTP (RFC 5321), with STARTTLS (RFC 3207) and AUTH (RFC 4954).

use std::net::SocketAddr;

use data_encoding::BASE64;
use secrecy::ExposeSecret;

use crate::model::{FailureClass, Login, MailHost, Resolve};
use crate::probe::broken::Broken;
use crate::probe::lines::Lines;
use crate::probe::mail_route::MailRoute;
use crate::probe::question::Seen;
use crate::probe::shared::Shared;
use crate::probe::stopwatch::{Phase, Trace};
use crate::probe::wire::smtp::{Reply, reply};

/// The way to a server, up to the point where it would take a mail.
pub(in crate::probe) struct SmtpRoute {
    route: MailRoute,
    helo: Option<String>,
}

/// A server that has been greeted.
pub(in crate::probe) struct SmtpSession {
    lines: Lines,
    /// The text of its greeting.
    pub(in crate::probe) banner: String,
    /// What it can do, as it says: `SIZE 10240000`.
    pub(in crate::probe) extensions: Vec<String>,
}

impl SmtpRoute {
    pub(in crate::probe) fn new(
        server: &MailHost,
        helo: Option<String>,
        resolve: Resolve,
        shared: &mut Shared,
    ) -> Result<Self, String> {
        Ok(Self { route: MailRoute::new(server, resolve, shared)?, helo })
    }

    /// Connects, greets, encrypts and logs in, as far as each is wanted.
    pub(in crate::probe) async fn open(&self, trace: &Trace, seen: &mut Seen) -> Result<SmtpSession, Broken> {
        let route = &self.route;
        let lines = route.open(trace, seen).await?;
        let helo = self.helo.clone().unwrap_or_else(|| own_name(lines.local()));
        let mut session = SmtpSession::greeted(lines, seen).await?;
        trace.enter(Phase::Transfer);
        session.hello(&helo, seen).await?;
        if let Some(config) = route.starttls() {
            session.agree_on_tls(seen).await?;
            session.lines = session.lines.encrypt(&route.dial, config, trace).await?;
            session.hello(&helo, seen).await?;
        }
        if let Some(login) = &route.login {
            session.log_in(login, seen).await?;
        }
        Ok(session)
    }
}

/// The address literal of RFC 5321, section 4.1.3: a name that need not be known in DNS.
fn own_name(local: Option<SocketAddr>) -> String {
    match local {
        Some(SocketAddr::V4(address)) => format!("[{}]", address.ip()),
        Some(SocketAddr::V6(address)) => format!("[IPv6:{}]", address.ip()),
        None => "localhost".into(),
    }
}

/// The reply must have this code.
fn wanted(reply: &Reply, code: u16, to: &str) -> Result<(), Broken> {
    if reply.code == code {
        return Ok(());
    }
    let said = format!("{} {}", reply.code, reply.text());
    Err(match reply.refusal() {
        Some(class) => Broken::failed(class, format!("{to} was answered with {said}")),
        None => {
            let fault = format!("expected {code} to {to}, it was answered with {said}");
            Broken::failed(FailureClass::Protocol, fault)
        }
    })
}

impl SmtpSession {
    /// Has the server agree to TLS: what follows on the connection is the handshake.
    pub(in crate::probe) async fn up_to_tls(lines: Lines, seen: &mut Seen) -> Result<Lines, Broken> {
        let helo = own_name(lines.local());
        let mut session = Self::greeted(lines, seen).await?;
        session.hello(&helo, seen).await?;
        session.agree_on_tls(seen).await?;
        Ok(session.lines)
    }

    async fn greeted(lines: Lines, seen: &mut Seen) -> Result<Self, Broken> {
        let mut session = Self { lines, banner: String::new(), extensions: Vec::new() };
        let greeting = session.reply("the greeting", seen).await?;
        session.banner = greeting.text();
        seen.headers.push(("banner".into(), session.banner.clone()));
        wanted(&greeting, 220, "the greeting")?;
        Ok(session)
    }

    async fn reply(&mut self, to: &str, seen: &mut Seen) -> Result<Reply, Broken> {
        let reply = self.lines.next(reply, to).await?;
        seen.status = Some(reply.code);
        seen.hear(format!("{} {}\n", reply.code, reply.lines.join("\n")).as_bytes());
        Ok(reply)
    }

    /// Says a line and takes the reply to it, which must have this code. `shown` stands for the line in faults.
    async fn say(&mut self, line: &str, shown: &str, code: u16, seen: &mut Seen) -> Result<Reply, Broken> {
        self.lines.send(format!("{line}\r\n").as_bytes()).await?;
        let reply = self.reply(&format!("the answer to {shown}"), seen).await?;
        wanted(&reply, code, shown)?;
        Ok(reply)
    }

    async fn hello(&mut self, helo: &str, seen: &mut Seen) -> Result<(), Broken> {
        let reply = self.say(&format!("EHLO {helo}"), "EHLO", 250, seen).await?;
        // The first line is the greeting of RFC 5321, section 4.1.1.1.
        self.extensions = reply.lines.into_iter().skip(1).collect();
        Ok(())
    }

    /// What the server says beside this keyword; `None` when it does not name it.
    fn extension(&self, keyword: &str) -> Option<&str> {
        self.extensions.iter().find_map(|extension| {
            let (word, rest) = extension.split_once([' ', '=']).unwrap_or((extension, ""));
            word.eq_ignore_ascii_case(keyword).then_some(rest)
        })
    }

    async fn agree_on_tls(&mut self, seen: &mut Seen) -> Result<(), Broken> {
        if self.extension("STARTTLS").is_none() {
            return Err(Broken::failed(FailureClass::Tls, "the server does not offer STARTTLS"));
        }
        match self.say("STARTTLS", "STARTTLS", 220, seen).await {
            Ok(_) => Ok(()),
            // A refusal, whatever its code: encryption is not to be had.
            Err(Broken::Failed(class, fault)) if !matches!(class, FailureClass::Protocol | FailureClass::Connect) => {
                Err(Broken::failed(FailureClass::Tls, fault))
            }
            Err(other) => Err(other),
        }
    }

    async fn log_in(&mut self, login: &Login, seen: &mut Seen) -> Result<(), Broken> {
        let offered = self.extension("AUTH").unwrap_or_default();
        let offers = |name: &str| offered.split_whitespace().any(|word| word.eq_ignore_ascii_case(name));
        let (user, password) = (&login.user, login.password.expose_secret());
        if offers("PLAIN") {
            let secret = BASE64.encode(format!("\0{user}\0{password}").as_bytes());
            self.say(&format!("AUTH PLAIN {secret}"), "AUTH PLAIN", 235, seen).await?;
        } else if offers("LOGIN") {
            self.say("AUTH LOGIN", "AUTH LOGIN", 334, seen).await?;
            self.say(&BASE64.encode(user.as_bytes()), "the user", 334, seen).await?;
            self.say(&BASE64.encode(password.as_bytes()), "the password", 235, seen).await?;
        } else {
            let fault = format!("the server takes neither AUTH PLAIN nor AUTH LOGIN; it offers `{offered}`");
            return Err(Broken::failed(FailureClass::Unauthorized, fault));
        }
        Ok(())
    }

    /// Begins a mail from this address; empty: from nobody.
    pub(in crate::probe) async fn mail_from(&mut self, sender: &str, seen: &mut Seen) -> Result<(), Broken> {
        self.say(&format!("MAIL FROM:<{sender}>"), "MAIL FROM", 250, seen).await?;
        Ok(())
    }

    /// Names who the mail is for.
    pub(in crate::probe) async fn recipient(&mut self, recipient: &str, seen: &mut Seen) -> Result<(), Broken> {
        let line = format!("RCPT TO:<{recipient}>");
        self.lines.send(format!("{line}\r\n").as_bytes()).await?;
        let reply = self.reply("the answer to RCPT TO", seen).await?;
        // 251: the mailbox is elsewhere, and the server forwards.
        if reply.code == 251 { Ok(()) } else { wanted(&reply, 250, "RCPT TO") }
    }

    /// Sends the mail, whose lines must not begin with a dot; what the server says when it has taken it.
    pub(in crate::probe) async fn data(&mut self, mail: &str, seen: &mut Seen) -> Result<String, Broken> {
        self.say("DATA", "DATA", 354, seen).await?;
        let reply = self.say(&format!("{mail}."), "the mail", 250, seen).await?;
        Ok(reply.text())
    }

    /// Ends the conversation; the server's farewell is not waited for.
    pub(in crate::probe) async fn quit(mut self) {
        let _ = self.lines.send(b"QUIT\r\n").await;
    }
}
