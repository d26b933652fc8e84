//! Git over SSH, and SSH by itself: OpenSSH's sshd, and servers that misbehave.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tripline::model::kind::{Fingerprint, ssh::VARIABLES};
use tripline::model::{
    CheckResult, Condition, FailureClass, GitDepth, GitTarget, HostTrust, Outcome, Probe, ProbeKind, Remote, Secrets,
    SshRemote, SshTarget,
};

use super::git::{ask, refs};
use super::{check_with, class_and_fault, failure, probe, target};
use crate::forge::git;
use crate::servers::Server;
use crate::ssh_forge::{SshForge, key};

pub(crate) fn over(remote: SshRemote) -> GitTarget {
    GitTarget { remote: Remote::Ssh(remote), ..refs("http://127.0.0.1:9/") }
}

fn fetch(remote: SshRemote) -> GitTarget {
    GitTarget { depth: GitDepth::Fetch, ..over(remote) }
}

fn greeting(to: std::net::SocketAddr, trust: HostTrust, timeout: Duration, expect: &[&str]) -> Probe {
    let expect: Vec<Condition> = expect.iter().map(|source| Condition::parse(source, VARIABLES).unwrap()).collect();
    let kind = ProbeKind::Ssh(SshTarget { host: to.ip().to_string(), port: to.port(), trust });
    Probe { kind, expect: expect.into(), ..probe(target("http://127.0.0.1:9/"), timeout, &[]) }
}

async fn greet(to: std::net::SocketAddr, trust: HostTrust, expect: &[&str]) -> CheckResult {
    check_with(greeting(to, trust, Duration::from_secs(5), expect), Secrets::default()).await
}

#[tokio::test]
async fn a_repository_lists_its_refs_and_gives_its_commit() {
    let Some(forge) = SshForge::start("AcceptEnv GIT_PROTOCOL") else { return };
    let commit = git(&forge.folder.path().join("served/acme/demo.git"), &["rev-parse", "HEAD"]);
    let result = ask(
        fetch(forge.remote("acme/demo.git", "user")),
        &[
            &format!("commit == '{commit}' && branch == 'refs/heads/main' && refs.size() == 3"),
            "bytes > 100 && address == '127.0.0.1'",
            "timing.tls > duration('0s') && timing.first_byte > duration('0s')",
        ],
    )
    .await;
    assert_eq!(result.outcome, Outcome::Success, "{result:?}");
    let result = ask(over(forge.remote("acme/demo.git", "user-rsa")), &["branch == 'refs/heads/gone'"]).await;
    assert_eq!(class_and_fault(&result).0, FailureClass::Expectation, "an RSA key is as good");
    let said = &failure(&result).1.headers;
    let value = |name: &str| said.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    assert_eq!(value("git-protocol"), Some("version 2"));
    assert_eq!(value("host key"), Some(format!("ssh-ed25519 {}", forge.fingerprint("host")).as_str()));
    assert!(value("banner").unwrap().starts_with("SSH-2.0-OpenSSH"), "{said:?}");
}

#[tokio::test]
async fn a_server_that_does_not_take_the_version_speaks_version_0() {
    let Some(forge) = SshForge::start("") else { return };
    let result = ask(fetch(forge.remote("acme/demo.git", "user")), &["bytes > 100 && refs.size() == 3"]).await;
    assert_eq!(result.outcome, Outcome::Success, "{result:?}");
    let result = ask(over(forge.remote("acme/empty.git", "user")), &[]).await;
    assert_eq!(class_and_fault(&result).0, FailureClass::NotFound);
}

#[tokio::test]
async fn a_repository_that_is_not_there_is_not_found_and_a_refused_key_is_unauthorized() {
    let Some(forge) = SshForge::start("") else { return };
    let none = forge.remote("acme/none.git", "user");
    let result = ask(over(none.clone()), &[]).await;
    let (class, fault) = class_and_fault(&result);
    assert_eq!(class, FailureClass::NotFound);
    assert!(fault.starts_with(&format!("the server refused: fatal: '{}' does not appear", none.path)), "{fault}");
    key("ed25519", "stranger", forge.folder.path());
    let stranger = forge.remote("acme/demo.git", "stranger");
    let said = format!("the server refused the key of user {}; it takes: publickey", stranger.user);
    let result = ask(over(stranger), &[]).await;
    assert_eq!(class_and_fault(&result), (FailureClass::Unauthorized, said.as_str()));
}

#[tokio::test]
async fn what_a_forge_says_in_its_own_words_is_understood() {
    let words = "ForceCommand echo 'ERROR: Repository not found.' >&2; exit 1";
    let Some(forge) = SshForge::start(words) else { return };
    let result = ask(over(forge.remote("acme/demo.git", "user")), &[]).await;
    assert_eq!(
        class_and_fault(&result),
        (FailureClass::NotFound, "the server refused: ERROR: Repository not found.")
    );
}

#[tokio::test]
async fn a_branch_is_pushed_and_deleted_again() {
    let Some(forge) = SshForge::start("AcceptEnv GIT_PROTOCOL") else { return };
    let canary = Some("refs/heads/tripline-canary".into());
    let push = GitTarget { push: canary, ..over(forge.remote("acme/demo.git", "user")) };
    let result = ask(push, &[]).await;
    assert_eq!(result.outcome, Outcome::Success, "{result:?}");
    let repository = forge.folder.path().join("served/acme/demo.git");
    assert_eq!(git(&repository, &["for-each-ref", "--format=%(refname)", "refs/heads"]), "refs/heads/main");
}

#[tokio::test]
async fn a_host_key_that_changed_is_told_with_both_fingerprints() {
    let Some(forge) = SshForge::start("") else { return };
    let (host, rsa) = (forge.fingerprint("host"), forge.fingerprint("host-rsa"));
    let at = forge.address;
    let pinned = |fingerprint: &str| HostTrust::Pinned(Fingerprint::parse(fingerprint).unwrap());
    let holds = format!("fingerprint == '{host}' && banner.startsWith('SSH-2.0-OpenSSH')");
    let result = greet(at, pinned(&host), &[&holds, "timing.tls > duration('0s')"]).await;
    assert_eq!(result.outcome, Outcome::Success, "{result:?}");
    let result = greet(at, pinned(&rsa), &[]).await;
    let said = format!("the host key is not the pinned one: {rsa} is pinned, the server showed ssh-ed25519 {host}");
    assert_eq!(class_and_fault(&result), (FailureClass::Tls, said.as_str()));
    // Of the keys that it has, the server is asked for the one that is listed.
    let listed = |line: &str| HostTrust::KnownHosts(line.to_owned().into());
    let only_rsa = greet(at, listed(&forge.known("host-rsa")), &[&format!("fingerprint == '{rsa}'")]).await;
    assert_eq!(only_rsa.outcome, Outcome::Success, "{only_rsa:?}");
    key("ed25519", "other", forge.folder.path());
    let other = forge.fingerprint("other");
    let result = greet(at, listed(&forge.known("other")), &[]).await;
    let said = format!(
        "the host key has changed: `known_hosts` lists ssh-ed25519 {other}, the server showed ssh-ed25519 {host}"
    );
    assert_eq!(class_and_fault(&result), (FailureClass::Tls, said.as_str()));
    let revoked = format!("{}\n@revoked {}", forge.known("host"), forge.known("host"));
    assert!(class_and_fault(&greet(at, listed(&revoked), &[]).await).1.starts_with("the host key is revoked: "));
    assert_eq!(greet(at, HostTrust::Anyone, &[]).await.outcome, Outcome::Success);
}

#[tokio::test]
async fn servers_that_misbehave_have_their_class_in_time() {
    let limit = Duration::from_millis(800);
    let brief = async |server: &Server| {
        let began = Instant::now();
        let asked = greeting(server.address, HostTrust::Anyone, limit, &[]);
        let result = check_with(asked, Secrets::default()).await;
        assert!(began.elapsed() < limit + Duration::from_millis(500), "{:?}", began.elapsed());
        let (class, fault) = class_and_fault(&result);
        (class, fault.to_owned())
    };
    let saying = async |words: &'static [u8], stay: bool| {
        Server::raw(move |mut stream| {
            Box::pin(async move {
                let _ = stream.write_all(words).await;
                if stay {
                    let _ = stream.read_to_end(&mut Vec::new()).await;
                } else {
                    // What was sent to it is read first, so that closing is no reset.
                    let _ = stream.read(&mut [0; 4096]).await;
                }
            })
        })
        .await
    };
    let (class, fault) = brief(&saying(b"SSH-2.0-Silent_1\r\n", true).await).await;
    assert_eq!(class, FailureClass::Timeout);
    assert!(fault.starts_with("no answer within 800ms: in the key exchange for "), "{fault}");
    let huge = saying(b"SSH-2.0-Huge_1\r\n\x40\x00\x00\x00\x04abcdefghijklmnopqrstuvwxyz", true).await;
    let said = "the server announced a packet of 1073741824 bytes".to_owned();
    assert_eq!(brief(&huge).await, (FailureClass::Protocol, said));
    let web = saying(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n<html>", false).await;
    let (class, fault) = brief(&web).await;
    assert!(matches!(class, FailureClass::Protocol | FailureClass::Connect), "{class:?}: {fault}");
    let closed = saying(b"SSH-2.0-Closed_1\r\n", false).await;
    assert_eq!(brief(&closed).await.0, FailureClass::Connect);
    let junk = saying(b"SSH-2.0-Junk_1\r\n\x00\x00\x00\x0c\x05\xffjunkjunkjunk", true).await;
    // A message of an unknown kind is passed over (RFC 4253, section 11.4); that nothing follows is what is wrong.
    assert_eq!(brief(&junk).await.0, FailureClass::Timeout);
    let dripping = Server::raw(|mut stream| {
        Box::pin(async move {
            while stream.write_all(b"S").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        })
    })
    .await;
    assert_eq!(brief(&dripping).await.0, FailureClass::Timeout);
    let endless =
        Server::raw(|mut stream| Box::pin(async move { while stream.write_all(&[b'x'; 4096]).await.is_ok() {} }))
            .await;
    assert_eq!(brief(&endless).await.0, FailureClass::Protocol);
}
