//! Pipelines: a job is started by the API, and asked for until it has ended.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;
use serde_json::{Value, json};

use super::Premises;
use super::accounts::secret;

/// How long a job waits for its runner, and when it has ended.
const WAITS: Duration = Duration::from_millis(150);
const ENDS: Duration = Duration::from_millis(450);
/// How many jobs are remembered.
const MOST_JOBS: usize = 1_000;

type Shared = State<Arc<Premises>>;

/// The jobs that were started, and when.
#[derive(Debug, Default)]
pub(super) struct Jobs(Mutex<VecDeque<(String, Instant)>>);

pub(super) fn routes() -> Router<Arc<Premises>> {
    Router::new().route("/api/2.0/pipelines", post(start)).route("/api/2.0/pipelines/{id}", get(show))
}

async fn start(State(premises): Shared) -> Response {
    let id = secret();
    let mut jobs = premises.jobs.0.lock().unwrap_or_else(PoisonError::into_inner);
    if jobs.len() >= MOST_JOBS {
        jobs.pop_front();
    }
    jobs.push_back((id.clone(), Instant::now()));
    (StatusCode::CREATED, Json(job(&id, Duration::ZERO))).into_response()
}

async fn show(State(premises): Shared, Path(id): Path<String>) -> Response {
    let jobs = premises.jobs.0.lock().unwrap_or_else(PoisonError::into_inner);
    match jobs.iter().find(|(known, _)| *known == id) {
        Some((_, started)) => Json(job(&id, started.elapsed())).into_response(),
        None => (StatusCode::NOT_FOUND, Json(json!({"error": "there is no such pipeline"}))).into_response(),
    }
}

fn job(id: &str, age: Duration) -> Value {
    if age < WAITS {
        json!({"id": id, "state": "PENDING"})
    } else if age < ENDS {
        json!({"id": id, "state": "IN_PROGRESS"})
    } else {
        json!({"id": id, "state": "COMPLETED", "result": "SUCCESSFUL"})
    }
}
