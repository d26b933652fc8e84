//! The pages of accounts, as a browser uses them: forms, cookies, redirects.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::accounts::Entered;
use super::origin::origin;
use super::{Premises, pages};
use axum::Router;
use axum::extract::{Form, Path, State};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderName, StatusCode};

type Shared = State<Arc<Premises>>;

pub(super) fn routes() -> Router<Arc<Premises>> {
    Router::new()
        .route("/account", get(account))
        .route("/account/signin", get(sign_in_form).post(sign_in))
        .route("/account/signin/code", post(show_code))
        .route("/account/signout", post(sign_out))
        .route("/account/signup", get(sign_up_form).post(sign_up))
        .route("/account/confirm/{token}", get(confirm))
}

/// What is said of a form that is not known, or not any more.
const TOO_OLD: &str = "This form is too old. Load the page again.";

/// What a form brought, by field.
pub(super) type Fields = BTreeMap<String, String>;

/// A field of a form; empty when it was not sent.
pub(super) fn field<'a>(fields: &'a Fields, name: &str) -> &'a str {
    fields.get(name).map(String::as_str).unwrap_or_default()
}

async fn sign_in_form(State(premises): Shared) -> Response {
    let (visitor, token) = premises.accounts.form();
    (cookie("visitor", &visitor), Html(pages::sign_in(&token))).into_response()
}

async fn sign_in(State(premises): Shared, headers: HeaderMap, Form(fields): Form<Fields>) -> Response {
    let visitor = cookie_of(&headers, "visitor");
    match premises.accounts.sign_in(
        &visitor,
        field(&fields, "csrf"),
        field(&fields, "email"),
        field(&fields, "password"),
    ) {
        Entered::Well(session) => (cookie("session", &session), Redirect::to("/account")).into_response(),
        Entered::Halfway(token) => Html(pages::code(&token)).into_response(),
        Entered::Forged => refuse(StatusCode::FORBIDDEN, TOO_OLD),
        Entered::Wrong => refuse(StatusCode::UNAUTHORIZED, "Email and password do not go together."),
    }
}

async fn show_code(State(premises): Shared, Form(fields): Form<Fields>) -> Response {
    match premises.accounts.show_code(field(&fields, "token"), field(&fields, "code"), crate::clock::now()) {
        Entered::Well(session) => (cookie("session", &session), Redirect::to("/account")).into_response(),
        Entered::Halfway(_) | Entered::Forged => refuse(StatusCode::FORBIDDEN, TOO_OLD),
        Entered::Wrong => refuse(StatusCode::UNAUTHORIZED, "That is not the code of this moment."),
    }
}

async fn account(State(premises): Shared, headers: HeaderMap) -> Response {
    match premises.accounts.who(&cookie_of(&headers, "session")) {
        Some(address) => Html(pages::message("Your account", &format!("Signed in as {address}."))).into_response(),
        None => Redirect::to("/account/signin").into_response(),
    }
}

async fn sign_out(State(premises): Shared, headers: HeaderMap) -> Response {
    premises.accounts.sign_out(&cookie_of(&headers, "session"));
    (cookie("session", ""), Redirect::to("/")).into_response()
}

async fn sign_up_form(State(premises): Shared) -> Response {
    let (visitor, token) = premises.accounts.form();
    (cookie("visitor", &visitor), Html(pages::sign_up(&token))).into_response()
}

async fn sign_up(State(premises): Shared, headers: HeaderMap, Form(fields): Form<Fields>) -> Response {
    let visitor = cookie_of(&headers, "visitor");
    match premises.accounts.sign_up(
        &visitor,
        field(&fields, "csrf"),
        field(&fields, "email"),
        field(&fields, "password"),
    ) {
        Entered::Well(token) => {
            let link = format!("{}/account/confirm/{token}", origin(&headers));
            let text = format!("Welcome to the forge.\r\n\r\nConfirm your address: {link}\r\n");
            premises.post.send(field(&fields, "email"), "Confirm your address", text).await;
            Html(pages::message("Check your mail", "A mail with a link is on its way.")).into_response()
        }
        Entered::Halfway(_) | Entered::Forged => refuse(StatusCode::FORBIDDEN, TOO_OLD),
        Entered::Wrong => refuse(StatusCode::UNPROCESSABLE_ENTITY, "That is no address with a password."),
    }
}

async fn confirm(State(premises): Shared, Path(token): Path<String>) -> Response {
    match premises.accounts.confirm(&token) {
        Some(_) => Html(pages::message("Your account is ready", "You can sign in now.")).into_response(),
        None => refuse(StatusCode::NOT_FOUND, "This link is not known, or was followed before."),
    }
}

fn refuse(status: StatusCode, why: &str) -> Response {
    (status, Html(pages::message("That did not work", why))).into_response()
}

pub(super) fn cookie(name: &str, value: &str) -> [(HeaderName, String); 1] {
    [(SET_COOKIE, format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite=Lax"))]
}

/// The value of a cookie of the request; empty when it has none.
pub(super) fn cookie_of(headers: &HeaderMap, name: &str) -> String {
    let cookies =
        headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok()).flat_map(|all| all.split(';'));
    let mut values = cookies.filter_map(|pair| pair.trim().split_once('=')).filter(|(own, _)| *own == name);
    values.next().map(|(_, value)| value.to_owned()).unwrap_or_default()
}
