//! Purchasing and licences: a cart in a cookie, a checkout without real money, and the licence that it gives.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Form, Path, State};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::{HeaderMap, StatusCode};
use serde_json::json;

use super::account_site::{Fields, cookie, cookie_of, field};
use super::accounts::secret;
use super::{Premises, pages};

/// The plans, and what each costs for a user and a month, in dollars.
const PLANS: [(&str, u32); 3] = [("free", 0), ("standard", 3), ("premium", 6)];
/// The card of a sandbox that is always accepted.
const CARD: &str = "4242424242424242";
/// How many licences are remembered.
const MOST_LICENCES: usize = 1_000;

type Shared = State<Arc<Premises>>;

/// The licences that were bought.
#[derive(Debug, Default)]
pub(super) struct Licences(Mutex<VecDeque<Licence>>);

#[derive(Clone, Debug)]
struct Licence {
    number: String,
    plan: &'static str,
    seats: u32,
}

pub(super) fn routes() -> Router<Arc<Premises>> {
    Router::new()
        .route("/pricing", get(|| async { Html(pages::pricing()) }))
        .route("/cart", get(cart).post(put))
        .route("/checkout", post(checkout))
        .route("/api/2.0/licences/{number}", get(licence))
}

/// What a cart's cookie says: `standard.3`.
fn chosen(cookie: &str) -> Option<(&'static str, u32, u32)> {
    let (plan, seats) = cookie.split_once('.')?;
    let (plan, price) = PLANS.into_iter().find(|(name, _)| *name == plan)?;
    let seats = seats.parse().ok().filter(|seats| (1..=10_000).contains(seats))?;
    Some((plan, seats, price * seats))
}

async fn put(Form(fields): Form<Fields>) -> Response {
    let value = format!("{}.{}", field(&fields, "plan"), field(&fields, "seats"));
    match chosen(&value) {
        Some(_) => (cookie("cart", &value), Redirect::to("/cart")).into_response(),
        None => (StatusCode::UNPROCESSABLE_ENTITY, Html(pages::message("Your cart", "There is no such plan.")))
            .into_response(),
    }
}

async fn cart(headers: HeaderMap) -> Html<String> {
    Html(match chosen(&cookie_of(&headers, "cart")) {
        Some((plan, seats, total)) => {
            pages::message("Your cart", &format!("{seats} users of {plan}: ${total} a month."))
        }
        None => pages::message("Your cart", "It is empty."),
    })
}

async fn checkout(State(premises): Shared, headers: HeaderMap, Form(fields): Form<Fields>) -> Response {
    let Some((plan, seats, total)) = chosen(&cookie_of(&headers, "cart")) else {
        return (StatusCode::CONFLICT, Json(json!({"error": "the cart is empty"}))).into_response();
    };
    if field(&fields, "card") != CARD {
        return (StatusCode::PAYMENT_REQUIRED, Json(json!({"error": "the card was declined"}))).into_response();
    }
    let licence = Licence { number: secret(), plan, seats };
    let answer = json!({"licence": licence.number, "total": total});
    let mut licences = premises.licences.0.lock().unwrap_or_else(PoisonError::into_inner);
    if licences.len() >= MOST_LICENCES {
        licences.pop_front();
    }
    licences.push_back(licence);
    (StatusCode::CREATED, Json(answer)).into_response()
}

async fn licence(State(premises): Shared, Path(number): Path<String>) -> Response {
    let licences = premises.licences.0.lock().unwrap_or_else(PoisonError::into_inner);
    match licences.iter().find(|licence| licence.number == number) {
        Some(licence) => {
            Json(json!({"status": "active", "plan": licence.plan, "seats": licence.seats})).into_response()
        }
        None => (StatusCode::NOT_FOUND, Json(json!({"error": "there is no such licence"}))).into_response(),
    }
}
