//! The way to an SSH server: connecting, verifying its key, logging in.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

use russh::SshId;
use russh::client;

use super::guarded_stream::guard;
use super::host_key::Trust;
use super::login::Login;
use super::session::{Gone, Notes, Session, Watch};
use crate::model::{FailureClass, HostTrust, Resolve};
use crate::probe::broken::Broken;
use crate::probe::dial::Dial;
use crate::probe::question::Seen;
use crate::probe::shared::Shared;
use crate::probe::stopwatch::{Phase, Trace};

/// How much a server may send ahead of what is read, in bytes.
const CHANNEL_WINDOW: u32 = 256 * 1024;
/// How many messages wait to be read.
const MOST_WAITING_MESSAGES: usize = 16;

/// A server that can be connected to again and again.
pub(in crate::probe) struct Way {
    dial: Dial,
    trust: Arc<Trust>,
    config: Arc<client::Config>,
}

impl Way {
    pub(in crate::probe) fn new(
        host: &str,
        port: u16,
        trust: &HostTrust,
        resolve: Resolve,
        shared: &mut Shared,
    ) -> Result<Self, String> {
        let trust = Trust::new(trust, host, port)?;
        let mut config = client::Config {
            client_id: SshId::Standard(Cow::Borrowed(concat!("SSH-2.0-tripline_", env!("CARGO_PKG_VERSION")))),
            window_size: CHANNEL_WINDOW,
            channel_buffer_size: MOST_WAITING_MESSAGES,
            ..client::Config::default()
        };
        // As OpenSSH does: a server with several keys shows one that we know.
        let kinds = trust.kinds();
        let known =
            |name: &str| kinds.contains(&name) || (name.starts_with("rsa-sha2") && kinds.contains(&"ssh-rsa"));
        let (mut first, rest): (Vec<_>, Vec<_>) =
            config.preferred.key.iter().cloned().partition(|algorithm| known(algorithm.as_str()));
        first.extend(rest);
        config.preferred.key = Cow::Owned(first);
        let dial = Dial::new(host, port, resolve, shared.resolver()?);
        Ok(Self { dial, trust: Arc::new(trust), config: Arc::new(config) })
    }

    /// Connects, exchanges keys and verifies the server's; notes the phases up to `tls`.
    pub(in crate::probe) async fn begin(&self, trace: &Trace, seen: &mut Seen) -> Result<Session, Broken> {
        let stream = self.dial.tcp(trace, seen).await?;
        seen.handshake = Some("the key exchange");
        trace.enter(Phase::Tls);
        let (stream, guard) = guard(stream);
        let notes: Arc<Mutex<Notes>> = Arc::default();
        let watch = Watch { trust: self.trust.clone(), notes: notes.clone() };
        let connected = client::connect_stream(self.config.clone(), stream, watch).await;
        if let Some(banner) = guard.banner() {
            seen.headers.push(("banner".into(), banner));
        }
        if let Some(key) = &notes.lock().unwrap_or_else(PoisonError::into_inner).key {
            seen.headers.push(("host key".into(), key.show()));
        }
        match connected {
            Ok(handle) => {
                seen.handshake = Some("the login");
                Ok(Session { handle, notes, guard })
            }
            Err(gone) => {
                seen.hear(&guard.heard());
                let said = notes.lock().unwrap_or_else(PoisonError::into_inner).broken.clone();
                let (class, fault) = match (gone, said) {
                    // Why it disconnected, it said.
                    (Gone::Ssh(russh::Error::Disconnect), Some(said)) => said,
                    // The library takes the length 0 for the end.
                    (Gone::Ssh(russh::Error::HUP | russh::Error::Disconnect), None) if !guard.ended() => {
                        (FailureClass::Protocol, "the server announced a packet of 0 bytes".into())
                    }
                    (gone, _) => match gone.fault() {
                        (FailureClass::Connect, fault) => {
                            (FailureClass::Connect, format!("{fault} in the key exchange"))
                        }
                        other => other,
                    },
                };
                Err(Broken::failed(class, fault))
            }
        }
    }

    /// As [`begin`](Self::begin), and logs in, which counts as `tls` too.
    pub(in crate::probe) async fn enter(
        &self,
        login: &Login,
        trace: &Trace,
        seen: &mut Seen,
    ) -> Result<Session, Broken> {
        let mut session = self.begin(trace, seen).await?;
        login.admit(&mut session, seen).await?;
        Ok(session)
    }
}
