use std::time::Duration;

use http::HeaderValue;
use tripline::model::{FailureClass, Outcome};

use super::{Asked, check, class_and_fault, failure, get, target, trusting};
use crate::servers::{Authority, Server, answer, redirect};

#[tokio::test]
async fn redirects_are_followed_and_a_kept_limit_ends_them() {
    let last = Server::fixed(None, answer("404 Not Found", "", "")).await;
    let first = Server::fixed(None, redirect(302, &last.url("/b"))).await;
    let result = get(&first.url("/a")).await;
    let (class, evidence) = failure(&result);
    assert_eq!(class, FailureClass::NotFound);
    assert_eq!(evidence.redirects, [first.url("/a")]);
    assert_eq!(evidence.request, format!("GET {}", last.url("/b")));
    let mut asked = target(&first.url("/a"));
    asked.redirects = 0;
    assert_eq!(check(asked, &[]).await.outcome, Outcome::Success, "a redirect is the answer");
    let chain = Server::fixed(None, redirect(302, &first.url("/a"))).await;
    let mut asked = target(&chain.url("/"));
    asked.redirects = 1;
    let result = check(asked, &[]).await;
    let said = format!("more than 1 redirects; the last leads to {}", last.url("/b"));
    assert_eq!(class_and_fault(&result), (FailureClass::Redirect, &*said));
    assert_eq!(failure(&result).1.redirects, [chain.url("/"), first.url("/a")]);
}

#[tokio::test]
async fn redirects_to_nowhere_good_are_redirect() {
    let cases = [
        ("/", "the redirects lead in a circle, back to "),
        ("ftp://example.com/", "redirected to another scheme: ftp"),
        ("file:///etc/passwd", "redirected to another scheme: file"),
        ("http://[::", "redirected to `http://[::`, which is no URL: "),
        ("http://user:pass@example.com/", "redirected to a URL with a password in it"),
        (&format!("/{}", "a".repeat(100_000)), "redirected to a URL of 100001 bytes"),
    ];
    for (to, said) in cases {
        let server = Server::fixed(None, redirect(302, to)).await;
        let result = get(&server.url("/")).await;
        let (class, fault) = class_and_fault(&result);
        assert_eq!(class, FailureClass::Redirect, "{to}");
        assert!(fault.starts_with(said), "{fault}");
    }
}

/// Redirects `/` to `/next` of its own, which is answered with 200.
async fn moved_within(status: u16) -> Server {
    Server::answering(None, Duration::ZERO, move |mut stream, head| {
        let there = head.lines().next().is_some_and(|line| line.contains(" /next "));
        let text = if there { answer("200 OK", "", "") } else { redirect(status, "/next") };
        Box::pin(async move {
            let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, text.as_bytes()).await;
        })
    })
    .await
}

fn posted(url: &str) -> Asked {
    let mut asked = target(url);
    asked.method = http::Method::POST;
    asked.body = "password=hunter2".into();
    asked.headers.insert("content-type", HeaderValue::from_static("text/plain"));
    asked
}

#[tokio::test]
async fn a_redirect_changes_the_method_as_browsers_do() {
    let cases = [(301, "GET"), (302, "GET"), (303, "GET"), (307, "POST"), (308, "POST")];
    for (status, method) in cases {
        let server = moved_within(status).await;
        assert_eq!(check(posted(&server.url("/")), &[]).await.outcome, Outcome::Success);
        let request = server.requests().remove(1);
        assert!(request.starts_with(&format!("{method} /next ")), "{status}: {request}");
        assert_eq!(request.contains("content-type: text/plain"), method == "POST", "{status}: {request}");
    }
}

#[tokio::test]
async fn a_body_is_not_carried_to_another_origin() {
    for (status, method, followed) in [
        (301, "POST", true),
        (302, "POST", true),
        (303, "PUT", true),
        (301, "PUT", false),
        (302, "PATCH", false),
        (307, "POST", false),
        (308, "POST", false),
    ] {
        let away = Server::fixed(None, answer("200 OK", "", "")).await;
        let first = Server::fixed(None, redirect(status, &away.url("/next"))).await;
        let mut asked = posted(&first.url("/"));
        asked.method = method.parse().unwrap();
        let result = check(asked, &[]).await;
        if followed {
            assert_eq!(result.outcome, Outcome::Success, "{status} {method}");
            assert!(away.requests().remove(0).starts_with("GET /next "), "{status} {method}");
            continue;
        }
        let url = away.url("/next");
        let said = format!(
            "redirected by {status} to another origin, which would get the body of the request: {url}; \
             ask that URL itself, if it may have it"
        );
        assert_eq!(class_and_fault(&result), (FailureClass::Redirect, &*said));
        assert!(away.requests().is_empty(), "{status} {method}");
    }
}

#[tokio::test]
async fn secrets_are_not_carried_to_another_origin() {
    let last = Server::fixed(None, answer("200 OK", "", "")).await;
    let first = Server::fixed(None, redirect(302, &last.url("/"))).await;
    let mut asked = target(&first.url("/"));
    asked.headers.insert("authorization", HeaderValue::from_static("Bearer abc"));
    asked.headers.insert("cookie", HeaderValue::from_static("a=b"));
    asked.headers.insert("x-plain", HeaderValue::from_static("carried"));
    let mut key = HeaderValue::from_static("topsecret");
    key.set_sensitive(true);
    asked.headers.insert("x-key", key);
    assert_eq!(check(asked, &[]).await.outcome, Outcome::Success);
    let (there, away) = (first.requests().remove(0), last.requests().remove(0));
    for secret in ["Bearer abc", "a=b", "topsecret"] {
        assert!(there.contains(secret), "{there}");
        assert!(!away.contains(secret), "another port is another origin: {away}");
    }
    assert!(away.contains("x-plain: carried"), "{away}");
}

#[tokio::test]
async fn the_phases_are_summed_over_the_hops() {
    let slow = |text: String| {
        Server::answering(None, Duration::ZERO, move |mut stream, _| {
            let text = text.clone();
            Box::pin(async move {
                tokio::time::sleep(Duration::from_millis(40)).await;
                let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, text.as_bytes()).await;
            })
        })
    };
    let last = slow(answer("200 OK", "", "")).await;
    let first = slow(redirect(302, &last.url("/"))).await;
    let result = get(&first.url("/")).await;
    assert_eq!(result.outcome, Outcome::Success);
    assert!(result.phases.first_byte.unwrap() >= Duration::from_millis(80), "{:?}", result.phases);
}

#[tokio::test]
async fn a_redirect_from_https_to_http_is_not_followed() {
    let authority = Authority::new("Test authority");
    let away = Server::fixed(None, answer("200 OK", "", "")).await;
    let tls = authority.acceptor(&["127.0.0.1"]);
    let server = Server::fixed(Some(tls), redirect(302, &away.url("/"))).await;
    let mut asked = target(&format!("https://{}/", server.address));
    asked.tls = trusting(&authority);
    let result = check(asked, &[]).await;
    let said = format!("redirected from https to http: {}", away.url("/"));
    assert_eq!(class_and_fault(&result), (FailureClass::Redirect, &*said));
    assert!(away.requests().is_empty());
}

#[tokio::test]
async fn an_address_override_holds_for_its_own_origin_only() {
    let away = Server::fixed(None, answer("200 OK", "", "")).await;
    let location = redirect(302, &away.url("/"));
    let server = Server::fixed(None, location).await;
    let mut asked = target("http://forge.example/");
    asked.resolve.address = Some(server.address);
    let result = check(asked, &["status == 200"]).await;
    assert_eq!(result.outcome, Outcome::Success, "{result:?}");
    assert_eq!((server.requests().len(), away.requests().len()), (1, 1));
}
