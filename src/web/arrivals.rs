//! Calls of jobs and of hooks.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::StreamExt;
use http::StatusCode;
use tokio::time::{Instant, timeout_at};

use super::not_found;
use crate::clock;
use crate::inbox::{Call, Inbox, Taken};
use crate::model::kind::heartbeat::Ping;

/// How much of what a job says is kept, in bytes; the rest is read as far as [`LONGEST_SAID`], and let go.
const MOST_KEPT_BODY: usize = 8 * 1024;
/// How much a job may say, in bytes: the log of a run may be long, and cutting its connection would fail its call.
const LONGEST_SAID: usize = 1024 * 1024;
/// How long it may take to say it.
const SAYING: Duration = Duration::from_secs(10);
/// The longest body of a hook's call, in bytes.
const LONGEST_CALL: usize = 1024 * 1024;

pub(super) async fn ping(State(inbox): State<Inbox>, Path(token): Path<String>, request: Request) -> Response {
    take(&inbox, &token, Ping::Well, request.into_body()).await
}

/// `start`, `fail` or an exit code; what is none of these is not found.
pub(super) async fn ping_with(
    State(inbox): State<Inbox>,
    Path((token, what)): Path<(String, String)>,
    request: Request,
) -> Response {
    let Some(ping) = Ping::parse(&what) else { return not_found().into_response() };
    take(&inbox, &token, ping, request.into_body()).await
}

async fn take(inbox: &Inbox, token: &str, ping: Ping, body: Body) -> Response {
    let at = clock::now();
    match inbox.ping(token, ping, at, said(body).await) {
        Taken::Yes => "OK\n".into_response(),
        Taken::Unknown => not_found().into_response(),
        Taken::Full => (StatusCode::SERVICE_UNAVAILABLE, "too many calls; try again\n").into_response(),
    }
}

/// The beginning of what a job says. One that breaks off or is slow says less, and has called all the same.
async fn said(body: Body) -> Bytes {
    let (mut kept, mut read) = (Vec::new(), 0);
    let mut chunks = body.into_data_stream();
    let end = Instant::now() + SAYING;
    while let Ok(Some(Ok(chunk))) = timeout_at(end, chunks.next()).await {
        let room = MOST_KEPT_BODY.saturating_sub(kept.len()).min(chunk.len());
        kept.extend_from_slice(chunk.get(..room).unwrap_or_default());
        read += chunk.len();
        if read > LONGEST_SAID {
            break;
        }
    }
    kept.into()
}

pub(super) async fn hook(State(inbox): State<Inbox>, Path(token): Path<String>, request: Request) -> Response {
    call(&inbox, &token, None, request).await
}

pub(super) async fn hook_for(
    State(inbox): State<Inbox>,
    Path((token, nonce)): Path<(String, String)>,
    request: Request,
) -> Response {
    call(&inbox, &token, Some(&nonce), request).await
}

async fn call(inbox: &Inbox, token: &str, nonce: Option<&str>, request: Request) -> Response {
    if !inbox.has_hook(token) {
        return not_found().into_response();
    }
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LONGEST_CALL).await else {
        return (StatusCode::PAYLOAD_TOO_LARGE, "at most 1 MiB\n").into_response();
    };
    match inbox.call(token, nonce, &Call { method: head.method, headers: head.headers, body }) {
        Taken::Unknown => not_found().into_response(),
        Taken::Yes | Taken::Full => "OK\n".into_response(),
    }
}
