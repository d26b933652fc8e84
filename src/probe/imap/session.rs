//! A conversation in IMAP (RFC 9051, and RFC 3501 before it), as far as looking into one mailbox goes.

use std::collections::BTreeSet;
use std::time::Duration;

use data_encoding::BASE64;
use secrecy::ExposeSecret;

use crate::model::{FailureClass, Login, MailHost, Resolve};
use crate::probe::broken::Broken;
use crate::probe::lines::Lines;
use crate::probe::mail_route::MailRoute;
use crate::probe::question::Seen;
use crate::probe::shared::Shared;
use crate::probe::stopwatch::{Phase, Trace};
use crate::probe::wire::imap::{Response, Status, Token, Word, exists, fetched, response, words_of};

/// How much of a mail is read, in bytes.
pub(in crate::probe) const MOST_MAIL: usize = 256 * 1024;
/// The most bytes of literals in one response: a mail, and a little around it.
const MOST_LITERAL: usize = MOST_MAIL + 16 * 1024;
/// The most responses to one command.
const MOST_RESPONSES: usize = 20_000;
/// The most bytes of all responses to one command: a mail, and news of a very busy mailbox beside it.
const MOST_ANSWER: u64 = 4 * 1024 * 1024;
/// Of the mails that match so many are looked at, the newest.
const MOST_FOUND: usize = 100;

/// The way to a server, up to the point where a mailbox can be opened.
pub(in crate::probe) struct ImapRoute(MailRoute);

/// A server that has been greeted.
pub(in crate::probe) struct ImapSession {
    lines: Lines,
    commands: u32,
    /// The text of its greeting.
    pub(in crate::probe) banner: String,
    /// What it can do, as it says.
    pub(in crate::probe) capabilities: Vec<String>,
}

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

/// The text as IMAP quotes it.
pub(in crate::probe) fn quote(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

impl ImapSession {
    fn on(lines: Lines) -> Self {
        Self { lines, commands: 0, banner: String::new(), capabilities: Vec::new() }
    }

    /// Has the server agree to TLS: what follows on the connection is the handshake.
    pub(in crate::probe) async fn up_to_tls(lines: Lines, seen: &mut Seen) -> Result<Lines, Broken> {
        let mut session = Self::on(lines);
        let greeting = session.greeting(seen).await?;
        session.agree_on_tls(&greeting, seen).await?;
        Ok(session.lines)
    }

    async fn response(&mut self, awaited: &str, seen: &mut Seen) -> Result<Response, Broken> {
        let found = self.lines.next(|bytes| response(bytes, MOST_LITERAL), awaited).await?;
        match &found {
            Response::State(status) | Response::Done(_, status) => {
                seen.hear(format!("{}\n", status.said()).as_bytes())
            }
            Response::Continue(_) | Response::Untagged(_) => {}
        }
        Ok(found)
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

    /// Takes the capabilities out of a status that tells them.
    fn learn(&mut self, status: &Status) {
        let mut words = status.code.split_whitespace();
        if words.next().is_some_and(|word| word.eq_ignore_ascii_case("CAPABILITY")) {
            self.capabilities = words.map(str::to_owned).collect();
        }
    }

    pub(in crate::probe) fn can(&self, capability: &str) -> bool {
        self.capabilities.iter().any(|known| known.eq_ignore_ascii_case(capability))
    }

    fn tag(&mut self) -> String {
        self.commands += 1;
        format!("a{}", self.commands)
    }

    /// Gives a command and takes everything up to its end. `shown` stands for the command in faults, `otherwise` is
    /// what a refusal without a code is called.
    pub(super) async fn command(
        &mut self,
        line: &str,
        shown: &str,
        otherwise: FailureClass,
        seen: &mut Seen,
        mut each: impl FnMut(&[Token]) + Send,
    ) -> Result<Status, Broken> {
        let tag = self.tag();
        self.lines.send(format!("{tag} {line}\r\n").as_bytes()).await?;
        self.end_of(&tag, shown, otherwise, seen, &mut each).await
    }

    async fn end_of(
        &mut self,
        tag: &str,
        shown: &str,
        otherwise: FailureClass,
        seen: &mut Seen,
        each: &mut (impl FnMut(&[Token]) + Send),
    ) -> Result<Status, Broken> {
        let awaited = format!("the answer to {shown}");
        let before = self.lines.taken();
        for _ in 0..MOST_RESPONSES {
            let response = self.response(&awaited, seen).await?;
            if self.lines.taken().saturating_sub(before) > MOST_ANSWER {
                let fault = format!("{shown} has no end: more than {} MiB so far", MOST_ANSWER / 1024 / 1024);
                return Err(Broken::failed(FailureClass::Protocol, fault));
            }
            match response {
                Response::Untagged(tokens) => each(&tokens),
                Response::State(status) if status.word == Word::Bye => {
                    let class = status.refusal(FailureClass::ServerError).unwrap_or(FailureClass::ServerError);
                    return Err(Broken::failed(class, format!("instead of {awaited} came {}", status.said())));
                }
                Response::State(status) => self.learn(&status),
                Response::Done(found, status) if found == tag => {
                    self.learn(&status);
                    return match status.refusal(otherwise) {
                        Some(class) => {
                            Err(Broken::failed(class, format!("{shown} was answered with {}", status.said())))
                        }
                        None => Ok(status),
                    };
                }
                Response::Done(..) | Response::Continue(_) => {
                    let fault = format!("instead of {awaited} came that to another command");
                    return Err(Broken::failed(FailureClass::Protocol, fault));
                }
            }
        }
        Err(Broken::failed(FailureClass::Protocol, format!("{shown} has no end: {MOST_RESPONSES} responses so far")))
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

    /// Opens a mailbox, to change it or only to read, and says how many messages are in it.
    pub(in crate::probe) async fn look_into(
        &mut self,
        mailbox: &str,
        change: bool,
        seen: &mut Seen,
    ) -> Result<Option<u64>, Broken> {
        let verb = if change { "SELECT" } else { "EXAMINE" };
        let mut messages = None;
        let line = format!("{verb} {}", quote(mailbox));
        self.command(&line, &format!("{verb} {mailbox}"), FailureClass::NotFound, seen, |tokens| {
            messages = exists(tokens).or(messages);
        })
        .await?;
        Ok(messages)
    }

    /// The numbers of the mails that match, the newest last; of very many the newest.
    pub(in crate::probe) async fn search(&mut self, criteria: &str, seen: &mut Seen) -> Result<Vec<u32>, Broken> {
        let mut found: BTreeSet<u32> = BTreeSet::new();
        let line = format!("UID SEARCH {criteria}");
        self.command(&line, "SEARCH", FailureClass::ServerError, seen, |tokens| {
            let words = words_of(tokens, "SEARCH").unwrap_or_default();
            found.extend(words.into_iter().filter_map(|word| word.parse::<u32>().ok()));
            while found.len() > MOST_FOUND {
                found.pop_first();
            }
        })
        .await?;
        Ok(found.into_iter().collect())
    }

    /// The size of a mail in bytes, and its beginning, up to the cap.
    pub(in crate::probe) async fn fetch(&mut self, uid: u32, seen: &mut Seen) -> Result<(u64, Vec<u8>), Broken> {
        let (mut size, mut mail) = (None, None);
        let line = format!("UID FETCH {uid} (RFC822.SIZE)");
        self.command(&line, "FETCH", FailureClass::ServerError, seen, |tokens| {
            if let Some(Token::Atom(number)) = fetched(tokens, "RFC822.SIZE") {
                size = number.parse::<u64>().ok();
            }
        })
        .await?;
        // Only a part is asked for, whatever the size: a mail can be of any size.
        let line = format!("UID FETCH {uid} (BODY.PEEK[]<0.{MOST_MAIL}>)");
        self.command(&line, "FETCH", FailureClass::ServerError, seen, |tokens| {
            if let Some(Token::Text(bytes)) = fetched(tokens, "BODY[]") {
                mail = Some(bytes.clone());
            }
        })
        .await?;
        match (size, mail) {
            (Some(size), Some(mail)) => Ok((size, mail)),
            _ => Err(Broken::failed(FailureClass::Protocol, "FETCH was answered without the mail and its size")),
        }
    }

    /// Waits until something happens in the mailbox, at most this long (RFC 2177 where the server knows it).
    pub(in crate::probe) async fn idle(&mut self, limit: Duration, seen: &mut Seen) -> Result<(), Broken> {
        if !self.can("IDLE") {
            tokio::time::sleep(limit).await;
            return self.command("NOOP", "NOOP", FailureClass::ServerError, seen, |_| {}).await.map(drop);
        }
        let tag = self.tag();
        self.lines.send(format!("{tag} IDLE\r\n").as_bytes()).await?;
        let news = async {
            loop {
                match self.lines.next(|bytes| response(bytes, MOST_LITERAL), "news of the mailbox").await? {
                    Response::Untagged(tokens) if exists(&tokens).is_some() => return Ok(()),
                    Response::State(status) if status.word == Word::Bye => {
                        let fault = format!("the server ended the wait with {}", status.said());
                        return Err(Broken::failed(FailureClass::ServerError, fault));
                    }
                    Response::Done(_, status) => {
                        let class = status.refusal(FailureClass::ServerError).unwrap_or(FailureClass::Protocol);
                        return Err(Broken::failed(class, format!("IDLE was answered with {}", status.said())));
                    }
                    _ => {}
                }
            }
        };
        if let Ok(heard) = tokio::time::timeout(limit, news).await {
            heard?;
        }
        self.lines.send(b"DONE\r\n").await?;
        self.end_of_idle(&tag, seen).await
    }

    /// As [`end_of`](Self::end_of), but the server's go-ahead may still be under way.
    async fn end_of_idle(&mut self, tag: &str, seen: &mut Seen) -> Result<(), Broken> {
        loop {
            match self.response("the end of IDLE", seen).await? {
                Response::Done(found, status) if found == tag && status.word == Word::Ok => return Ok(()),
                Response::Done(_, status) => {
                    let class = status.refusal(FailureClass::ServerError).unwrap_or(FailureClass::Protocol);
                    return Err(Broken::failed(class, format!("IDLE was answered with {}", status.said())));
                }
                _ => {}
            }
        }
    }

    /// Deletes these mails for good.
    pub(in crate::probe) async fn delete(&mut self, uids: &[u32], seen: &mut Seen) -> Result<(), Broken> {
        if uids.is_empty() {
            return Ok(());
        }
        let set = uids.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
        let store = format!("UID STORE {set} +FLAGS.SILENT (\\Deleted)");
        self.command(&store, "STORE", FailureClass::Forbidden, seen, |_| {}).await?;
        // Without UIDPLUS (RFC 4315) all goes that is marked, whoever marked it.
        let expunge = if self.can("UIDPLUS") { format!("UID EXPUNGE {set}") } else { "EXPUNGE".into() };
        self.command(&expunge, "EXPUNGE", FailureClass::Forbidden, seen, |_| {}).await?;
        Ok(())
    }

    /// Ends the conversation; the server's farewell is not waited for.
    pub(in crate::probe) async fn log_out(mut self) {
        let tag = self.tag();
        let _ = self.lines.send(format!("{tag} LOGOUT\r\n").as_bytes()).await;
    }
}
