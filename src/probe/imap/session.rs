//! A conversation in IMAP (RFC 9051, and RFC 3501 before it): commands, and what is answered.

use crate::model::FailureClass;
use crate::probe::broken::Broken;
use crate::probe::lines::Lines;
use crate::probe::question::Seen;
use crate::probe::wire::imap::{Response, Status, Token, Word, response};

/// How much of a mail is read, in bytes.
pub(in crate::probe) const MOST_MAIL_BYTES: usize = 256 * 1024;
/// The most bytes of literals in one response: a mail, and a little around it.
pub(super) const MOST_LITERAL_BYTES: usize = MOST_MAIL_BYTES + 16 * 1024;
/// The most responses to one command.
const MOST_RESPONSES: usize = 20_000;
/// The most bytes of all responses to one command: a mail, and news of a very busy mailbox beside it.
const MOST_ANSWER_BYTES: u64 = 4 * 1024 * 1024;

/// A server that has been greeted.
pub(in crate::probe) struct ImapSession {
    pub(super) lines: Lines,
    commands: u32,
    /// The text of its greeting.
    pub(in crate::probe) banner: String,
    /// What it can do, as it says.
    pub(in crate::probe) capabilities: Vec<String>,
}

/// The text as IMAP quotes it.
pub(in crate::probe) fn quote(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

impl ImapSession {
    pub(super) fn on(lines: Lines) -> Self {
        Self { lines, commands: 0, banner: String::new(), capabilities: Vec::new() }
    }

    pub(super) async fn response(&mut self, awaited: &str, seen: &mut Seen) -> Result<Response, Broken> {
        let found = self.lines.next(|bytes| response(bytes, MOST_LITERAL_BYTES), awaited).await?;
        match &found {
            Response::State(status) | Response::Done(_, status) => {
                seen.hear(format!("{}\n", status.said()).as_bytes())
            }
            Response::Continue(_) | Response::Untagged(_) => {}
        }
        Ok(found)
    }

    /// Takes the capabilities out of a status that tells them.
    pub(super) fn learn(&mut self, status: &Status) {
        let mut words = status.code.split_whitespace();
        if words.next().is_some_and(|word| word.eq_ignore_ascii_case("CAPABILITY")) {
            self.capabilities = words.map(str::to_owned).collect();
        }
    }

    pub(in crate::probe) fn can(&self, capability: &str) -> bool {
        self.capabilities.iter().any(|known| known.eq_ignore_ascii_case(capability))
    }

    pub(super) fn tag(&mut self) -> String {
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

    pub(super) async fn end_of(
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
            if self.lines.taken().saturating_sub(before) > MOST_ANSWER_BYTES {
                let fault = format!("{shown} has no end: more than {} MiB so far", MOST_ANSWER_BYTES / 1024 / 1024);
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

    /// Ends the conversation; the server's farewell is not waited for.
    pub(in crate::probe) async fn log_out(mut self) {
        let tag = self.tag();
        let _ = self.lines.send(format!("{tag} LOGOUT\r\n").as_bytes()).await;
    }
}
