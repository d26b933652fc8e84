//! A site with accounts, jobs and pages, as flows use one.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{any, get, post};
use http::header::{COOKIE, LOCATION, SET_COOKIE};
use http::{HeaderMap, StatusCode};

/// What a form must say back.
pub(super) const CSRF: &str = "c5rf+/&=t0ken";
/// The key that calls are signed with.
pub(super) const HOOK_SECRET: &str = "hook-s3cr3t";
/// What a session's cookie says.
pub(super) const SESSION: &str = "session-4711-abcdef";

#[derive(Default)]
pub(super) struct Site {
    /// `GET /path cookie`, in order.
    log: Mutex<Vec<String>>,
    bodies: Mutex<Vec<String>>,
    polls: AtomicU32,
}

impl Site {
    pub(super) async fn start() -> (Arc<Self>, SocketAddr) {
        let site = Arc::new(Self::default());
        let router = Router::new()
            .route("/signin", get(form).post(sign_in))
            .route("/welcome", get(welcome))
            .route("/signout", post(|| async { ([(SET_COOKIE, "session=; Max-Age=0; Path=/")], "bye") }))
            .route("/api/token", post(|| async { r#"{"token": {"value": "t0k-\"quoted\""}, "n": 7, "no": {}}"# }))
            .route("/api/echo", any(echo))
            .route("/api/jobs", post(|| async { (StatusCode::CREATED, [(LOCATION, "/api/jobs/")], "") }))
            .route("/api/jobs/{kind}", get(job).delete(|| async { StatusCode::NO_CONTENT }))
            .route("/pages/{number}", get(page))
            .route("/trigger", post(trigger))
            .route("/slow", get(slow))
            .route("/late", get(|| tokio::time::sleep(Duration::from_millis(400))))
            .route("/broken", any(|| async { (StatusCode::INTERNAL_SERVER_ERROR, "broken") }))
            .layer(from_fn_with_state(Arc::clone(&site), note))
            .with_state(Arc::clone(&site));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        (site, address)
    }

    pub(super) fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    pub(super) fn bodies(&self) -> Vec<String> {
        self.bodies.lock().unwrap().clone()
    }
}

async fn note(State(site): State<Arc<Site>>, request: Request, next: Next) -> Response {
    let cookie = request.headers().get(COOKIE).map(|value| format!(" {}", value.to_str().unwrap()));
    let line = format!("{} {}{}", request.method(), request.uri(), cookie.unwrap_or_default());
    site.log.lock().unwrap().push(line);
    next.run(request).await
}

async fn form() -> Response {
    let page = format!(
        "<form><input name=csrf value='{}'><script>var trace = 'abc';</script></form>",
        CSRF.replace('&', "&amp;")
    );
    ([(SET_COOKIE, "seen=1; Path=/; HttpOnly")], Html(page)).into_response()
}

async fn sign_in(State(site): State<Arc<Site>>, headers: HeaderMap, body: String) -> Response {
    site.bodies.lock().unwrap().push(body.clone());
    let fields: Vec<(String, String)> = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let field = |name: &str| fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str());
    let cookie = headers.get(COOKIE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if field("csrf") != Some(CSRF) || !cookie.contains("seen=1") {
        return (StatusCode::FORBIDDEN, format!("bad token; you sent {:?}", field("csrf"))).into_response();
    }
    if field("password") != Some("hunter2") {
        return (StatusCode::UNAUTHORIZED, "wrong password").into_response();
    }
    let set = format!("session={SESSION}; Path=/; HttpOnly; SameSite=Lax");
    ([(SET_COOKIE, set)], Redirect::to("/welcome")).into_response()
}

async fn welcome(headers: HeaderMap) -> Response {
    let cookie = headers.get(COOKIE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if cookie.contains(&format!("session={SESSION}")) {
        Html("<h1 id=name>Welcome, Ada</h1>").into_response()
    } else {
        (StatusCode::UNAUTHORIZED, format!("you sent {cookie}")).into_response()
    }
}

async fn echo(State(site): State<Arc<Site>>, headers: HeaderMap, body: Bytes) -> String {
    let body = String::from_utf8(body.to_vec()).unwrap();
    site.bodies.lock().unwrap().push(body.clone());
    let token = headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
    format!("{token}|{body}")
}

/// `good` is done at its third look, `bad` fails at its second, `stuck` runs for ever, `hidden` is not there yet.
async fn job(State(site): State<Arc<Site>>, Path(kind): Path<String>) -> Response {
    let polls = site.polls.fetch_add(1, Ordering::SeqCst) + 1;
    let state = match (kind.as_str(), polls) {
        ("good", 3..) => "done",
        ("bad", 2..) => "failed",
        ("hidden", _) => return StatusCode::NOT_FOUND.into_response(),
        ("mute", 2..) => {
            tokio::time::sleep(Duration::from_secs(60)).await;
            "done"
        }
        _ => "running",
    };
    format!(r#"{{"state": "{state}", "look": {polls}}}"#).into_response()
}

async fn page(Path(number): Path<u32>, request: Request) -> Response {
    let host = request.headers().get("host").unwrap().to_str().unwrap();
    format!(r#"{{"next": "http://{host}/pages/{}", "elsewhere": "http://localhost:1/x"}}"#, number + 1)
        .into_response()
}

/// `url delay how user`: calls this URL after so many milliseconds, signed as `how` says, with the user in the body.
async fn trigger(text: String) -> StatusCode {
    let words: Vec<String> = text.split(' ').map(ToOwned::to_owned).collect();
    tokio::spawn(async move {
        let [url, delay, how, user] = &words[..] else { panic!("{words:?}") };
        tokio::time::sleep(Duration::from_millis(delay.parse().unwrap())).await;
        let body = format!(r#"{{"event": "push", "user": "{user}"}}"#);
        let key = if how == "badly" { "another key" } else { HOOK_SECRET };
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, key.as_bytes());
        let tag = data_encoding::HEXLOWER.encode(aws_lc_rs::hmac::sign(&key, body.as_bytes()).as_ref());
        static CLIENT: std::sync::LazyLock<reqwest::Client> = std::sync::LazyLock::new(reqwest::Client::new);
        let call = CLIENT.post(url).header("x-event", "push").body(body);
        let call = if how == "unsigned" { call } else { call.header("x-hub-signature-256", format!("sha256={tag}")) };
        assert_eq!(call.send().await.unwrap().status(), 200);
    });
    StatusCode::ACCEPTED
}

async fn slow() -> &'static str {
    tokio::time::sleep(Duration::from_secs(60)).await;
    "late"
}
