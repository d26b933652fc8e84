//! Git checks: the list of refs over HTTPS and over SSH, against servers that others wrote.
//!
//! Over HTTPS each check is two requests with a connection each, to nginx, fcgiwrap and `git http-backend`; over SSH
//! it is one connection to OpenSSH's sshd, which runs git-shell. These servers need several times the CPU that
//! Tripline does, and take it from the same cores.

use std::path::Path;

use crate::daemon::{self, Watched};
use crate::forge::Forge;
use crate::measure::HOST;
use crate::server::pair;
use crate::ssh_forge::SshForge;

const HTTPS: u64 = 2000;
const SSH: u64 = 500;
const INTERVAL_MS: u64 = 30_000;

/// git-shell alone decides what runs. Without a home of its own the account's shell, which starts it, reads no settings:
/// those of a developer may take longer than all the rest.
const SETTINGS: &str = "AcceptEnv GIT_PROTOCOL\nSetEnv HOME=/\nForceCommand git-shell -c \"$SSH_ORIGINAL_COMMAND\"";

struct Forges {
    https: Forge,
    ca: std::path::PathBuf,
    ssh: SshForge,
}

pub(crate) fn run(folder: &Path) {
    let pair = pair();
    let ca = folder.join("forge.pem");
    std::fs::write(&ca, &pair.0).unwrap();
    let (Some(https), Some(ssh)) = (Forge::start(Some(pair)), SshForge::start(SETTINGS)) else { return };
    // One repository by many names, so that each probe asks for its own.
    for (forge, letter, many) in [(https.folder.path(), 'w', HTTPS), (ssh.folder.path(), 'a', SSH)] {
        for number in 0..many {
            let name = forge.join("served").join(format!("{letter}{number}"));
            std::os::unix::fs::symlink("acme", name).unwrap();
        }
    }
    let forges = Forges { https, ca, ssh };
    println!(
        "git: lists of refs every 30 s, by nginx, fcgiwrap and git http-backend, and by OpenSSH's sshd and git-shell"
    );
    let both = forges.watch(folder, "both", true, true, 120);
    print("both at once", &both);
    let https = forges.watch(folder, "https", true, false, 60);
    print("HTTPS alone", &https);
    let ssh = forges.watch(folder, "ssh", false, true, 60);
    print("SSH alone", &ssh);
}

fn print(what: &str, seen: &Watched) {
    let made: Vec<String> = seen.checks.iter().map(|(name, checks)| format!("{checks} {name}")).collect();
    println!(
        "  {what:13} {} in {} s  {:.0} us CPU per check, {:.1} % of one core (the machine: {:.0} % of all)  {seen}",
        made.join(" and "),
        seen.seconds,
        seen.cpu / seen.made() as f64,
        seen.cpu / seen.seconds as f64 / 10_000.0,
        seen.busy * 100.0,
    );
}

impl Forges {
    fn watch(&self, folder: &Path, name: &str, https: bool, ssh: bool, seconds: u64) -> Watched {
        daemon::watch(folder, name, &self.config(https, ssh), INTERVAL_MS, seconds)
    }

    fn config(&self, https: bool, ssh: bool) -> String {
        let mut probes = String::new();
        if https {
            probes += &format!(
                "  https:\n    component: git-https\n    for_each: [workspace]\n    resolve: {{address: \"{}\"}}\n    \
                 git: {{url: \"https://{HOST}/{{{{workspace}}}}/demo.git\", tls: {{ca_file: {}}}}}\n",
                self.https.https,
                self.ca.display(),
            );
        }
        if ssh {
            let remote = self.ssh.remote("{{account}}/demo.git", "user");
            probes += &format!(
                "  ssh:\n    component: git-ssh\n    for_each: [account]\n    \
                 git: {{url: \"ssh://{}@{}{}\", auth: {{key_file: {}}}, ssh: {{fingerprint: \"{}\"}}}}\n",
                remote.user,
                self.ssh.address,
                remote.path,
                self.ssh.folder.path().join("user").display(),
                self.ssh.fingerprint("host"),
            );
        }
        format!(
            "name: Load\ndefaults: {{interval: {INTERVAL_MS}ms, timeout: 10s}}\ncohorts: {{workspace: [{}], account: [{}]}}\n\
             components: {{git-https: {{name: Git via HTTPS}}, git-ssh: {{name: Git via SSH}}}}\nprobes:\n{probes}",
            daemon::values('w', HTTPS),
            daemon::values('a', SSH),
        )
    }
}
