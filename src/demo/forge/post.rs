//! The forge's own mail: sent by SMTP to wherever mail is taken on this machine.

use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use lettre::message::header::ContentType;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

/// How long the mail server may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where the forge's mail goes.
#[derive(Debug, Default)]
pub(super) struct Post(Mutex<Option<SocketAddr>>);

impl Post {
    pub(super) fn goes_to(&self, server: SocketAddr) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(server);
    }

    /// Sends a mail; one that cannot be sent is logged and lost, as with any service whose mail is down.
    pub(super) async fn send(&self, to: &str, subject: &str, text: String) {
        let server = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(server) = server else {
            tracing::debug!("the forge has no mail server");
            return;
        };
        if let Err(fault) = deliver(server, to, subject, text).await {
            tracing::warn!(fault, "the forge could not send a mail");
        }
    }
}

async fn deliver(server: SocketAddr, to: &str, subject: &str, text: String) -> Result<(), String> {
    let mail = Message::builder()
        .from("Forge <noreply@forge.example>".parse().map_err(|error| format!("{error}"))?)
        .to(to.parse().map_err(|error| format!("{to}: {error}"))?)
        .subject(subject)
        .header(ContentType::TEXT_PLAIN)
        .body(text)
        .map_err(|error| error.to_string())?;
    let transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(server.ip().to_string())
        .port(server.port())
        .timeout(Some(PATIENCE))
        .build();
    transport.send(mail).await.map(drop).map_err(|error| error.to_string())
}
