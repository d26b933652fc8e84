//! What a visitor does in several steps, and what comes of it elsewhere: mail, calls, Git over SSH.

use std::collections::BTreeMap;
use std::time::Duration;

use super::*;
use crate::demo::sink::Sink;
use crate::model::kind::flow::{Totp, TotpHash};
use crate::probe::flow::totp;

/// A browser, as far as this forge needs one: it keeps cookies and follows no redirects.
struct Browser<'a> {
    fixture: &'a Fixture,
    client: reqwest::Client,
    cookies: BTreeMap<String, String>,
}

impl<'a> Browser<'a> {
    fn new(fixture: &'a Fixture) -> Self {
        let client = reqwest::Client::builder()
            .tls_certs_only([reqwest::Certificate::from_pem(&fixture.forge.ca_pem()).unwrap()])
            .resolve(HOST, fixture.forge.address())
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .unwrap();
        Self { fixture, client, cookies: BTreeMap::new() }
    }

    /// Asks, with these fields of a form; gives the status, where it redirects to, and the page.
    async fn ask(&mut self, method: Method, path: &str, fields: &[(&str, &str)]) -> (u16, String, String) {
        let url = format!("https://{HOST}:{}{path}", self.fixture.forge.address().port());
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let form: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{name}={}", value.replace(' ', "+").replace('@', "%40")))
            .collect();
        let answer = self
            .client
            .request(method, url)
            .header("cookie", cookies.join("; "))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form.join("&"))
            .send()
            .await
            .unwrap();
        for cookie in answer.headers().get_all("set-cookie") {
            let (name, value) = cookie.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        let to = answer.headers().get("location").map_or(String::new(), |to| to.to_str().unwrap().to_owned());
        (answer.status().as_u16(), to, answer.text().await.unwrap())
    }

    /// The token of the form on this page.
    async fn token(&mut self, path: &str) -> String {
        let (_, _, page) = self.ask(Method::GET, path, &[]).await;
        page.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
    }
}

#[tokio::test]
async fn who_signs_in_with_the_form_has_a_session_until_signing_out() {
    let fixture = fixture().await;
    let mut browser = Browser::new(&fixture);
    assert_eq!(browser.ask(Method::GET, "/account", &[]).await.1, "/account/signin");
    let (address, password) = accounts::KNOWN;
    let token = browser.token("/account/signin").await;
    let wrong = [("csrf", token.as_str()), ("email", address), ("password", "guess")];
    assert_eq!(browser.ask(Method::POST, "/account/signin", &wrong).await.0, 401);
    let right = [("csrf", token.as_str()), ("email", address), ("password", password)];
    assert_eq!(browser.ask(Method::POST, "/account/signin", &right).await.0, 403, "a form is good for one try");
    let token = browser.token("/account/signin").await;
    let right = [("csrf", token.as_str()), ("email", address), ("password", password)];
    let (_, _, page) = browser.ask(Method::POST, "/account/signin", &right).await;
    let token = page.split("name=\"token\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(
        browser.ask(Method::GET, "/account", &[]).await.1,
        "/account/signin",
        "a password alone is not enough"
    );
    let secret = accounts::CODES.to_vec().into();
    let codes = Totp { secret, hash: TotpHash::Sha1, digits: 6, period: Duration::from_secs(30) };
    let code = totp::code(&codes, crate::clock::now());
    let other = if code == "000000" { "000001" } else { "000000" };
    for (token, code, status) in [(token, other, 401), ("guessed", code.as_str(), 403), (token, code.as_str(), 303)] {
        let fields = [("token", token), ("code", code)];
        assert_eq!(browser.ask(Method::POST, "/account/signin/code", &fields).await.0, status);
    }
    assert!(browser.ask(Method::GET, "/account", &[]).await.2.contains("Signed in as probe@forge.example"));
    assert_eq!(browser.ask(Method::POST, "/account/signout", &[]).await.0, 303);
    assert_eq!(browser.ask(Method::GET, "/account", &[]).await.1, "/account/signin");
}

#[tokio::test]
async fn who_signs_up_gets_a_mail_whose_link_works_once() {
    let fixture = fixture().await;
    let folder = tempfile::tempdir().unwrap();
    let (sink, mut mails) = Sink::start(folder.path()).await.unwrap();
    fixture.forge.mail_to(sink.address());
    let mut browser = Browser::new(&fixture);
    let token = browser.token("/account/signup").await;
    let fields = [("csrf", token.as_str()), ("email", "new@example.com"), ("password", "secret")];
    let (status, _, page) = browser.ask(Method::POST, "/account/signup", &fields).await;
    assert!(status == 200 && page.contains("Check your mail"), "{page}");
    let mail = mails.recv().await.unwrap();
    assert_eq!(mail.to, ["new@example.com"]);
    let raw = std::fs::read(&mail.path).unwrap();
    let text = mail_parser::MessageParser::default().parse(&raw).unwrap().body_text(0).unwrap().into_owned();
    let link = text.split("Confirm your address: ").nth(1).unwrap().split_whitespace().next().unwrap();
    let link = url::Url::parse(link).unwrap().path().to_owned();
    assert!(browser.ask(Method::GET, &link, &[]).await.2.contains("Your account is ready"));
    assert_eq!(browser.ask(Method::GET, &link, &[]).await.0, 404);
    let token = browser.token("/account/signin").await;
    let fields = [("csrf", token.as_str()), ("email", "new@example.com"), ("password", "secret")];
    assert_eq!(browser.ask(Method::POST, "/account/signin", &fields).await.1, "/account");
}

#[tokio::test]
async fn a_licence_is_bought_with_the_card_of_the_sandbox_only() {
    let fixture = fixture().await;
    let mut browser = Browser::new(&fixture);
    assert_eq!(browser.ask(Method::POST, "/cart", &[("plan", "gold"), ("seats", "3")]).await.0, 422);
    assert_eq!(browser.ask(Method::POST, "/cart", &[("plan", "standard"), ("seats", "3")]).await.1, "/cart");
    assert!(browser.ask(Method::GET, "/cart", &[]).await.2.contains("3 users of standard: $9 a month"));
    assert_eq!(browser.ask(Method::POST, "/checkout", &[("card", "1234")]).await.0, 402);
    let (status, _, answer) = browser.ask(Method::POST, "/checkout", &[("card", "4242424242424242")]).await;
    assert_eq!(status, 201);
    let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
    let path = format!("/api/2.0/licences/{}", answer["licence"].as_str().unwrap());
    assert!(browser.ask(Method::GET, &path, &[]).await.2.contains("\"status\":\"active\""));
    assert_eq!(browser.ask(Method::GET, "/api/2.0/licences/none", &[]).await.0, 404);
}

#[tokio::test]
async fn a_pipeline_is_pending_then_runs_then_has_ended() {
    let fixture = fixture().await;
    let (status, _, started) = fixture.ask(Method::POST, "/api/2.0/pipelines", "").await;
    let started: serde_json::Value = serde_json::from_str(&started).unwrap();
    assert_eq!((status.as_u16(), &started["state"]), (201, &"PENDING".into()));
    let path = format!("/api/2.0/pipelines/{}", started["id"].as_str().unwrap());
    let mut states = vec!["PENDING".to_owned()];
    while states.last().unwrap() != "COMPLETED" {
        let (_, _, now) = fixture.get(&path).await;
        let now: serde_json::Value = serde_json::from_str(&now).unwrap();
        let state = now["state"].as_str().unwrap().to_owned();
        if states.last() != Some(&state) {
            states.push(state);
        }
    }
    assert_eq!(states, ["PENDING", "IN_PROGRESS", "COMPLETED"]);
}

#[tokio::test]
async fn a_webhook_is_called_with_a_signature_and_nobody_outside_is() {
    let fixture = fixture().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let ask = |url: String| {
        let client = fixture.client.clone();
        let port = fixture.forge.address().port();
        async move {
            let body = serde_json::json!({ "url": url }).to_string();
            let asked = client.post(format!("https://{HOST}:{port}/api/2.0/hooks/test"));
            asked.header("content-type", "application/json").body(body).send().await.unwrap().status().as_u16()
        }
    };
    assert_eq!(ask("https://example.com/hook".into()).await, 403);
    assert_eq!(ask(format!("http://{}/hook/x", listener.local_addr().unwrap())).await, 202);
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut call = Vec::new();
    let mut part = [0; 4096];
    while !String::from_utf8_lossy(&call).ends_with('}') {
        let count = stream.read(&mut part).await.unwrap();
        call.extend_from_slice(&part[..count]);
    }
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
    let call = String::from_utf8(call).unwrap();
    let (head, body) = call.split_once("\r\n\r\n").unwrap();
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, hooks::SECRET.as_bytes());
    let signed: String =
        aws_lc_rs::hmac::sign(&key, body.as_bytes()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(head.contains(&format!("x-hub-signature: sha256={signed}")), "{head}");
}

/// Runs the real git over the real ssh, as whoever holds the demo's key.
async fn ls_remote(fixture: &Fixture, path: &str) -> (bool, String) {
    let access = fixture.forge.ssh().expect("openssh-server is installed");
    let key = fixture.folder.path().join("key");
    let _ = std::fs::remove_file(&key);
    std::fs::write(&key, &access.key).unwrap();
    std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let ssh = format!("ssh -F none -i {} -o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=no", key.display());
    let url = format!("ssh://{}@127.0.0.1:{}/{path}", access.user, access.address.port());
    let output = Command::new("git").env("GIT_SSH_COMMAND", ssh).args(["ls-remote", &url]).output().await.unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

#[tokio::test]
async fn git_over_ssh_serves_every_workspace_but_the_hidden_one() {
    let fixture = fixture().await;
    let (well, said) = ls_remote(&fixture, "globex/demo.git").await;
    assert!(well && said.contains("refs/heads/main"), "{said}");
    for path in ["nobody/demo.git", "globex/other.git", "globex/../acme/demo.git", "$(id)/demo.git"] {
        let (well, said) = ls_remote(&fixture, path).await;
        assert!(!well && said.contains("Repository not found"), "{path}: {said}");
    }
    fixture.forge.break_flags_for("globex");
    let (well, said) = ls_remote(&fixture, "globex/demo.git").await;
    assert!(!well && said.contains("fatal: Repository not found"), "{said}");
    assert!(ls_remote(&fixture, "acme/demo.git").await.0);
    fixture.forge.repair();
    assert!(ls_remote(&fixture, "globex/demo.git").await.0);
}

#[tokio::test]
async fn a_refresh_token_gives_an_access_token_and_without_one_nobody_is_known() {
    let fixture = fixture().await;
    let mut browser = Browser::new(&fixture);
    assert_eq!(browser.ask(Method::GET, "/api/2.0/user", &[]).await.0, 401);
    for (grant, token, status) in [
        ("password", "practice-refresh-token", 400),
        ("refresh_token", "guessed", 400),
        ("refresh_token", "practice-refresh-token", 200),
    ] {
        let fields = [("grant_type", grant), ("refresh_token", token)];
        assert_eq!(browser.ask(Method::POST, "/oauth/token", &fields).await.0, status);
    }
}

#[tokio::test]
async fn all_repositories_come_in_pages_and_hidden_ones_are_left_out() {
    let fixture = fixture().await;
    let page = async |number: &str| {
        let (status, _, body) = fixture.get(&format!("/api/2.0/repositories?page={number}")).await;
        (status.as_u16(), serde_json::from_str::<serde_json::Value>(&body).unwrap_or_default())
    };
    let (_, first) = page("1").await;
    assert_eq!(first["values"].as_array().unwrap().len(), 2);
    assert!(first["next"].as_str().unwrap().ends_with("/api/2.0/repositories?page=2"), "{first}");
    assert_eq!(page("2").await.1["next"], serde_json::Value::Null);
    assert_eq!((page("0").await.0, page("x").await.0), (400, 400));
    fixture.forge.break_flags_for("globex");
    assert_eq!(page("2").await.1["values"].as_array().unwrap().len(), 1);
}
