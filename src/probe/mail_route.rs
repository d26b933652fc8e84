//! The way to a mail server, by SMTP or by IMAP: where it is, how the connection is protected, who logs in.

use std::sync::Arc;

use rustls::ClientConfig;

use super::broken::Broken;
use super::dial::Dial;
use super::lines::Lines;
use super::question::Seen;
use super::shared::Shared;
use super::stopwatch::Trace;
use crate::model::{Encryption, Login, MailHost, Resolve};

/// The way to a server, up to the point where it is greeted.
pub(super) struct MailRoute {
    pub(super) dial: Dial,
    pub(super) login: Option<Login>,
    encryption: Encryption,
    tls: Option<Arc<ClientConfig>>,
}

impl MailRoute {
    pub(super) fn new(server: &MailHost, resolve: Resolve, shared: &mut Shared) -> Result<Self, String> {
        let encrypted = server.encryption != Encryption::None;
        Ok(Self {
            dial: Dial::new(&server.host, server.port, resolve, shared.resolver()?),
            encryption: server.encryption,
            tls: encrypted.then(|| shared.tls(&server.tls)).transpose()?,
            login: server.login.clone(),
        })
    }

    /// Connects, with TLS from the first byte where that is wanted.
    pub(super) async fn open(&self, trace: &Trace, seen: &mut Seen) -> Result<Lines, Broken> {
        let implicit = self.tls.as_ref().filter(|_| self.encryption == Encryption::Implicit);
        Lines::open(&self.dial, implicit, trace, seen).await
    }

    /// The TLS configuration that STARTTLS is to be followed by, where that is wanted.
    pub(super) fn starttls(&self) -> Option<&Arc<ClientConfig>> {
        self.tls.as_ref().filter(|_| self.encryption == Encryption::StartTls)
    }
}
