//! Git LFS: giftless, filled by the real `git lfs`, by itself and behind OpenSSH's sshd.

use std::sync::Arc;
use std::time::Duration;

use tripline::model::kind::lfs::VARIABLES;
use tripline::model::{
    CheckResult, Condition, FailureClass, HttpRemote, LfsTarget, Outcome, Probe, ProbeKind, Remote, Secrets,
};

use super::{check_with, class_and_fault, probe, target};
use crate::lfs_forge::{Access, LfsForge, Stored};
use crate::ssh_forge::SshForge;

pub(crate) fn file(url: &str, oid: &str, size: u64) -> LfsTarget {
    let remote = HttpRemote { url: url.parse().unwrap(), authorization: None, tls: Arc::default() };
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(oid.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    }
    LfsTarget { remote: Remote::Http(remote), tls: Arc::default(), oid: bytes, size, upload: false }
}

fn stored(forge: &LfsForge, stored: &Stored) -> LfsTarget {
    file(&forge.url("/acme/demo.git"), &stored.oid, stored.size)
}

pub(crate) fn asking(target: LfsTarget, timeout: Duration, expect: &[&str]) -> Probe {
    let expect: Vec<Condition> = expect.iter().map(|source| Condition::parse(source, VARIABLES).unwrap()).collect();
    let kind = ProbeKind::Lfs(target);
    Probe { kind, expect: expect.into(), ..probe(self::target("http://127.0.0.1:9/"), timeout, &[]) }
}

pub(crate) async fn ask(target: LfsTarget, expect: &[&str]) -> CheckResult {
    check_with(asking(target, Duration::from_secs(10), expect), Secrets::default()).await
}

#[tokio::test]
async fn a_file_that_git_lfs_has_put_there_is_received_and_compared() {
    let Some(forge) = LfsForge::start(Access::Write) else { return };
    let kept = forge.put();
    let whole = stored(&forge, &kept);
    let holds = ["bytes == 300000 && address == '127.0.0.1'", "timing.first_byte > duration('0s')"];
    let result = ask(whole.clone(), &holds).await;
    assert_eq!((result.outcome, result.status), (Outcome::Success, Some(200)), "{result:?}");

    let shorter = LfsTarget { size: 1_000, ..whole.clone() };
    let result = ask(shorter, &[]).await;
    let (class, fault) = class_and_fault(&result);
    assert_eq!((class, result.status), (FailureClass::ClientError, Some(422)), "giftless validates sizes");
    assert!(fault.starts_with("the batch: status was 422 Unprocessable Entity: 422 "), "{fault}");
    let none = file(&forge.url("/acme/demo.git"), &"ab".repeat(32), 1_000);
    let result = ask(none, &[]).await;
    assert_eq!((class_and_fault(&result).0, result.status), (FailureClass::NotFound, Some(404)));

    // The store keeps the length and loses a bit.
    let mut content = std::fs::read(&kept.path).unwrap();
    content[1_234] ^= 1;
    std::fs::write(&kept.path, &content).unwrap();
    let result = ask(whole.clone(), &[]).await;
    let (class, fault) = class_and_fault(&result);
    assert_eq!(class, FailureClass::Corrupt);
    assert!(fault.starts_with(&format!("expected SHA-256 {}, it was ", kept.oid)), "{fault}");
    std::fs::remove_file(&kept.path).unwrap();
    assert_eq!(class_and_fault(&ask(whole, &[]).await).0, FailureClass::NotFound);
}

#[tokio::test]
async fn a_small_file_is_uploaded_once_and_verified() {
    let Some(forge) = LfsForge::start(Access::Write) else { return };
    let kept = forge.put();
    let target = LfsTarget { upload: true, ..stored(&forge, &kept) };
    let count = || std::fs::read_dir(kept.path.parent().unwrap()).unwrap().count();
    assert_eq!(count(), 1);
    for _ in 0..2 {
        let result = ask(target.clone(), &[]).await;
        assert_eq!(result.outcome, Outcome::Success, "{result:?}");
    }
    // The hour may have ended between the two.
    assert!((2..=3).contains(&count()), "{}", count());
}

#[tokio::test]
async fn who_may_not_is_told_so() {
    let (Some(forge), Some(writer)) = (LfsForge::start(Access::Read), LfsForge::start(Access::Write)) else { return };
    let kept = writer.put();
    let there = forge.folder.path().join("store/acme/demo");
    std::fs::create_dir_all(&there).unwrap();
    std::fs::copy(&kept.path, there.join(&kept.oid)).unwrap();
    assert_eq!(ask(stored(&forge, &kept), &[]).await.outcome, Outcome::Success);
    let result = ask(LfsTarget { upload: true, ..stored(&forge, &kept) }, &[]).await;
    let (class, fault) = class_and_fault(&result);
    assert!(matches!(class, FailureClass::Forbidden | FailureClass::Unauthorized), "{class:?}: {fault}");
    assert!(fault.starts_with("the batch: status was 40"), "{fault}");
    let Some(closed) = LfsForge::start(Access::Nothing) else { return };
    let result = ask(stored(&closed, &kept), &[]).await;
    assert_eq!((class_and_fault(&result).0, result.status), (FailureClass::Unauthorized, Some(401)));
}

#[tokio::test]
async fn over_ssh_the_server_is_asked_where_the_files_are() {
    let Some(forge) = LfsForge::start(Access::Write) else { return };
    let kept = forge.put();
    // As a forge does it: a command that knows its repositories and where their files are.
    let command = forge.folder.path().join("authenticate");
    let says = format!(
        "set -eu\ncase \"$SSH_ORIGINAL_COMMAND\" in\n\"git-lfs-authenticate '/acme/demo.git' \"*)\n\
         echo '{{\"href\": \"{}\", \"header\": {{\"X-Forge\": \"t0ken-of-the-forge\"}}, \"expires_in\": 60}}';;\n\
         *) echo 'ERROR: Repository not found.' >&2; exit 1;;\nesac\n",
        forge.url("/acme/demo.git/info/lfs")
    );
    std::fs::write(&command, says).unwrap();
    let Some(ssh) = SshForge::start(&format!("ForceCommand /bin/sh {}", command.display())) else { return };
    let mut remote = ssh.remote("acme/demo.git", "user");
    remote.path = "/acme/demo.git".into();
    let mut target = LfsTarget { upload: true, ..stored(&forge, &kept) };
    target.remote = Remote::Ssh(remote.clone());
    let result = ask(target.clone(), &["timing.tls > duration('0s') && bytes == 300000"]).await;
    assert_eq!(result.outcome, Outcome::Success, "{result:?}");
    remote.path = "/acme/none.git".into();
    target.remote = Remote::Ssh(remote);
    let said = "the server refused: ERROR: Repository not found.";
    assert_eq!(class_and_fault(&ask(target, &[]).await), (FailureClass::NotFound, said));
}
