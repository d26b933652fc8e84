mod visits;

use http::{Method, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::Command;

use super::*;

struct Fixture {
    folder: tempfile::TempDir,
    forge: Forge,
    client: reqwest::Client,
}

async fn fixture() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let forge = Forge::start(folder.path()).await.unwrap();
    // The client of a stranger: it knows the authority and where the name points, and nothing else.
    let client = reqwest::Client::builder()
        .tls_certs_only([reqwest::Certificate::from_pem(&forge.ca_pem()).unwrap()])
        .resolve(HOST, forge.address())
        .no_proxy()
        .build()
        .unwrap();
    Fixture { folder, forge, client }
}

impl Fixture {
    async fn ask(&self, method: Method, path: &str, body: &str) -> (StatusCode, String, String) {
        let url = format!("https://{HOST}:{}{path}", self.forge.address().port());
        let answer = self.client.request(method, url).body(body.to_owned()).send().await.unwrap();
        let media = answer.headers().get("content-type").map(|media| media.to_str().unwrap().to_owned());
        assert_eq!(answer.headers().get_all("content-type").iter().count(), 1);
        let status = answer.status();
        (status, media.unwrap(), String::from_utf8_lossy(&answer.bytes().await.unwrap()).into_owned())
    }

    async fn get(&self, path: &str) -> (StatusCode, String, String) {
        self.ask(Method::GET, path, "").await
    }

    async fn status(&self, path: &str) -> u16 {
        self.get(path).await.0.as_u16()
    }

    /// Runs the real git, which must verify the forge's certificate, and returns what it says.
    async fn git(&self, arguments: &[&str]) -> (bool, String) {
        let ca = self.folder.path().join("ca.pem");
        std::fs::write(&ca, self.forge.ca_pem()).unwrap();
        let port = self.forge.address().port();
        let output = Command::new("git")
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", self.folder.path())
            .env("LC_ALL", "C")
            .env("GIT_TERMINAL_PROMPT", "0")
            .args(["-c", &format!("http.sslCAInfo={}", ca.display())])
            .args(["-c", &format!("http.curloptResolve={HOST}:{port}:127.0.0.1")])
            .args(arguments)
            .current_dir(self.folder.path())
            .output()
            .await
            .unwrap();
        (output.status.success(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    }

    fn clone_url(&self, workspace: &str) -> String {
        format!("https://{HOST}:{}/{workspace}/demo.git", self.forge.address().port())
    }
}

#[tokio::test]
async fn every_area_answers_for_every_workspace() {
    let fixture = fixture().await;
    for workspace in WORKSPACES {
        let (status, media, body) = fixture.get(&format!("/{workspace}/")).await;
        assert_eq!((status.as_u16(), media.as_str()), (200, "text/html; charset=utf-8"));
        assert!(body.contains("Repositories") && body.contains(workspace), "{body}");

        let (status, media, body) = fixture.get(&format!("/api/2.0/repositories/{workspace}")).await;
        assert_eq!((status.as_u16(), media.as_str()), (200, "application/json"));
        let json: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(json["values"][0]["full_name"], format!("{workspace}/demo"));

        let refs = format!("/{workspace}/demo.git/info/refs?service=git-upload-pack");
        let (status, media, body) = fixture.get(&refs).await;
        assert_eq!((status.as_u16(), media.as_str()), (200, "application/x-git-upload-pack-advertisement"));
        assert!(body.starts_with("001e# service=git-upload-pack\n0000"), "{body}");
    }
    assert_eq!(fixture.forge.requests(), Requests { website: 4, api: 4, git: 4, hidden: 0 });
}

#[tokio::test]
async fn the_other_pages_are_there() {
    let fixture = fixture().await;
    for (path, text) in [
        ("/", "Code together"),
        ("/account/signin", "<button>Sign in</button>"),
        ("/account/signup", "<button>Create your account</button>"),
        ("/pricing", "Premium"),
        ("/api/2.0/hook_events", "\"workspace\""),
        ("/api/2.0/pipelines/health", "\"status\":\"ok\""),
    ] {
        let (status, _, body) = fixture.get(path).await;
        assert!(status.is_success() && body.contains(text), "{path}: {status} {body}");
    }
    assert_eq!(fixture.status("/no/such/page").await, 404);
    assert_eq!(fixture.status("/api/2.0/nothing").await, 404);
}

#[tokio::test]
async fn the_download_is_an_archive_that_tar_reads() {
    let fixture = fixture().await;
    let url = format!("https://{HOST}:{}/downloads/demo-1.0.tar.gz", fixture.forge.address().port());
    let answer = fixture.client.get(url).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/gzip");
    let archive = fixture.folder.path().join("demo.tar.gz");
    std::fs::write(&archive, answer.bytes().await.unwrap()).unwrap();
    let listed = Command::new("tar").arg("tzf").arg(archive).output().await.unwrap();
    assert_eq!(String::from_utf8(listed.stdout).unwrap(), "demo-1.0/\ndemo-1.0/README.md\n");
}

#[tokio::test]
async fn lfs_says_where_an_object_is_and_that_others_are_not() {
    let fixture = fixture().await;
    let oid = "fd3bbbc970ecff4a542033a6c33e8180731ca3345225a486ac8a437428008372";
    let other = "0".repeat(64);
    let body = format!(
        r#"{{"operation": "download", "objects": [{{"oid": "{oid}", "size": 24}}, {{"oid": "{other}", "size": 1}}]}}"#
    );
    let (status, media, body) = fixture.ask(Method::POST, "/acme/demo.git/info/lfs/objects/batch", &body).await;
    assert_eq!((status.as_u16(), media.as_str()), (200, "application/vnd.git-lfs+json"));
    let json: serde_json::Value = serde_json::from_str(&body).unwrap();
    let path = json["objects"][0]["actions"]["download"]["href"].as_str().unwrap();
    assert_eq!(json["objects"][1]["error"]["code"], 404);
    let (_, _, content) = fixture.get(url::Url::parse(path).unwrap().path()).await;
    assert_eq!(content.len(), 24);
    let (status, ..) = fixture.ask(Method::POST, "/acme/demo.git/info/lfs/objects/batch", "junk").await;
    assert_eq!(status.as_u16(), 422);
}

#[tokio::test]
async fn failing_flags_hide_one_workspace_everywhere_until_repaired_and_no_other() {
    let fixture = fixture().await;
    let paths = |workspace: &str| {
        [
            format!("/{workspace}/"),
            format!("/api/2.0/repositories/{workspace}"),
            format!("/{workspace}/demo.git/info/refs?service=git-upload-pack"),
        ]
    };
    fixture.forge.break_flags_for("globex");
    for path in paths("globex") {
        let (status, _, body) = fixture.get(&path).await;
        assert!(status == 404 && body.contains("Repository not found"), "{path}: {status} {body}");
    }
    let lfs = "/globex/demo.git/info/lfs/objects/batch";
    let (status, media, body) = fixture.ask(Method::POST, lfs, "{}").await;
    assert_eq!((status.as_u16(), media.as_str()), (404, "application/vnd.git-lfs+json"));
    assert_eq!(body, r#"{"message":"Repository not found"}"#);
    for path in paths("acme").iter().map(String::as_str).chain(["/", "/pricing", "/api/2.0/hook_events"]) {
        assert_eq!(fixture.status(path).await, 200, "{path}");
    }
    assert_eq!(fixture.forge.requests().hidden, 4);
    fixture.forge.repair();
    for path in paths("globex") {
        assert_eq!(fixture.status(&path).await, 200, "{path}");
    }
}

#[tokio::test]
async fn a_workspace_that_never_was_looks_like_one_whose_flags_fail() {
    let fixture = fixture().await;
    fixture.forge.break_flags_for("globex");
    let [hidden, never] = [fixture.get("/globex/").await, fixture.get("/nobody/").await];
    assert_eq!(hidden, never);
}

#[tokio::test]
async fn git_clones_and_fetches_from_it() {
    let fixture = fixture().await;
    assert_eq!(fixture.forge.git(), GitBackend::HttpBackend, "install git to run this test");
    let (well, said) = fixture.git(&["clone", &fixture.clone_url("acme"), "copy"]).await;
    assert!(well, "{said}");
    assert_eq!(std::fs::read_to_string(fixture.folder.path().join("copy/README.md")).unwrap(), "# Demo\n");
    let (well, said) = fixture.git(&["-C", "copy", "fetch", "--refetch", "origin"]).await;
    assert!(well, "{said}");
    // The older protocol, for clients that do not know the newer.
    let (well, said) = fixture.git(&["-c", "protocol.version=0", "ls-remote", &fixture.clone_url("acme")]).await;
    assert!(well && said.contains("refs/heads/main"), "{said}");
}

#[tokio::test]
async fn git_tells_its_user_that_a_hidden_repository_is_not_found_and_nobody_can_push() {
    let fixture = fixture().await;
    fixture.forge.break_flags_for("acme");
    let (well, said) = fixture.git(&["clone", &fixture.clone_url("acme"), "copy"]).await;
    assert!(!well && said.contains("remote: Repository not found") && said.contains("not found"), "{said}");
    let (well, said) = fixture.git(&["clone", &fixture.clone_url("globex"), "copy"]).await;
    assert!(well, "{said}");
    let (well, said) = fixture.git(&["-C", "copy", "push", "origin", "main:other"]).await;
    assert!(!well, "{said}");
}

#[tokio::test]
async fn a_second_start_finds_the_repository_of_the_first() {
    let folder = tempfile::tempdir().unwrap();
    Forge::start(folder.path()).await.unwrap().stop().await;
    Forge::start(folder.path()).await.unwrap().stop().await;
}

#[tokio::test]
async fn after_stop_nobody_answers() {
    let Fixture { forge, client, folder: _folder } = fixture().await;
    let url = format!("https://{HOST}:{}/", forge.address().port());
    assert!(client.get(&url).send().await.is_ok());
    forge.stop().await;
    assert!(client.get(&url).send().await.is_err());
}

#[tokio::test]
async fn who_does_not_trust_the_authority_is_not_served_and_harms_nobody() {
    let fixture = fixture().await;
    let stranger = reqwest::Client::builder().resolve(HOST, fixture.forge.address()).no_proxy().build().unwrap();
    let url = format!("https://{HOST}:{}/", fixture.forge.address().port());
    assert!(stranger.get(&url).send().await.unwrap_err().is_connect());
    // Plain HTTP and silence on the TLS port.
    let _silent = TcpStream::connect(fixture.forge.address()).await.unwrap();
    let mut plain = TcpStream::connect(fixture.forge.address()).await.unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP"));
    assert_eq!(fixture.status("/").await, 200);
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused() {
    let fixture = fixture().await;
    let body = "0".repeat(300 * 1024);
    let (status, ..) = fixture.ask(Method::POST, "/acme/demo.git/git-upload-pack", &body).await;
    assert_eq!(status.as_u16(), 413);
}

#[tokio::test]
async fn the_certificate_is_for_the_forge_and_holds_for_a_month() {
    let fixture = fixture().await;
    let url = format!("https://{HOST}:{}/", fixture.forge.address().port());
    let client = reqwest::Client::builder()
        .tls_certs_only([reqwest::Certificate::from_pem(&fixture.forge.ca_pem()).unwrap()])
        .resolve(HOST, fixture.forge.address())
        .no_proxy()
        .tls_info(true)
        .build()
        .unwrap();
    let answer = client.get(url).send().await.unwrap();
    let der = answer.extensions().get::<reqwest::tls::TlsInfo>().unwrap().peer_certificate().unwrap().to_vec();
    let (_, certificate) = x509_parser::parse_x509_certificate(&der).unwrap();
    assert_eq!(certificate.subject().to_string(), "CN=forge.example");
    assert_eq!(certificate.issuer().to_string(), "CN=Tripline demo authority");
    let left = certificate.validity().time_to_expiration().unwrap();
    assert!((28..=30).contains(&left.whole_days()), "{left}");
}
