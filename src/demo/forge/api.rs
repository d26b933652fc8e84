//! The forge's JSON: its own API, and Git LFS.
//!
//! LFS: <https://github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md>.

use http::StatusCode;
use serde_json::{Value, json};

/// The one object that is kept by LFS: its SHA-256 and its content.
const OBJECT: (&str, &str) =
    ("fd3bbbc970ecff4a542033a6c33e8180731ca3345225a486ac8a437428008372", "A file kept by Git LFS.\n");

/// The media type of LFS.
pub(super) const LFS: &str = "application/vnd.git-lfs+json";

/// How many objects one batch may ask for.
const BATCH: usize = 100;

/// How many repositories are on one page of all.
const PAGE: usize = 2;

fn repository(workspace: &str, origin: &str) -> Value {
    json!({
        "type": "repository",
        "name": "demo",
        "full_name": format!("{workspace}/demo"),
        "is_private": true,
        "scm": "git",
        "mainbranch": {"type": "branch", "name": "main"},
        "links": {
            "clone": [{"name": "https", "href": format!("{origin}/{workspace}/demo.git")}],
        },
    })
}

pub(super) fn repositories(workspace: &str, origin: &str) -> Value {
    json!({"pagelen": 10, "page": 1, "size": 1, "values": [repository(workspace, origin)]})
}

/// One page of the repositories of these workspaces, with the link to the next where there is one.
pub(super) fn all_repositories(workspaces: &[&str], page: usize, origin: &str) -> Value {
    let on_page = workspaces.iter().skip((page - 1) * PAGE).take(PAGE);
    let values: Vec<Value> = on_page.map(|workspace| repository(workspace, origin)).collect();
    let mut answer = json!({"pagelen": PAGE, "page": page, "size": workspaces.len(), "values": values});
    if page * PAGE < workspaces.len() {
        answer["next"] = format!("{origin}/api/2.0/repositories?page={}", page + 1).into();
    }
    answer
}

pub(super) fn hook_events(origin: &str) -> Value {
    json!({
        "repository": {"links": {"events": {"href": format!("{origin}/api/2.0/hook_events/repository")}}},
        "workspace": {"links": {"events": {"href": format!("{origin}/api/2.0/hook_events/workspace")}}},
    })
}

pub(super) fn pipelines() -> Value {
    json!({"status": "ok", "runners": {"online": 8, "busy": 3}, "queued": 0})
}

pub(super) fn not_found() -> Value {
    json!({"type": "error", "error": {"message": "Repository not found"}})
}

pub(super) fn lfs_not_found() -> Value {
    json!({"message": "Repository not found"})
}

/// Answers a batch request: where each object can be had, or that there is no such object.
pub(super) fn lfs_batch(workspace: &str, body: &[u8], origin: &str) -> (StatusCode, Value) {
    let refuse = |message: &str| (StatusCode::UNPROCESSABLE_ENTITY, json!({"message": message}));
    let Ok(asked) = serde_json::from_slice::<Value>(body) else { return refuse("the request is no JSON") };
    if asked["operation"] != "download" {
        return (StatusCode::FORBIDDEN, json!({"message": "only downloads are possible here"}));
    }
    let Some(objects) = asked["objects"].as_array().filter(|objects| objects.len() <= BATCH) else {
        return refuse("name up to 100 objects");
    };
    let answer = |object: &Value| {
        if object["oid"] == OBJECT.0 {
            let href = format!("{origin}/{workspace}/demo.git/info/lfs/objects/{}", OBJECT.0);
            let actions = json!({"download": {"href": href, "expires_in": 600}});
            json!({"oid": OBJECT.0, "size": OBJECT.1.len(), "authenticated": true, "actions": actions})
        } else {
            let error = json!({"code": 404, "message": "Object does not exist"});
            json!({"oid": object["oid"], "size": object["size"], "error": error})
        }
    };
    let objects: Vec<Value> = objects.iter().map(answer).collect();
    (StatusCode::OK, json!({"transfer": "basic", "objects": objects}))
}

/// An object's content.
pub(super) fn lfs_object(oid: &str) -> Option<&'static str> {
    (oid == OBJECT.0).then_some(OBJECT.1)
}
