//! Floor 2: what we answer by HTTP.
//!
//! | path | what it is |
//! |---|---|
//! | `/ping/TOKEN`, `/ping/TOKEN/start`, `/ping/TOKEN/fail`, `/ping/TOKEN/EXITCODE` | calls of jobs, as healthchecks.io has them |
//! | `/hook/TOKEN`, `/hook/TOKEN/NONCE` | calls that flows wait for |
//! | `/healthz` | whether the process answers |
//!
//! A token that nobody has is not found, and nothing says more.

mod arrivals;
mod serve;

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::routing::{any, get};
use http::StatusCode;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::inbox::Inbox;

/// How many connections there may be at once; more wait in the system's queue.
const CONNECTIONS: usize = 1_024;
/// How long a request's headers may take, ...
const LONGEST_HEADERS: Duration = Duration::from_secs(10);
/// ... and all the rest of it, its answer included.
const LONGEST_REQUEST: Duration = Duration::from_secs(20);
/// How long requests under way may take to end when we stop.
const LAST_MOMENTS: Duration = Duration::from_secs(2);

/// An open port. Binding is apart from serving, so that a port that cannot be had is told before anything starts.
pub struct Port {
    listener: TcpListener,
    /// Where it is; with port 0 asked for, the one that was given.
    pub address: SocketAddr,
}

impl Port {
    /// Opens the port.
    ///
    /// # Errors
    /// When it cannot be had: it is in use, say.
    pub async fn open(address: SocketAddr) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        Ok(Self { address: listener.local_addr()?, listener })
    }

    /// Answers until `stop`; then requests under way have two seconds to end.
    pub async fn serve(self, inbox: Inbox, stop: CancellationToken) {
        serve::run(self.listener, routes(inbox), stop).await;
    }
}

fn routes(inbox: Inbox) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "OK\n" }))
        .route("/ping/{token}", get(arrivals::ping).post(arrivals::ping))
        .route("/ping/{token}/{what}", get(arrivals::ping_with).post(arrivals::ping_with))
        .route("/hook/{token}", any(arrivals::hook))
        .route("/hook/{token}/{nonce}", any(arrivals::hook_for))
        .fallback(|| async { not_found() })
        .with_state(inbox)
}

fn not_found() -> (StatusCode, &'static str) {
    (StatusCode::NOT_FOUND, "not found\n")
}
