//! Git over SSH: each service is a command of its own, all on one connection.
//!
//! After [gitprotocol-pack(5)](https://git-scm.com/docs/gitprotocol-pack), "SSH Transport".

use bytes::Bytes;
use russh::client::Msg;
use russh::{Channel, ChannelMsg};

use super::super::broken::Broken;
use super::super::question::Seen;
use super::super::refused::refused;
use super::super::shared::Shared;
use super::super::ssh::{Login, Session, Way};
use super::super::stopwatch::{Phase, Trace};
use super::{Program, Transport};
use crate::model::{FailureClass, Resolve, SshRemote};

/// How much of what a command says beside its answer is kept, in bytes.
const MOST_STDERR_KEPT: usize = 8 * 1024;

/// A repository behind an SSH server.
pub(super) struct SshForge {
    way: Way,
    login: Login,
    path: String,
}

/// A repository that a check speaks to.
pub(super) struct SshTransport<'f> {
    forge: &'f SshForge,
    trace: &'f Trace,
    session: Option<Session>,
    running: Option<Running>,
}

/// The command that runs at the server.
struct Running {
    program: Program,
    channel: Channel<Msg>,
    words: Vec<u8>,
    exit: Option<u32>,
    ended: bool,
}

impl SshForge {
    pub(super) fn new(remote: &SshRemote, resolve: Resolve, shared: &mut Shared) -> Result<Self, String> {
        let way = Way::new(&remote.host, remote.port, &remote.trust, resolve, shared)?;
        Ok(Self { way, login: Login::new(&remote.user, &remote.login)?, path: remote.path.clone() })
    }

    pub(super) fn transport<'f>(&'f self, trace: &'f Trace) -> SshTransport<'f> {
        SshTransport { forge: self, trace, session: None, running: None }
    }
}

/// A word for a shell that takes it as it is.
pub(in crate::probe) fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''").replace('!', "'\\!'"))
}

impl Transport for SshTransport<'_> {
    async fn open(&mut self, program: Program, seen: &mut Seen) -> Result<(), Broken> {
        // The command before is left to end by itself.
        self.running = None;
        if self.session.is_none() {
            self.session = Some(self.forge.way.enter(&self.forge.login, self.trace, seen).await?);
        }
        let Some(session) = &self.session else { return Err(Broken::internal("there is no session")) };
        self.trace.enter(Phase::FirstByte);
        let command = format!("{} {}", program.name(), quoted(&self.forge.path));
        let version: &[_] = if program == Program::UploadPack { &[("GIT_PROTOCOL", "version=2")] } else { &[] };
        let channel = session.run(&command, version).await?;
        self.running = Some(Running { program, channel, words: Vec::new(), exit: None, ended: false });
        Ok(())
    }

    async fn send(&mut self, message: Vec<u8>, _: &mut Seen) -> Result<(), Broken> {
        let (Some(session), Some(running)) = (&self.session, &self.running) else {
            return Err(Broken::internal("no command runs"));
        };
        self.trace.enter(Phase::FirstByte);
        running.channel.data_bytes(message).await.map_err(|error| session.failed(&error))
    }

    async fn chunk(&mut self, seen: &mut Seen) -> Result<Option<Bytes>, Broken> {
        let (Some(session), Some(running)) = (&self.session, &mut self.running) else {
            return Err(Broken::internal("no command runs"));
        };
        while !running.ended {
            match running.channel.wait().await {
                Some(ChannelMsg::Data { data }) => {
                    session.got_something();
                    self.trace.enter(Phase::Transfer);
                    return Ok(Some(data));
                }
                Some(ChannelMsg::ExtendedData { data, .. }) => {
                    let room = MOST_STDERR_KEPT.saturating_sub(running.words.len()).min(data.len());
                    running.words.extend_from_slice(data.get(..room).unwrap_or_default());
                }
                Some(ChannelMsg::ExitStatus { exit_status }) => running.exit = Some(exit_status),
                Some(ChannelMsg::Failure) => {
                    return Err(Broken::failed(
                        FailureClass::Forbidden,
                        format!("the server does not run {}", running.program.name()),
                    ));
                }
                Some(ChannelMsg::Close) | None => running.ended = true,
                Some(_) => {}
            }
        }
        session.check_alive()?;
        let words = String::from_utf8_lossy(&running.words).trim().to_owned();
        match running.exit {
            Some(0) => Ok(None),
            _ if !words.is_empty() => {
                seen.headers.push(("stderr".into(), words.clone()));
                Err(refused(&words))
            }
            Some(code) => {
                let fault = format!("{} ended with exit code {code}", running.program.name());
                Err(Broken::failed(FailureClass::ServerError, fault))
            }
            None => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_word_to_any_shell() {
        assert_eq!(quoted("acme/demo.git"), "'acme/demo.git'");
        assert_eq!(quoted("it's; rm -rf $HOME"), "'it'\\''s; rm -rf $HOME'");
        assert_eq!(quoted("a!b"), "'a'\\!'b'");
    }
}
