//! Which path is answered by what, and which is hidden because its workspace's flags fail.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Method, StatusCode, Uri};
use serde_json::Value;

use super::git::Ask;
use super::origin::origin;
use super::{Area, Premises, account_site, api, hooks, oauth, pages, pipelines, post as outgoing, shop};

/// The largest body of a request, in bytes. A fetch of the demo's repository asks with some hundred.
const BODY: usize = 256 * 1024;

/// A real archive: `README.md` below `demo-1.0/`.
const ARCHIVE: &[u8] = include_bytes!("demo-1.0.tar.gz");

type Shared = State<Arc<Premises>>;

pub(super) fn router(premises: Arc<Premises>) -> Router {
    Router::new()
        .route("/", get(|| async { Html(pages::front()) }))
        .merge(account_site::routes())
        .merge(shop::routes())
        .merge(pipelines::routes())
        .merge(hooks::routes())
        .merge(outgoing::routes())
        .merge(oauth::routes())
        .route("/downloads/demo-1.0.tar.gz", get(|| async { ([(CONTENT_TYPE, "application/gzip")], ARCHIVE) }))
        .route("/api/2.0/pipelines/health", get(|| async { json("application/json", &api::pipelines()) }))
        .route("/api/2.0/repositories", get(all_repositories))
        .route("/api/2.0/repositories/{workspace}", get(repositories))
        .route("/{workspace}/", get(workspace))
        .route("/{workspace}/demo.git/info/refs", get(git))
        .route("/{workspace}/demo.git/git-upload-pack", post(git))
        .route("/{workspace}/demo.git/info/lfs/objects/batch", post(lfs_batch))
        .route("/{workspace}/demo.git/info/lfs/objects/{oid}", get(lfs_object))
        .route("/-/break/{workspace}", post(break_flags))
        .route("/-/repair", post(repair))
        .fallback(|uri: Uri| async move { not_found(uri.path()) })
        .layer(DefaultBodyLimit::max(BODY))
        .layer(from_fn_with_state(Arc::clone(&premises), hide))
        .with_state(premises)
}

/// Counts a request, and answers 404 in the words of its area when its workspace is not to be seen.
async fn hide(State(premises): Shared, request: Request, next: Next) -> Response {
    let (area, workspace) = place(request.uri().path());
    let hidden = workspace.is_some_and(|workspace| !premises.flags.show(workspace));
    premises.counters.count(area, hidden);
    if hidden { not_found(request.uri().path()) } else { next.run(request).await }
}

/// The area that a path belongs to, and the workspace.
fn place(path: &str) -> (Area, Option<&str>) {
    let mut parts = path.trim_start_matches('/').split('/');
    match [parts.next(), parts.next(), parts.next(), parts.next()].map(|part| part.unwrap_or_default()) {
        ["api", "2.0", "repositories", workspace] if !workspace.is_empty() => (Area::Api, Some(workspace)),
        ["api", ..] => (Area::Api, None),
        ["" | "-" | "account" | "oauth" | "pricing" | "cart" | "checkout" | "downloads", ..] => (Area::Website, None),
        [workspace, repository, ..] if repository.ends_with(".git") => (Area::Git, Some(workspace)),
        [workspace, ..] => (Area::Website, Some(workspace)),
    }
}

fn not_found(path: &str) -> Response {
    let answer = match place(path).0 {
        Area::Website => Html(pages::not_found()).into_response(),
        Area::Api => json("application/json", &api::not_found()),
        Area::Git if path.contains("/info/lfs/") => json(api::LFS, &api::lfs_not_found()),
        // Git shows a text/plain answer to its user.
        Area::Git => "Repository not found\n".into_response(),
    };
    (StatusCode::NOT_FOUND, answer).into_response()
}

fn json(media: &'static str, value: &Value) -> Response {
    ([(CONTENT_TYPE, media)], value.to_string()).into_response()
}

async fn break_flags(State(premises): Shared, Path(workspace): Path<String>) -> Response {
    if !super::WORKSPACES.contains(&workspace.as_str()) {
        return (StatusCode::NOT_FOUND, "there is no such workspace\n").into_response();
    }
    premises.break_flags_for(&workspace);
    format!("the feature flags fail for {workspace}\n").into_response()
}

async fn repair(State(premises): Shared) -> &'static str {
    premises.repair();
    "the feature flags are served\n"
}

async fn workspace(Path(workspace): Path<String>, headers: HeaderMap) -> Html<String> {
    Html(pages::workspace(&workspace, &origin(&headers)))
}

/// A page of all repositories that the forge sees.
async fn all_repositories(State(premises): Shared, uri: Uri, headers: HeaderMap) -> Response {
    let query = uri.query().unwrap_or_default();
    let page = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "page");
    let page = page.map_or(Some(1), |(_, number)| number.parse().ok()).filter(|page| (1..=1_000).contains(page));
    let seen: Vec<&str> = super::WORKSPACES.into_iter().filter(|workspace| premises.flags.show(workspace)).collect();
    match page {
        Some(page) => json("application/json", &api::all_repositories(&seen, page, &origin(&headers))),
        None => (StatusCode::BAD_REQUEST, "there is no such page\n").into_response(),
    }
}

async fn repositories(Path(workspace): Path<String>, headers: HeaderMap) -> Response {
    json("application/json", &api::repositories(&workspace, &origin(&headers)))
}

async fn lfs_batch(Path(workspace): Path<String>, headers: HeaderMap, body: Bytes) -> Response {
    let (status, answer) = api::lfs_batch(&workspace, &body, &origin(&headers));
    (status, json(api::LFS, &answer)).into_response()
}

async fn lfs_object(Path((_, oid)): Path<(String, String)>) -> Response {
    let content = api::lfs_object(&oid).ok_or((StatusCode::NOT_FOUND, "Object does not exist\n"));
    content.map(|content| ([(CONTENT_TYPE, "application/octet-stream")], content)).into_response()
}

async fn git(State(premises): Shared, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    // Routing leaves two paths, and what follows the repository's name is one of these.
    let path = if uri.path().ends_with("/info/refs") { "info/refs" } else { "git-upload-pack" };
    premises.repository.answer(Ask { method, path, query: uri.query().unwrap_or_default(), headers, body }).await
}
