//! Git over SSH, by the real `sshd` on a port of its own: it lets in one key, and runs nothing but
//! `git upload-pack` on the demo's repository.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use crate::demo::fault::DemoFault;

/// Where Debian and most others have it; sshd must be started by its whole path.
const SSHD: &str = "/usr/sbin/sshd";
/// How long sshd may take to listen, and ssh-keygen to make a key.
const PATIENCE: Duration = Duration::from_secs(10);

/// What sshd runs for whoever comes in, with the folder filled in. A workspace that is hidden, or not known, gets the
/// words of a real forge.
const FORCED: &str = r#"#!/bin/sh
set -eu
refuse() { printf '%s\n' "$1" >&2; exit 128; }
set -f
case "${SSH_ORIGINAL_COMMAND:-}" in
    "git-upload-pack '"*"'"|"git upload-pack '"*"'") ;;
    *) refuse 'Only git is served here.' ;;
esac
path=${SSH_ORIGINAL_COMMAND#*\'}; path=${path%\'}; path=${path#/}
case "$path" in
    WORKSPACES) ;;
    *) refuse 'fatal: Repository not found' ;;
esac
[ ! -e "HIDDEN/${path%%/*}" ] || refuse 'fatal: Repository not found'
exec env GIT_CONFIG_NOSYSTEM=1 HOME="FOLDER" git -c safe.directory='*' upload-pack --strict "FOLDER/repositories/demo.git"
"#;

/// A running sshd. Dropping it ends it.
#[derive(Debug)]
pub(super) struct SshServer {
    pub(super) access: SshAccess,
    hidden: PathBuf,
    _sshd: Child,
}

/// How to get in.
#[derive(Clone, Debug)]
pub struct SshAccess {
    /// Where it listens.
    pub address: SocketAddr,
    /// The user to name.
    pub user: String,
    /// The private key that is let in, as OpenSSH writes it.
    pub key: String,
    /// Where that lies.
    pub key_file: PathBuf,
    /// The fingerprint of the server's key: `SHA256:…`.
    pub fingerprint: String,
}

impl SshServer {
    /// Starts sshd over the repository below `dir`; nothing where sshd is not installed.
    pub(super) async fn start(dir: &Path, workspaces: &[&str]) -> Result<Option<Self>, DemoFault> {
        if !tokio::fs::try_exists(SSHD).await.unwrap_or(false) {
            return Ok(None);
        }
        let dir = tokio::fs::canonicalize(dir).await.map_err(DemoFault::io("find the demo's folder"))?;
        let folder = dir.join("ssh");
        let doing = || DemoFault::io(format!("set up sshd in {}", folder.display()));
        let hidden = folder.join("hidden");
        tokio::fs::create_dir_all(&hidden).await.map_err(doing())?;
        for key in ["host", "user"] {
            if !tokio::fs::try_exists(folder.join(key)).await.map_err(doing())? {
                run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-C", "tripline-demo", "-f", key], &folder)
                    .await?;
            }
        }
        let fingerprint = run("ssh-keygen", &["-l", "-f", "host.pub"], &folder).await?;
        let fingerprint = fingerprint.split_whitespace().nth(1).unwrap_or_default().to_owned();
        let user = run("id", &["-un"], &folder).await?.trim().to_owned();
        let known: Vec<String> = workspaces.iter().map(|workspace| format!("{workspace}/demo.git")).collect();
        let forced = FORCED
            .replace("WORKSPACES", &known.join("|"))
            .replace("HIDDEN", &hidden.display().to_string())
            .replace("FOLDER", &dir.display().to_string());
        let command = folder.join("serve");
        tokio::fs::write(&command, forced).await.map_err(doing())?;
        // A port that was free a moment ago: sshd cannot be handed a socket.
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
        let address = address.map_err(doing())?;
        let shown = folder.display();
        let config = format!(
            "ListenAddress {address}\nHostKey \"{shown}/host\"\nPidFile none\nAuthorizedKeysFile \"{shown}/user.pub\"\n\
             StrictModes no\nUsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n\
             PermitRootLogin prohibit-password\nAllowTcpForwarding no\nX11Forwarding no\nPermitTTY no\n\
             PermitUserRC no\nPrintMotd no\nAcceptEnv GIT_PROTOCOL\nMaxStartups 200\nLogLevel ERROR\n\
             ForceCommand /bin/sh \"{}\"\n",
            command.display()
        );
        let settings = folder.join("sshd_config");
        tokio::fs::write(&settings, config).await.map_err(doing())?;
        if user == "root" {
            // Debian's sshd refuses to start as root without it, and only its service makes it.
            tokio::fs::create_dir_all("/run/sshd").await.map_err(doing())?;
        }
        let log = std::fs::File::create(folder.join("log")).map_err(doing())?;
        let sshd = Command::new(SSHD)
            .args(["-D", "-e", "-f"])
            .arg(&settings)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .map_err(doing())?;
        let key = tokio::fs::read_to_string(folder.join("user")).await.map_err(doing())?;
        let server = Self {
            access: SshAccess { address, user, key, key_file: folder.join("user"), fingerprint },
            hidden,
            _sshd: sshd,
        };
        let until = Instant::now() + PATIENCE;
        while tokio::net::TcpStream::connect(address).await.is_err() {
            if Instant::now() > until {
                let log = std::fs::read_to_string(folder.join("log")).unwrap_or_default();
                return Err(DemoFault::Ssh(log.lines().last().unwrap_or("it does not listen").to_owned()));
            }
            sleep(Duration::from_millis(20)).await;
        }
        server.repair();
        Ok(Some(server))
    }

    pub(super) fn hide(&self, workspace: &str) {
        if let Err(error) = std::fs::write(self.hidden.join(workspace), "") {
            tracing::warn!(%error, workspace, "Git over SSH cannot be broken for a workspace");
        }
    }

    pub(super) fn repair(&self) {
        for entry in std::fs::read_dir(&self.hidden).into_iter().flatten().flatten() {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// What a program says, within its time.
async fn run(program: &str, arguments: &[&str], folder: &Path) -> Result<String, DemoFault> {
    let failed = |why: String| DemoFault::Ssh(format!("{program}: {why}"));
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder).stdin(Stdio::null()).kill_on_drop(true);
    let ended = timeout(PATIENCE, command.output()).await.map_err(|_| failed("took too long".into()))?;
    let ended = ended.map_err(|error| failed(error.to_string()))?;
    if !ended.status.success() {
        return Err(failed(String::from_utf8_lossy(&ended.stderr).trim().to_owned()));
    }
    Ok(String::from_utf8_lossy(&ended.stdout).into_owned())
}
