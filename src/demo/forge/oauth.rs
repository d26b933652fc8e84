//! OAuth: a refresh token gives an access token (RFC 6749, section 6), which the API takes as a bearer (RFC 6750).

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Form, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderMap, StatusCode};
use serde_json::json;

use super::Premises;
use super::account_site::{Fields, field};
use super::accounts::secret;

/// The refresh token that is always taken.
const REFRESH: &str = "practice-refresh-token";
/// How long an access token is good for, in seconds, as the answer says.
const LASTS: u32 = 3_600;
/// How many access tokens are remembered; the oldest goes first.
const MOST_TOKENS: usize = 1_000;

type Shared = State<Arc<Premises>>;

/// The access tokens that were given.
#[derive(Debug, Default)]
pub(super) struct Tokens(Mutex<VecDeque<String>>);

pub(super) fn routes() -> Router<Arc<Premises>> {
    Router::new().route("/oauth/token", post(token)).route("/api/2.0/user", get(user))
}

async fn token(State(premises): Shared, Form(fields): Form<Fields>) -> Response {
    if field(&fields, "grant_type") != "refresh_token" {
        return (StatusCode::BAD_REQUEST, Json(json!({"error": "unsupported_grant_type"}))).into_response();
    }
    if field(&fields, "refresh_token") != REFRESH {
        return (StatusCode::BAD_REQUEST, Json(json!({"error": "invalid_grant"}))).into_response();
    }
    let token = secret();
    let mut tokens = premises.tokens.0.lock().unwrap_or_else(PoisonError::into_inner);
    if tokens.len() >= MOST_TOKENS {
        tokens.pop_front();
    }
    tokens.push_back(token.clone());
    Json(json!({"access_token": token, "token_type": "Bearer", "expires_in": LASTS})).into_response()
}

/// Who asks: whoever has an access token.
async fn user(State(premises): Shared, headers: HeaderMap) -> Response {
    let given = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let tokens = premises.tokens.0.lock().unwrap_or_else(PoisonError::into_inner);
    if given.is_some_and(|given| tokens.iter().any(|known| known == given)) {
        return Json(json!({"type": "user", "username": "probe"})).into_response();
    }
    (StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, "Bearer")], Json(json!({"error": "invalid_token"})))
        .into_response()
}
