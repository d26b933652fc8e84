//! The forge's own mail: sent by SMTP to wherever mail is taken on this machine.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use http::StatusCode;
use serde_json::{Value, json};

use super::Premises;
use lettre::message::header::ContentType;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

/// How long the mail server may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest address that is written to, in bytes.
const LONGEST_ADDRESS: usize = 200;

/// Where the forge's mail goes.
#[derive(Debug, Default)]
pub(super) struct Post(Mutex<Option<SocketAddr>>);

pub(super) fn routes() -> Router<Arc<Premises>> {
    Router::new().route("/api/2.0/notifications/test", post(notify))
}

/// Sends a notification to the address that was given.
async fn notify(State(premises): State<Arc<Premises>>, Json(asked): Json<Value>) -> Response {
    let Some(to) = asked["to"].as_str().filter(|to| to.len() <= LONGEST_ADDRESS).map(ToOwned::to_owned) else {
        return (StatusCode::UNPROCESSABLE_ENTITY, Json(json!({"error": "say to whom"}))).into_response();
    };
    tokio::spawn(async move {
        premises.post.send(&to, "This is a test notification", "Your pipeline has ended.\r\n".into()).await;
    });
    (StatusCode::ACCEPTED, Json(json!({"status": "sent"}))).into_response()
}

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
