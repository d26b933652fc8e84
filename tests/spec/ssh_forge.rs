//! A forge behind OpenSSH's sshd, unprivileged or as root, on a port of its own with a key of its own.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use tempfile::TempDir;
use tripline::model::kind::Fingerprint;
use tripline::model::{HostTrust, SshLogin, SshRemote};

use crate::forge::repositories;
use crate::network::{Program, free_port, has};

/// sshd over a folder of bare repositories.
pub(crate) struct SshForge {
    pub(crate) folder: TempDir,
    pub(crate) address: SocketAddr,
    user: String,
    _sshd: Program,
}

fn run(program: &str, arguments: &[&str], folder: &Path) -> String {
    let output = Command::new(program).args(arguments).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Makes a pair of keys, without a passphrase.
pub(crate) fn key(kind: &str, name: &str, folder: &Path) {
    run("ssh-keygen", &["-q", "-t", kind, "-N", "", "-C", name, "-f", name], folder);
}

/// The keys of all forges, made once: an RSA key takes a second.
fn keys() -> &'static Path {
    static KEYS: LazyLock<TempDir> = LazyLock::new(|| {
        let folder = tempfile::tempdir().unwrap();
        for (kind, name) in [("ed25519", "host"), ("rsa", "host-rsa"), ("ed25519", "user"), ("rsa", "user-rsa")] {
            key(kind, name, folder.path());
        }
        folder
    });
    KEYS.path()
}

impl SshForge {
    /// Starts it with more settings; `None`, said by name, where a part is not installed.
    pub(crate) fn start(settings: &str) -> Option<Self> {
        if !["sshd", "ssh-keygen", "git"].into_iter().all(has) {
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        repositories(path);
        for key in std::fs::read_dir(keys()).unwrap() {
            let key = key.unwrap().path();
            std::fs::copy(&key, path.join(key.file_name().unwrap())).unwrap();
        }
        let admitted = ["user.pub", "user-rsa.pub"].map(|name| std::fs::read_to_string(path.join(name)).unwrap());
        std::fs::write(path.join("admitted"), admitted.concat()).unwrap();
        let user = run("id", &["-un"], path);
        if user == "root" {
            // Debian's sshd refuses to start as root without it.
            std::fs::create_dir_all("/run/sshd").unwrap();
        }
        let port = free_port();
        let shown = path.display();
        let config = format!(
            "ListenAddress 127.0.0.1:{port}\nHostKey {shown}/host\nHostKey {shown}/host-rsa\nPidFile none\n\
             AuthorizedKeysFile {shown}/admitted\nStrictModes no\nUsePAM no\nPasswordAuthentication no\n\
             KbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\nMaxStartups 200\nLogLevel ERROR\n\
             {settings}\n"
        );
        std::fs::write(path.join("sshd_config"), config).unwrap();
        let mut sshd = Command::new("/usr/sbin/sshd");
        sshd.args(["-D", "-e", "-f"]).arg(path.join("sshd_config"));
        let sshd = Program::start(&mut sshd, port);
        Some(Self { address: sshd.address, user, folder, _sshd: sshd })
    }

    pub(crate) fn fingerprint(&self, key: &str) -> String {
        let printed = run("ssh-keygen", &["-l", "-f", &format!("{key}.pub")], self.folder.path());
        printed.split_whitespace().nth(1).unwrap().to_owned()
    }

    /// A line of `known_hosts` for this key.
    pub(crate) fn known(&self, key: &str) -> String {
        let public = std::fs::read_to_string(self.folder.path().join(format!("{key}.pub"))).unwrap();
        format!("[127.0.0.1]:{} {public}", self.address.port())
    }

    /// A repository, reached with this key and the pinned fingerprint.
    pub(crate) fn remote(&self, name: &str, key: &str) -> SshRemote {
        SshRemote {
            host: "127.0.0.1".into(),
            port: self.address.port(),
            user: self.user.clone(),
            path: self.folder.path().join("served").join(name).display().to_string(),
            login: SshLogin::Key(std::fs::read(self.folder.path().join(key)).unwrap().into()),
            trust: HostTrust::Pinned(Fingerprint::parse(&self.fingerprint("host")).unwrap()),
        }
    }
}
