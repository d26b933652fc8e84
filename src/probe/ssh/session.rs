//! A connection to an SSH server that is verified: what runs over it, and why it ended.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use russh::client::{self, DisconnectReason, Handle};
use russh::keys::{Algorithm, HashAlg, PublicKeyOrCertificate};
use russh::{Channel, ChannelMsg};

use super::guarded_stream::Guard;
use super::host_key::{Shown, Trust};
use crate::model::FailureClass;
use crate::probe::broken::Broken;
use crate::probe::classify;
use crate::probe::question::Seen;
use crate::probe::refused::refused;

/// A connection whose server is verified. Dropping it ends it.
pub(in crate::probe) struct Session {
    pub(super) handle: Handle<Watch>,
    pub(super) notes: Arc<Mutex<Notes>>,
    pub(super) guard: Guard,
}

/// What is seen in the task of the connection.
#[derive(Default)]
pub(super) struct Notes {
    pub(super) key: Option<Shown>,
    /// Why the connection broke.
    pub(super) broken: Option<(FailureClass, String)>,
}

/// Judges the server's key, and notes why a connection broke.
pub(super) struct Watch {
    pub(super) trust: Arc<Trust>,
    pub(super) notes: Arc<Mutex<Notes>>,
}

/// Why there is no connection, or no more.
#[derive(Debug)]
pub(super) enum Gone {
    /// The server's key was not accepted.
    Key(String),
    Ssh(russh::Error),
}

impl From<russh::Error> for Gone {
    fn from(error: russh::Error) -> Self {
        Self::Ssh(error)
    }
}

impl Gone {
    pub(super) fn fault(&self) -> (FailureClass, String) {
        match self {
            Self::Key(fault) => (FailureClass::Tls, fault.clone()),
            Self::Ssh(error) => lost(error),
        }
    }
}

/// The class of an error of the protocol, and the fault in plain words.
fn lost(error: &russh::Error) -> (FailureClass, String) {
    use russh::Error;
    use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    let closed = || (FailureClass::Connect, "the server closed the connection".to_owned());
    match error {
        Error::IO(error) => match error.kind() {
            ConnectionReset | ConnectionAborted | BrokenPipe => {
                (FailureClass::Connect, "the connection was reset".into())
            }
            UnexpectedEof => closed(),
            _ => classify::broke(error),
        },
        Error::HUP | Error::Disconnect | Error::SendError | Error::RecvError => closed(),
        Error::Version => (FailureClass::Protocol, "what listens there does not speak SSH 2".into()),
        Error::PacketSize(size) => (FailureClass::Protocol, format!("the server announced a packet of {size} bytes")),
        Error::NoCommonAlgo { kind, theirs, .. } => (
            FailureClass::Tls,
            format!("no {kind:?} algorithm is common to us and the server; it offers {}", theirs.join(", ")),
        ),
        Error::Kex | Error::KexInit | Error::WrongServerSig | Error::UnknownAlgo | Error::UnknownKey => {
            (FailureClass::Tls, format!("the key exchange failed: {error}"))
        }
        error => (FailureClass::Protocol, format!("the server broke the protocol: {error}")),
    }
}

impl client::Handler for Watch {
    type Error = Gone;

    async fn check_server_key(&mut self, shown: &PublicKeyOrCertificate) -> Result<bool, Gone> {
        let PublicKeyOrCertificate::PublicKey { key, .. } = shown else {
            return Err(Gone::Key("the server showed a certificate, which was not asked for".into()));
        };
        let shown = Shown::of(key).ok_or_else(|| Gone::Key("the host key cannot be read".into()))?;
        let verdict = self.trust.judge(&shown);
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).key = Some(shown);
        verdict.map(|()| true).map_err(Gone::Key)
    }

    async fn disconnected(&mut self, reason: DisconnectReason<Gone>) -> Result<(), Gone> {
        let broken = match reason {
            DisconnectReason::ReceivedDisconnect(said) => {
                let words = said.message.trim().to_owned();
                let words = if words.is_empty() { format!("{:?}", said.reason_code) } else { words };
                (FailureClass::Connect, format!("the server disconnected: {words}"))
            }
            DisconnectReason::Error(gone) => gone.fault(),
        };
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).broken.get_or_insert(broken);
        Ok(())
    }
}

impl Session {
    /// The hash that a key of this kind signs with: for RSA the one that the server names, or without word of it SHA-512
    /// (RFC 8332); the others have theirs.
    pub(super) async fn hash_for(&self, algorithm: Algorithm) -> Option<HashAlg> {
        if !algorithm.is_rsa() {
            return None;
        }
        self.handle.best_supported_rsa_hash().await.ok().flatten().flatten().or(Some(HashAlg::Sha512))
    }

    /// The check got something from a command.
    pub(in crate::probe) fn got_something(&self) {
        self.guard.got_something();
    }

    pub(super) fn banner(&self) -> Option<String> {
        self.guard.banner()
    }

    pub(super) fn fingerprint(&self) -> Option<String> {
        let notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        notes.key.as_ref().map(|key| key.fingerprint().to_string())
    }

    /// The failure of this error, or of what broke the connection before.
    pub(in crate::probe) fn failed(&self, error: &russh::Error) -> Broken {
        let broken = self.notes.lock().unwrap_or_else(PoisonError::into_inner).broken.clone();
        let (class, fault) = broken.unwrap_or_else(|| lost(error));
        Broken::failed(class, fault)
    }

    /// A connection that broke is the failure, not what came of it.
    pub(in crate::probe) fn check_alive(&self) -> Result<(), Broken> {
        match self.notes.lock().unwrap_or_else(PoisonError::into_inner).broken.clone() {
            Some((class, fault)) => Err(Broken::failed(class, fault)),
            None => Ok(()),
        }
    }

    /// What a command that the server runs prints, up to so many bytes. One that fails is a failure, in its own words.
    pub(in crate::probe) async fn output(
        &self,
        command: &str,
        most: usize,
        seen: &mut Seen,
    ) -> Result<Vec<u8>, Broken> {
        let name = command.split(' ').next().unwrap_or_default();
        let mut channel = self.run(command, &[]).await?;
        let (mut printed, mut words, mut exit) = (Vec::new(), Vec::new(), None);
        loop {
            match channel.wait().await {
                Some(ChannelMsg::Data { data }) => {
                    self.got_something();
                    printed.extend_from_slice(&data);
                    if printed.len() > most {
                        let fault = format!("{name} prints more than {most} bytes");
                        return Err(Broken::failed(FailureClass::Protocol, fault));
                    }
                }
                Some(ChannelMsg::ExtendedData { data, .. }) => {
                    let room = most.saturating_sub(words.len()).min(data.len());
                    words.extend_from_slice(data.get(..room).unwrap_or_default());
                }
                Some(ChannelMsg::ExitStatus { exit_status }) => exit = Some(exit_status),
                Some(ChannelMsg::Failure) => {
                    return Err(Broken::failed(FailureClass::Forbidden, format!("the server does not run {name}")));
                }
                Some(ChannelMsg::Close) | None => break,
                Some(_) => {}
            }
        }
        self.check_alive()?;
        let words = String::from_utf8_lossy(&words).trim().to_owned();
        match exit {
            Some(0) => Ok(printed),
            _ if !words.is_empty() => {
                seen.headers.push(("stderr".into(), words.clone()));
                Err(refused(&words))
            }
            code => {
                let code = code.map_or("without an exit code".into(), |code| format!("with exit code {code}"));
                Err(Broken::failed(FailureClass::ServerError, format!("{name} ended {code}")))
            }
        }
    }

    /// Has the server run a command.
    pub(in crate::probe) async fn run(
        &self,
        command: &str,
        variables: &[(&str, &str)],
    ) -> Result<Channel<client::Msg>, Broken> {
        let channel = self.handle.channel_open_session().await.map_err(|error| match error {
            russh::Error::ChannelOpenFailure(why) => {
                Broken::failed(FailureClass::Forbidden, format!("the server opens no session: {why:?}"))
            }
            error => self.failed(&error),
        })?;
        for (name, value) in variables {
            channel.set_env(false, *name, *value).await.map_err(|error| self.failed(&error))?;
        }
        channel.exec(false, Bytes::copy_from_slice(command.as_bytes())).await.map_err(|error| self.failed(&error))?;
        Ok(channel)
    }
}
