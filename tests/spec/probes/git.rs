//! Git over HTTP and HTTPS: `git http-backend` behind nginx.

use std::sync::Arc;
use std::time::Duration;

use tripline::model::kind::git::VARIABLES;
use tripline::model::{
    CheckResult, Condition, FailureClass, GitDepth, GitTarget, HttpRemote, Outcome, Probe, ProbeKind, Remote, Secrets,
};

use super::{check_with, class_and_fault, failure, probe, target, trusting};
use crate::forge::{Forge, git};
use crate::servers::Authority;

/// A look at the refs of a repository behind a web server.
pub(crate) fn refs(url: &str) -> GitTarget {
    let remote = HttpRemote { url: url.parse().unwrap(), authorization: None, tls: Arc::default() };
    GitTarget {
        remote: Remote::Http(remote),
        depth: GitDepth::Refs,
        reference: "HEAD".into(),
        push: None,
        pack_cap: 1 << 20,
    }
}

pub(crate) fn fetch(url: &str) -> GitTarget {
    GitTarget { depth: GitDepth::Fetch, ..refs(url) }
}

pub(crate) fn asking(target: GitTarget, timeout: Duration, expect: &[&str]) -> Probe {
    let expect: Vec<Condition> = expect.iter().map(|source| Condition::parse(source, VARIABLES).unwrap()).collect();
    let kind = ProbeKind::Git(target);
    Probe { kind, expect: expect.into(), ..probe(self::target("http://127.0.0.1:9/"), timeout, &[]) }
}

pub(crate) async fn ask(target: GitTarget, expect: &[&str]) -> CheckResult {
    check_with(asking(target, Duration::from_secs(10), expect), Secrets::default()).await
}

fn authorized(url: &str, value: &str) -> GitTarget {
    let mut target = refs(url);
    let Remote::Http(remote) = &mut target.remote else { unreachable!() };
    remote.authorization = Some(value.parse().unwrap());
    target
}

#[tokio::test]
async fn a_repository_lists_its_refs_and_gives_its_commit() {
    let Some(forge) = Forge::start(None) else { return };
    let commit = git(&forge.repository("acme/demo.git"), &["rev-parse", "HEAD"]);
    let url = forge.url("/acme/demo.git");
    let holds = [
        format!("head == '{commit}' && commit == head && branch == 'refs/heads/main' && bytes == 0"),
        format!("refs['refs/heads/main'] == '{commit}' && refs['HEAD'] == head && refs.size() == 3"),
        "timing.first_byte > duration('0s') && address == '127.0.0.1'".into(),
    ];
    let holds: Vec<&str> = holds.iter().map(String::as_str).collect();
    let result = ask(refs(&url), &holds).await;
    assert_eq!((result.outcome, result.status), (Outcome::Success, Some(200)), "{result:?}");
    let result = ask(fetch(&url), &["bytes > 100 && bytes < 1000"]).await;
    assert_eq!(result.outcome, Outcome::Success, "{result:?}");
    let tag = GitTarget { reference: "refs/tags/v1.0".into(), ..fetch(&url) };
    let result = ask(tag, &["commit != head", "refs.size() == 3"]).await;
    assert_eq!(result.outcome, Outcome::Success, "an annotated tag is an object of its own: {result:?}");
}

#[tokio::test]
async fn a_server_that_speaks_version_0_only_is_understood() {
    let Some(forge) = Forge::start(None) else { return };
    let url = forge.url("/v0/acme/demo.git");
    let result = ask(fetch(&url), &["branch == 'refs/heads/main'", "refs.size() == 3 && bytes > 100"]).await;
    assert_eq!(result.outcome, Outcome::Success, "{result:?}");
    let result = ask(refs(&url), &["branch == 'refs/heads/gone'"]).await;
    assert_eq!(class_and_fault(&result).0, FailureClass::Expectation);
    let said = &failure(&result).1.headers;
    assert!(said.contains(&("git-protocol".into(), "version 0".into())), "{said:?}");
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let Some(forge) = Forge::start(None) else { return };
    let result = ask(refs(&forge.url("/acme/none.git")), &[]).await;
    let said = "expected the status 200 of git-upload-pack, status was 404 Not Found";
    assert_eq!((class_and_fault(&result), result.status), ((FailureClass::NotFound, said), Some(404)));
    let gone = GitTarget { reference: "refs/heads/gone".into(), ..refs(&forge.url("/acme/demo.git")) };
    let said = "refs/heads/gone is not among the 1 refs that the server lists";
    assert_eq!(class_and_fault(&ask(gone, &[]).await), (FailureClass::NotFound, said));
    let said = "HEAD stands for refs/heads/main, which has no commit";
    let empty = ask(refs(&forge.url("/acme/empty.git")), &[]).await;
    assert_eq!(class_and_fault(&empty), (FailureClass::NotFound, said));
}

#[tokio::test]
async fn what_a_web_server_says_instead_has_its_class() {
    let Some(forge) = Forge::start(None) else { return };
    let result = ask(refs(&forge.url("/page/acme/demo.git")), &[]).await;
    let said = "expected the content type application/x-git-upload-pack-advertisement, it was text/html: \
        no Git speaks there";
    assert_eq!(class_and_fault(&result), (FailureClass::Protocol, said));
    assert_eq!(failure(&result).1.body, "<h1>Welcome</h1>");
    let result = ask(refs(&forge.url("/busy/acme/demo.git")), &[]).await;
    assert_eq!((class_and_fault(&result).0, result.status), (FailureClass::RateLimited, Some(429)));
    let moved = ask(fetch(&forge.url("/old/acme/demo.git")), &[]).await;
    assert_eq!(moved.outcome, Outcome::Success, "a repository that moved is found where it is now: {moved:?}");
    let result = ask(refs(&forge.url("/login/acme/demo.git")), &[]).await;
    let said = format!("redirected to {}, where no repository is", forge.url("/sign-in"));
    assert_eq!(class_and_fault(&result), (FailureClass::Redirect, said.as_str()));
}

#[tokio::test]
async fn a_repository_behind_a_password_wants_the_right_one() {
    let Some(forge) = Forge::start(None) else { return };
    let url = forge.url("/private/acme/demo.git");
    let result = ask(refs(&url), &[]).await;
    assert_eq!((class_and_fault(&result).0, result.status), (FailureClass::Unauthorized, Some(401)));
    // canary:s3cr3t, canary:wrong
    let right = authorized(&url, "Basic Y2FuYXJ5OnMzY3IzdA==");
    assert_eq!(ask(right, &[]).await.outcome, Outcome::Success);
    let wrong = ask(authorized(&url, "Basic Y2FuYXJ5Ondyb25n"), &[]).await;
    assert_eq!(class_and_fault(&wrong).0, FailureClass::Unauthorized);
}

#[tokio::test]
async fn over_tls_the_certificate_is_judged_and_its_expiry_noted() {
    let authority = Authority::new("Test authority");
    let Some(forge) = Forge::start(Some(authority.sign(&["127.0.0.1"], false))) else { return };
    let mut target = fetch(&format!("https://{}/acme/demo.git", forge.https));
    let result = ask(target.clone(), &[]).await;
    assert_eq!(class_and_fault(&result).0, FailureClass::Tls);
    let Remote::Http(remote) = &mut target.remote else { unreachable!() };
    remote.tls = trusting(&authority);
    let result = ask(target, &["timing.tls > duration('0s')"]).await;
    assert_eq!(result.outcome, Outcome::Success, "{result:?}");
    assert!(result.expires.is_some());
}

#[tokio::test]
async fn a_branch_is_pushed_and_deleted_again_whatever_an_interrupted_check_left() {
    let Some(forge) = Forge::start(None) else { return };
    let repository = forge.repository("acme/demo.git");
    let branches = || git(&repository, &["for-each-ref", "--format=%(refname)", "refs/heads"]);
    let canary = "refs/heads/tripline-canary";
    let push = GitTarget { push: Some(canary.into()), ..refs(&forge.url("/acme/demo.git")) };
    for left_behind in [false, true] {
        if left_behind {
            git(&repository, &["update-ref", canary, "HEAD~1"]);
        }
        let result = ask(push.clone(), &[]).await;
        assert_eq!(result.outcome, Outcome::Success, "{result:?}");
        assert_eq!(branches(), "refs/heads/main");
    }
    git(&repository, &["config", "receive.denyDeletes", "true"]);
    let result = ask(push.clone(), &[]).await;
    let said = "the branch could not be deleted: deletion prohibited";
    assert_eq!(class_and_fault(&result), (FailureClass::Forbidden, said));
    git(&repository, &["config", "http.receivepack", "false"]);
    assert_eq!(class_and_fault(&ask(push, &[]).await).0, FailureClass::Forbidden, "pushing is switched off");
}
