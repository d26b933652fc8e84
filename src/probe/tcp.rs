//! The TCP kind: a connection, with a TLS handshake or without, made and closed again.

use std::sync::Arc;

use rustls::ClientConfig;

use super::dial::Dial;
use super::frame::{Broken, Question, Seen};
use super::means::Means;
use super::stopwatch::Trace;
use crate::model::{Resolve, TcpTarget};

/// A connection that can be made again and again.
pub(super) struct TcpProbe {
    request: String,
    dial: Dial,
    tls: Option<Arc<ClientConfig>>,
}

impl TcpProbe {
    pub(super) fn new(
        target: &TcpTarget,
        resolve: Resolve,
        request: String,
        means: &mut Means,
    ) -> Result<Self, String> {
        let tls = target.tls.as_ref().map(|options| means.tls(options)).transpose()?;
        Ok(Self { request, tls, dial: Dial::new(&target.host, target.port, resolve, means.resolver()?) })
    }
}

impl Question for TcpProbe {
    fn request(&self) -> &str {
        &self.request
    }

    async fn ask(&self, trace: &Trace, seen: &mut Seen) -> Result<(), Broken> {
        let stream = self.dial.tcp(trace, seen).await?;
        if let Some(tls) = &self.tls {
            self.dial.tls(stream, tls.clone(), trace).await?;
        }
        Ok(())
    }
}
