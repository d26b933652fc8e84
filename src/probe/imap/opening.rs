//! The way into a server: the greeting, encryption and login, up to the point where a mailbox can be opened.

use data_encoding::BASE64;
use secrecy::ExposeSecret;

use super::session::{ImapSession, quote};
use crate::model::{FailureClass, Login, MailHost, Resolve};
use crate::probe::broken::Broken;
use crate::probe::lines::Lines;
use crate::probe::mail_route::MailRoute;
use crate::probe::question::Seen;
use crate::probe::shared::Shared;
use crate::probe::stopwatch::{Phase, Trace};
use crate::probe::wire::imap::{Response, Status, Word, words_of};

/// The way to a server, up to the point where a mailbox can be opened.
pub(in crate::probe) struct ImapRoute(MailRoute);

impl ImapRoute {
    pub(in crate::probe) fn new(server: &MailHost, resolve: Resolve, shared: &mut Shared) -> Result<Self, String> {
        MailRoute::new(server, resolve, shared).map(Self)
    }

    /// Connects, takes the greeting, encrypts and logs in, as far as each is wanted.
    pub(in crate::probe) async fn open(&self, trace: &Trace, seen: &mut Seen) -> Result<ImapSession, Broken> {
        let Self(route) = self;
        let lines = route.open(trace, seen).await?;
        let mut session = ImapSession::on(lines);
        let greeting = session.greeting(seen).await?;
        trace.enter(Phase::Transfer);
        if let Some(config) = route.starttls() {
            session.agree_on_tls(&greeting, seen).await?;
            session.lines = session.lines.encrypt(&route.dial, config, trace).await?;
            // What was said before the handshake could have been said by anyone (RFC 9051, section 6.2.1).
            session.capabilities.clear();
        }
        if session.capabilities.is_empty() {
            session.ask_capabilities(seen).await?;
        }
        if let Some(login) = &route.login {
            session.log_in(login, seen).await?;
        }
        Ok(session)
    }
}

impl ImapSession {
    /// Has the server agree to TLS: what follows on the connection is the handshake.
    pub(in crate::probe) async fn up_to_tls(lines: Lines, seen: &mut Seen) -> Result<Lines, Broken> {
        let mut session = Self::on(lines);
        let greeting = session.greeting(seen).await?;
        session.agree_on_tls(&greeting, seen).await?;
        Ok(session.lines)
    }

    async fn greeting(&mut self, seen: &mut Seen) -> Result<Status, Broken> {
        match self.response("the greeting", seen).await? {
            Response::State(status) => {
                self.banner.clone_from(&status.text);
                seen.headers.push(("banner".into(), status.text.clone()));
                self.learn(&status);
                match status.refusal(FailureClass::ServerError) {
                    Some(class) => Err(Broken::failed(class, format!("the server greets with {}", status.said()))),
                    None => Ok(status),
                }
            }
            _ => Err(Broken::failed(FailureClass::Protocol, "the server does not begin with a greeting")),
        }
    }

    async fn ask_capabilities(&mut self, seen: &mut Seen) -> Result<(), Broken> {
        let mut found = Vec::new();
        self.command("CAPABILITY", "CAPABILITY", FailureClass::ServerError, seen, |tokens| {
            if let Some(words) = words_of(tokens, "CAPABILITY") {
                found = words.into_iter().map(str::to_owned).collect();
            }
        })
        .await?;
        self.capabilities = found;
        Ok(())
    }

    async fn agree_on_tls(&mut self, greeting: &Status, seen: &mut Seen) -> Result<(), Broken> {
        if greeting.word == Word::PreAuth {
            let fault = "the server lets us in before STARTTLS: encryption is no longer to be had";
            return Err(Broken::failed(FailureClass::Tls, fault));
        }
        if self.capabilities.is_empty() {
            self.ask_capabilities(seen).await?;
        }
        if !self.can("STARTTLS") {
            return Err(Broken::failed(FailureClass::Tls, "the server does not offer STARTTLS"));
        }
        match self.command("STARTTLS", "STARTTLS", FailureClass::Tls, seen, |_| {}).await {
            Ok(_) => Ok(()),
            Err(Broken::Failed(FailureClass::ClientError | FailureClass::ServerError, fault)) => {
                Err(Broken::failed(FailureClass::Tls, fault))
            }
            Err(other) => Err(other),
        }
    }

    async fn log_in(&mut self, login: &Login, seen: &mut Seen) -> Result<(), Broken> {
        let (user, password) = (login.user.as_str(), login.password.expose_secret());
        let before = std::mem::take(&mut self.capabilities);
        let has = |name: &str| before.iter().any(|known| known.eq_ignore_ascii_case(name));
        // A quoted string has ASCII only; what has more goes as base64, as do servers that take nothing else.
        let plain = !user.is_ascii() || !password.is_ascii() || has("LOGINDISABLED");
        if !plain {
            let line = format!("LOGIN {} {}", quote(user), quote(password));
            self.command(&line, "LOGIN", FailureClass::Unauthorized, seen, |_| {}).await?;
        } else if has("AUTH=PLAIN") {
            self.authenticate(&BASE64.encode(format!("\0{user}\0{password}").as_bytes()), seen).await?;
        } else {
            let fault = "the server takes neither LOGIN nor AUTHENTICATE PLAIN on this connection";
            return Err(Broken::failed(FailureClass::Unauthorized, fault));
        }
        if self.capabilities.is_empty() {
            self.ask_capabilities(seen).await?;
        }
        Ok(())
    }

    async fn authenticate(&mut self, secret: &str, seen: &mut Seen) -> Result<(), Broken> {
        let tag = self.tag();
        self.lines.send(format!("{tag} AUTHENTICATE PLAIN\r\n").as_bytes()).await?;
        match self.response("the answer to AUTHENTICATE", seen).await? {
            Response::Continue(_) => {}
            Response::Done(_, status) => {
                let class = status.refusal(FailureClass::Unauthorized).unwrap_or(FailureClass::Protocol);
                let fault = format!("AUTHENTICATE was answered with {}", status.said());
                return Err(Broken::failed(class, fault));
            }
            _ => return Err(Broken::failed(FailureClass::Protocol, "AUTHENTICATE was not answered")),
        }
        self.lines.send(format!("{secret}\r\n").as_bytes()).await?;
        self.end_of(&tag, "AUTHENTICATE", FailureClass::Unauthorized, seen, &mut |_| {}).await?;
        Ok(())
    }
}
