//! Webhooks: an event is raised by the API, and the forge calls the address that was given, signed.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::hmac;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::origin::origin;
use super::{Premises, api};

/// The key that the forge's calls are signed with, in `x-hub-signature: sha256=…`, as Bitbucket Cloud signs its own.
pub(super) const SECRET: &str = "the-forge-signs-with-this";
/// How long whoever is called may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) fn routes() -> Router<Arc<Premises>> {
    Router::new()
        .route(
            "/api/2.0/hook_events",
            get(|headers: HeaderMap| async move { Json(api::hook_events(&origin(&headers))) }),
        )
        .route("/api/2.0/hooks/test", post(test))
}

/// Calls the address a moment later, if it is one of this machine's.
async fn test(State(premises): State<Arc<Premises>>, Json(asked): Json<Value>) -> Response {
    let url = asked["url"].as_str().and_then(|url| url::Url::parse(url).ok());
    let here = |url: &url::Url| matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
    let Some(url) = url.filter(here) else {
        return (StatusCode::FORBIDDEN, Json(json!({"error": "the demo calls nobody but this machine"})))
            .into_response();
    };
    let body = json!({"event": "repo:push", "repository": {"full_name": "acme/demo"}}).to_string();
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    let signed = data_encoding::HEXLOWER.encode(hmac::sign(&key, body.as_bytes()).as_ref());
    let call = premises
        .caller
        .post(url)
        .timeout(PATIENCE)
        .header("content-type", "application/json")
        .header("x-event-key", "repo:push")
        .header("x-hub-signature", format!("sha256={signed}"))
        .body(body);
    tokio::spawn(async move {
        if let Err(error) = call.send().await {
            tracing::debug!(%error, "a webhook could not be delivered");
        }
    });
    (StatusCode::ACCEPTED, Json(json!({"status": "sent"}))).into_response()
}
