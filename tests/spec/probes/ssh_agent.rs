//! Logging in with the keys of an ssh-agent: OpenSSH's own, and ones that are of no use.

use std::path::Path;
use std::process::Command;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tripline::model::{SshLogin, SshRemote};

use super::git_ssh::over;
use super::measured::{Measured, once};
use super::{probe, target};
use crate::network::{Group, has};
use crate::ssh_forge::{SshForge, key};

/// An agent that runs until this is dropped.
struct Agent {
    socket: String,
    _agent: Group,
}

impl Agent {
    fn start(folder: &Path) -> Self {
        let socket = folder.join("agent").display().to_string();
        let mut command = Command::new("ssh-agent");
        command.args(["-D", "-a", &socket]).stdout(std::process::Stdio::null());
        let agent = Self { _agent: Group::start(&mut command), socket };
        while std::os::unix::net::UnixStream::connect(&agent.socket).is_err() {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        agent
    }

    fn add(&self, folder: &Path, keys: &[&str]) {
        let add = |arguments: &[&str]| {
            let mut command = Command::new("ssh-add");
            let output = command.args(arguments).current_dir(folder).env("SSH_AUTH_SOCK", &self.socket).output();
            let output = output.unwrap();
            assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        };
        add(&["-q", "-D"]);
        keys.iter().for_each(|key| add(&["-q", key]));
    }
}

/// A configuration with one probe that lists the refs of the forge's repository, and one of Git LFS, each within this time.
fn config(forge: &SshForge, limit: &str) -> String {
    let remote = forge.remote("acme/demo.git", "user");
    let url = format!("ssh://{}@127.0.0.1:{}{}", remote.user, remote.port, remote.path);
    let rest = format!("auth: {{agent: true}}, ssh: {{fingerprint: \"{}\"}}", forge.fingerprint("host"));
    format!(
        "name: Forge\ndefaults: {{interval: 60s, timeout: {limit}, retry: {{times: 0}}}}\ncomponents: {{git: {{}}}}\nprobes:\n  \
         git: {{component: git, git: {{url: '{url}', {rest}}}}}\n  \
         lfs: {{component: git, lfs: {{url: '{url}', oid: {}, size: 6, {rest}}}}}\n",
        "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"
    )
}

/// The outcome and the fault of a probe.
fn of<'m>(measured: &'m Measured, probe: &str) -> (&'m str, &'m str) {
    let line = &measured.lines[probe];
    (line["outcome"].as_str().unwrap(), line["fault"].as_str().unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_keys_of_an_agent_are_tried_in_their_order() {
    let Some(forge) = SshForge::start("").filter(|_| has("ssh-agent") && has("ssh-add")) else { return };
    let folder = forge.folder.path();
    let (agent, config) = (Agent::start(folder), config(&forge, "20s"));
    for name in ["stranger", "another"] {
        key("ed25519", name, folder);
    }
    for keys in [&["user"][..], &["user-rsa"], &["stranger", "another", "user"]] {
        agent.add(folder, keys);
        let found = once(&config, &[("SSH_AUTH_SOCK", &agent.socket)]).await;
        assert_eq!(of(&found, "git"), ("success", ""), "{keys:?}");
        // The server knows no Git LFS: it ran the command, so it let us in.
        let (outcome, fault) = of(&found, "lfs");
        assert!(outcome != "void" && fault.contains("git-lfs-authenticate"), "{outcome}: {fault}");
    }
    agent.add(folder, &["stranger", "another"]);
    let found = once(&config, &[("SSH_AUTH_SOCK", &agent.socket)]).await;
    let user = forge.remote("", "user").user;
    let said = format!("the server refused each of the 2 keys of the agent of user {user}; it takes: publickey");
    for probe in ["git", "lfs"] {
        assert_eq!(of(&found, probe), ("unauthorized", said.as_str()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_is_of_no_use_is_our_own_fault_and_says_nothing_of_the_server() {
    let Some(forge) = SshForge::start("").filter(|_| has("ssh-agent") && has("ssh-add")) else { return };
    let folder = forge.folder.path();
    let (agent, config) = (Agent::start(folder), config(&forge, "2s"));
    let holds_nothing = once(&config, &[("SSH_AUTH_SOCK", &agent.socket)]).await;
    let none = once(&config, &[]).await;
    let nowhere = once(&config, &[("SSH_AUTH_SOCK", "/nowhere/agent")]).await;
    let gone = folder.join("gone").display().to_string();
    drop(UnixListener::bind(&gone).unwrap());
    let gone = once(&config, &[("SSH_AUTH_SOCK", &gone)]).await;
    let silent = serving(&folder.join("silent"), |mut stream| async move {
        let _ = stream.read_to_end(&mut Vec::new()).await;
    });
    let silent = once(&config, &[("SSH_AUTH_SOCK", &silent)]).await;
    let hangs_up = serving(&folder.join("hangs-up"), |stream| async move { drop(stream) });
    let hangs_up = once(&config, &[("SSH_AUTH_SOCK", &hangs_up)]).await;
    // A key that waits for its owner to agree looks like this: it is listed, and then nothing is signed.
    agent.add(folder, &["user"]);
    let real = agent.socket.clone();
    let unsigned = serving(&folder.join("unsigned"), move |mut stream| {
        let real = real.clone();
        async move {
            let mut behind = UnixStream::connect(real).await.unwrap();
            let mut question = [0; 5];
            stream.read_exact(&mut question).await.unwrap();
            behind.write_all(&question).await.unwrap();
            let mut answer = vec![0; 4096];
            let count = behind.read(&mut answer).await.unwrap();
            stream.write_all(&answer[..count]).await.unwrap();
            let _ = stream.read_to_end(&mut Vec::new()).await;
        }
    });
    let unsigned = once(&config, &[("SSH_AUTH_SOCK", &unsigned)]).await;
    let cases = [
        (holds_nothing, "the ssh-agent holds no key: give it one with `ssh-add`"),
        (none, "the ssh-agent cannot be asked: SSH_AUTH_SOCK is not set"),
        (nowhere, "the ssh-agent cannot be asked: SSH_AUTH_SOCK names a socket that is not there"),
        (gone, "the ssh-agent cannot be asked: nothing listens at the socket that SSH_AUTH_SOCK names"),
        (silent, "the ssh-agent does not answer within 2s"),
        (hangs_up, "the ssh-agent cannot be asked: it hung up"),
        (unsigned, "the ssh-agent does not answer within 2s"),
    ];
    for (found, fault) in cases {
        for probe in ["git", "lfs"] {
            assert_eq!(of(&found, probe), ("internal", fault));
            let total = found.lines[probe]["milliseconds"]["total"].as_f64().unwrap_or_default();
            assert!(total < 2_500.0, "{fault}: {total} ms");
        }
    }
}

/// An agent of our own, which does this with each connection.
fn serving<F>(socket: &Path, f: impl Fn(UnixStream) -> F + Send + 'static) -> String
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = UnixListener::bind(socket).unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(f(stream));
        }
    });
    socket.display().to_string()
}

#[tokio::test]
async fn a_key_with_a_passphrase_is_refused_before_any_check_with_what_to_do() {
    if !has("ssh-keygen") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut keygen = Command::new("ssh-keygen");
    keygen.args(["-q", "-t", "ed25519", "-N", "hunter2", "-f", "locked"]).current_dir(folder.path());
    assert!(keygen.status().unwrap().success());
    let locked = SshLogin::Key(std::fs::read(folder.path().join("locked")).unwrap().into());
    let remote = SshRemote {
        host: "127.0.0.1".into(),
        port: 22,
        user: "git".into(),
        path: "/acme/demo.git".into(),
        login: locked,
        trust: tripline::model::HostTrust::Anyone,
    };
    let asked = tripline::model::Probe {
        kind: tripline::model::ProbeKind::Git(over(remote)),
        ..probe(target("http://127.0.0.1:9/"), std::time::Duration::from_secs(1), &[])
    };
    let (location, roots) = (tripline::model::Location::local(), tripline::probe::Roots::load());
    let refused = tripline::probe::Prober::new(&[asked], location, Default::default(), &roots).err().unwrap();
    let said = refused.to_string();
    assert!(
        said.contains("the private key of `key_file` has a passphrase") && said.contains("agent: true"),
        "{said}"
    );
}
